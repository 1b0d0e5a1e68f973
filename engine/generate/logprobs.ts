// Log-probabilities of the model's own distribution: before temperature, penalties, filters and masks, as the OpenAI API reports them.
import type { TokenLogprob } from './types'

/** What one step offered: how likely any token was, and the likeliest ones. */
export interface StepLogprobs {
  readonly of: (id: number) => number
  /** In descending order; the lower id first where two are equal. */
  readonly likeliest: readonly TokenLogprob[]
}

/** Reads logits [vocabSize] F32 before a sampler takes them over. `of` keeps the array: call it before the logits change, or pass a copy. */
export function readLogprobs(logits: Float32Array, count: number): StepLogprobs {
  let highest = Number.NEGATIVE_INFINITY
  for (const logit of logits) if (logit > highest) highest = logit
  let sum = 0
  for (const logit of logits) sum += Math.exp(logit - highest)
  const logSum = highest + Math.log(sum)
  const best: number[] = []
  let floor = Number.NEGATIVE_INFINITY
  for (let id = 0; id < logits.length && count > 0; id++) {
    const logit = logits[id] ?? Number.NEGATIVE_INFINITY
    if (best.length === count && !(logit > floor)) continue
    let place = best.length
    while (place > 0 && (logits[best[place - 1] ?? 0] ?? 0) < logit) place--
    best.splice(place, 0, id)
    if (best.length > count) best.pop()
    floor = logits[best.at(-1) ?? 0] ?? 0
  }
  return {
    of: (id) => (logits[id] ?? Number.NEGATIVE_INFINITY) - logSum,
    likeliest: best.map((id) => ({ id, logprob: (logits[id] ?? 0) - logSum })),
  }
}
