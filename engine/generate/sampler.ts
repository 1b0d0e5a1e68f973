// Picks the next token from logits: greedy at temperature 0, otherwise by inverse transform over the warped distribution with a seeded stream.
import { applyProcessors, applyWarpers, checkLogitsSettings, type LogitsSettings } from './apply-logits-processors'
import { argmax, createCandidates, fillCandidates, softmax } from './candidates'
import { createRandomStream } from './random'

/** Picks one id from logits [vocabSize] F32 given the ids so far. The logits array is used as scratch. */
export type Sampler = (logits: Float32Array, inputIds: readonly number[]) => number

/**
 * A sampler for one reply: the same seed, settings and logits give the same ids. One random number is drawn per sampled token.
 * Throws "generate/bad-setting"; the sampler throws "generate/logits-not-finite" and "generate/wrong-logits-length".
 */
export function createSampler(options: { readonly vocabSize: number; readonly settings: LogitsSettings; readonly seed: number }): Sampler {
  const { settings } = options
  checkLogitsSettings(settings)
  const candidates = createCandidates(options.vocabSize)
  const random = createRandomStream(options.seed)
  return (logits, inputIds) => {
    fillCandidates(candidates, logits)
    applyProcessors(candidates, inputIds, settings)
    if (settings.temperature === 0) return candidates.ids[argmax(candidates)] ?? 0
    applyWarpers(candidates, settings)
    const probabilities = softmax(candidates)
    let left = random()
    for (let index = 0; index < candidates.count; index++) {
      left -= probabilities[index] ?? 0
      if (left < 0) return candidates.ids[index] ?? 0
    }
    // The probabilities summed to a rounding error below 1 and the draw fell behind them.
    return candidates.ids[argmax(candidates)] ?? 0
  }
}
