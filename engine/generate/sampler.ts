// Picks the next token from logits: greedy at temperature 0, otherwise by inverse transform over the warped distribution with a seeded stream.
import { applyProcessors, applyWarpers, firstWarperState, SAMPLER_DEFAULTS } from './apply-logits-processors'
import { argmax, createCandidates, dropBanned, fillCandidates, softmax, type Candidates } from './candidates'
import { noteSurprise } from './creative-warpers'
import { checkLogitsSettings, type LogitsSettings } from './logits-settings'
import { createRandomStream, type RandomStream } from './random'

/** Which tokens may come next: bit id % 32 of word floor(id / 32). */
export type TokenMask = Uint32Array

/** Picks one id from logits [vocabSize] F32 given the ids so far. The logits array is used as scratch. */
export type Sampler = (logits: Float32Array, inputIds: readonly number[], mask?: TokenMask) => number

/**
 * A sampler for one reply: the same seed, settings and logits give the same ids. One random number is drawn per sampled token, and one before it where XTC is on.
 * A mask is stronger than the bans of the settings: where both leave nothing, the mask alone holds.
 * Throws "generate/bad-setting"; the sampler throws "generate/logits-not-finite", "generate/wrong-logits-length", "generate/no-token-left".
 */
export function createSampler(options: { readonly vocabSize: number; readonly settings: LogitsSettings; readonly seed: number }): Sampler {
  const { settings } = options
  checkLogitsSettings(settings)
  const candidates = createCandidates(options.vocabSize)
  const random = createRandomStream(options.seed)
  const mirostat = firstWarperState(settings)
  const { xtcProbability = 0, mirostatTau: tau = SAMPLER_DEFAULTS.mirostatTau, mirostatEta: eta = SAMPLER_DEFAULTS.mirostatEta } = settings
  return (logits, inputIds, mask) => {
    const raw = mask === undefined ? null : logits.slice()
    applyProcessors(logits, inputIds, settings)
    fillCandidates(candidates, logits)
    if (mask !== undefined) applyMask(logits, mask)
    dropBanned(candidates)
    if (candidates.count === 0 && raw !== null && mask !== undefined) {
      applyMask(raw, mask)
      fillCandidates(candidates, raw)
      dropBanned(candidates)
    }
    if (settings.temperature === 0) return candidates.ids[argmax(candidates)] ?? 0
    applyWarpers(candidates, settings, { mirostat, excludesTop: xtcProbability > 0 && random() < xtcProbability })
    const index = draw(candidates, random)
    if (settings.mirostat === 2) noteSurprise(mirostat, { probability: candidates.probabilities[index] ?? 0, tau, eta })
    return candidates.ids[index] ?? 0
  }
}

function applyMask(scores: Float32Array, mask: TokenMask): void {
  for (let id = 0; id < scores.length; id++) if ((((mask[id >>> 5] ?? 0) >>> (id & 31)) & 1) === 0) scores[id] = Number.NEGATIVE_INFINITY
}

function draw(candidates: Candidates, random: RandomStream): number {
  const probabilities = softmax(candidates)
  let left = random()
  for (let index = 0; index < candidates.count; index++) {
    left -= probabilities[index] ?? 0
    if (left < 0) return index
  }
  // The probabilities summed to a rounding error below 1 and the draw fell behind them.
  return argmax(candidates)
}
