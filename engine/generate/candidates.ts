// The tokens that a sampling step still considers; processors rescale or ban in place, warpers shrink the list, so that a step allocates nothing of vocabulary size.
import { engineError } from '../errors'

/** Tokens in play, in ascending id order; the first `count` entries of each array are valid. Scores are logits in F32, as in Transformers. */
export interface Candidates {
  readonly ids: Uint32Array
  scores: Float32Array
  count: number
  /** Scratch of the same capacity: what `softmax` filled last. F32, as the reference has it, so that thresholds fall the same way. */
  readonly probabilities: Float32Array
}

/** Room for one vocabulary; made once per sampler. */
export function createCandidates(vocabSize: number): Candidates {
  return {
    ids: new Uint32Array(vocabSize),
    scores: new Float32Array(0),
    count: 0,
    probabilities: new Float32Array(vocabSize),
  }
}

/** Puts every token of `logits` [vocabSize] F32 into play. The array is taken over: its contents change with every filter. */
export function fillCandidates(candidates: Candidates, logits: Float32Array): void {
  if (logits.length !== candidates.ids.length) {
    throw engineError('generate/wrong-logits-length', { found: logits.length, vocabSize: candidates.ids.length })
  }
  for (let id = 0; id < logits.length; id++) candidates.ids[id] = id
  candidates.scores = logits
  candidates.count = logits.length
}

/** Keeps the candidates that `keep` accepts, in order. `keep` sees the values from before the call. */
export function retain(candidates: Candidates, keep: (index: number) => boolean): void {
  const { ids, scores } = candidates
  let kept = 0
  for (let index = 0; index < candidates.count; index++) {
    if (!keep(index)) continue
    ids[kept] = ids[index] ?? 0
    scores[kept] = scores[index] ?? 0
    kept++
  }
  candidates.count = kept
}

/** Takes the banned candidates (score minus infinity) out. NaN stays, for argmax to report. */
export function dropBanned(candidates: Candidates): void {
  const { scores } = candidates
  retain(candidates, (index) => scores[index] !== Number.NEGATIVE_INFINITY)
}

/** Index of the highest score; the lowest id wins a tie. Throws "generate/logits-not-finite", or "generate/no-token-left" when every token was banned. */
export function argmax(candidates: Candidates): number {
  const { scores, count } = candidates
  if (count === 0) throw engineError('generate/no-token-left', { vocabSize: candidates.ids.length })
  let best = -1
  let bestScore = Number.NEGATIVE_INFINITY
  for (let index = 0; index < count; index++) {
    const score = scores[index] ?? Number.NaN
    // A NaN anywhere means that the forward pass went wrong; picking around it would hide that.
    if (Number.isNaN(score)) throw engineError('generate/logits-not-finite', { id: candidates.ids[index] ?? 0 })
    if (score > bestScore) {
      best = index
      bestScore = score
    }
  }
  if (best < 0 || bestScore === Number.POSITIVE_INFINITY) {
    throw engineError('generate/logits-not-finite', { id: candidates.ids[Math.max(best, 0)] ?? 0 })
  }
  return best
}

/** Fills `probabilities` with the softmax of the scores and returns it; the sum is taken in F64. Throws as argmax does. */
export function softmax(candidates: Candidates): Float32Array {
  const { scores, count, probabilities } = candidates
  const maximum = scores[argmax(candidates)] ?? 0
  let sum = 0
  for (let index = 0; index < count; index++) {
    probabilities[index] = Math.exp(Math.fround((scores[index] ?? 0) - maximum))
    sum += probabilities[index] ?? 0
  }
  for (let index = 0; index < count; index++) probabilities[index] = (probabilities[index] ?? 0) / sum
  return probabilities
}

/** Entropy in nats of the first `count` probabilities. */
export function entropy(probabilities: ArrayLike<number>, count: number): number {
  let nats = 0
  for (let index = 0; index < count; index++) {
    const probability = probabilities[index] ?? 0
    if (probability > 0) nats -= probability * Math.log(probability)
  }
  return nats
}
