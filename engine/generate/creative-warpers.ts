// Warpers that Transformers does not have: dynamic temperature, XTC and mirostat 2. Each names the program whose behaviour it follows.
import { entropy, retain, softmax, type Candidates } from './candidates'
import { applyTemperature } from './warpers'

/** A temperature of 0 would leave one token without asking whether it is wanted. */
const LOWEST_TEMPERATURE = 0.01

/**
 * Dynamic temperature: between temperature - range (sure of the next token) and temperature + range (unsure), by the distribution's entropy relative to its highest.
 * Source: llama.cpp `llama_sampler_temp_ext`.
 */
export function applyDynamicTemperature(
  candidates: Candidates,
  { temperature, range, exponent }: { readonly temperature: number; readonly range: number; readonly exponent: number },
): void {
  if (candidates.count < 2) return
  const lowest = Math.max(temperature - range, LOWEST_TEMPERATURE)
  const normalized = Math.min(1, entropy(softmax(candidates), candidates.count) / Math.log(candidates.count))
  applyTemperature(candidates, lowest + (temperature + range - lowest) * normalized ** exponent)
}

/**
 * XTC, when its draw came up: drops every token of at least `threshold` but the least probable of them, unless that would drop a token of `kept` (ends of turn).
 * Source: p-e-w, "Exclude Top Choices" (oobabooga/text-generation-webui pull request 6335).
 */
export function excludeTopChoices(candidates: Candidates, threshold: number, kept: ReadonlySet<number>): void {
  const { ids, count } = candidates
  const probabilities = softmax(candidates)
  let least = -1
  for (let index = 0; index < count; index++) {
    const probability = probabilities[index] ?? 0
    if (probability >= threshold && (least < 0 || probability < (probabilities[least] ?? 0))) least = index
  }
  const leaves = (index: number): boolean => index !== least && (probabilities[index] ?? 0) >= threshold
  for (let index = 0; index < count; index++) if (leaves(index) && kept.has(ids[index] ?? -1)) return
  retain(candidates, (index) => !leaves(index))
}

/** Mirostat 2's memory of one reply: how surprising a token may be, in bits. */
export interface MirostatState {
  mu: number
}

/** Drops tokens more surprising than the state allows, never the most probable one. Source: Basu et al. (arXiv 2007.14966), algorithm 2. */
export function keepUnsurprising(candidates: Candidates, state: MirostatState): void {
  const { count } = candidates
  const probabilities = softmax(candidates)
  let best = 0
  for (let index = 1; index < count; index++) if ((probabilities[index] ?? 0) > (probabilities[best] ?? 0)) best = index
  retain(candidates, (index) => index === best || -Math.log2(probabilities[index] ?? 0) <= state.mu)
}

/** Moves the state after a token of this probability (among those that were left) was drawn. */
export function noteSurprise(
  state: MirostatState,
  { probability, tau, eta }: { readonly probability: number; readonly tau: number; readonly eta: number },
): void {
  // A token that was drawn has a probability; F32 may have rounded it away.
  state.mu -= eta * (-Math.log2(Math.max(probability, 1e-38)) - tau)
}
