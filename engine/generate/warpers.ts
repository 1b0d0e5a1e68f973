// Logits warpers: they reshape or cut the distribution and apply only when sampling. Semantics: transformers 5.18 generation/logits_process.py.
import { argmax, entropy, retain, softmax, type Candidates } from './candidates'

const { fround } = Math

/** Divides every score by `temperature` (above 0). Source: TemperatureLogitsWarper. */
export function applyTemperature(candidates: Candidates, temperature: number): void {
  const { scores, count } = candidates
  const divisor = fround(temperature)
  const highest = scores[argmax(candidates)] ?? 0
  // Near 0 the quotient leaves F32; differences to the highest score give the same distribution without that.
  const shift = Number.isFinite(fround(highest / divisor)) && divisor > 0 ? 0 : highest
  for (let index = 0; index < count; index++) {
    const difference = (scores[index] ?? 0) - shift
    scores[index] = difference === 0 ? 0 : Math.max(difference / (divisor || Number.MIN_VALUE), -3e38)
  }
}

/** Keeps the `topK` highest scores and every tie of the last one. Source: TopKLogitsWarper. */
export function keepTopK(candidates: Candidates, topK: number): void {
  if (topK >= candidates.count) return
  const { scores, count } = candidates
  const threshold = nthHighest(scores, { count, n: topK })
  retain(candidates, (index) => (scores[index] ?? 0) >= threshold)
}

/**
 * Nucleus: drops the least probable tokens as long as their summed probability is at most 1 - topP; the `atLeast` most probable ones always stay.
 * Source: Holtzman et al. (arXiv 1904.09751), TopPLogitsWarper.
 */
export function keepTopP(candidates: Candidates, topP: number, atLeast = 1): void {
  const { count } = candidates
  const probabilities = softmax(candidates)
  const budget = fround(1 - topP)
  // Tokens below budget / count sum to less than the budget, so all of them go; only the rest has to be sorted.
  const surelyOut = budget / count
  const rest = new Float32Array(count)
  let restCount = 0
  let dropped = 0
  for (let index = 0; index < count; index++) {
    const probability = probabilities[index] ?? 0
    if (probability < surelyOut) dropped += probability
    else rest[restCount++] = probability
  }
  if (restCount < atLeast) {
    keepTopK(candidates, atLeast)
    return
  }
  // Without a comparator the sort is native: a whole vocabulary takes milliseconds.
  const ascending = rest.subarray(0, restCount).sort()
  let first = 0
  while (first < restCount - atLeast) {
    // The reference sums in F64 and compares in F32.
    dropped += ascending[first] ?? 0
    if (fround(dropped) > budget) break
    first++
  }
  const threshold = ascending[first] ?? 0
  // Of several tokens at the threshold the first ones go, as a stable sort has it.
  let tiesToDrop = first - ascending.indexOf(threshold)
  retain(candidates, (index) => {
    const probability = probabilities[index] ?? 0
    return probability > threshold || (probability === threshold && tiesToDrop-- <= 0)
  })
}

/** Drops tokens whose probability is below `minP` times the highest, but none of the `atLeast` highest. Source: MinPLogitsWarper (arXiv 2407.01082). */
export function keepMinP(candidates: Candidates, minP: number, atLeast = 1): void {
  const { scores, count } = candidates
  const top = argmax(candidates)
  const safe = nthHighest(scores, { count, n: Math.min(atLeast, count) })
  const probabilities = softmax(candidates)
  const threshold = fround(fround(minP) * (probabilities[top] ?? 0))
  retain(candidates, (index) => (probabilities[index] ?? 0) >= threshold || (scores[index] ?? 0) >= safe)
}

/**
 * Locally typical sampling: keeps the tokens whose information lies closest to the entropy, until their probability reaches `mass`.
 * Source: Meister et al. (arXiv 2202.00666), TypicalLogitsWarper.
 */
export function keepTypical(candidates: Candidates, mass: number, atLeast = 1): void {
  const { scores, count } = candidates
  const highest = scores[argmax(candidates)] ?? 0
  const probabilities = softmax(candidates)
  let sum = 0
  for (let index = 0; index < count; index++) sum += Math.exp(fround((scores[index] ?? 0) - highest))
  const logSum = Math.log(sum)
  const logProbability = Float32Array.from({ length: count }, (_, index) => fround((scores[index] ?? 0) - highest) - logSum)
  let expected = 0
  for (let index = 0; index < count; index++) expected -= (logProbability[index] ?? 0) * (probabilities[index] ?? 0)
  expected = fround(expected)
  const distance = Float32Array.from({ length: count }, (_, index) => Math.abs(fround(-(logProbability[index] ?? 0) - expected)))
  const order = Array.from({ length: count }, (_, index) => index).sort((a, b) => (distance[a] ?? 0) - (distance[b] ?? 0) || a - b)
  let reached = 0
  let threshold = distance[order[count - 1] ?? 0] ?? 0
  for (const index of order) {
    reached += probabilities[index] ?? 0
    if (fround(reached) >= fround(mass)) {
      threshold = distance[index] ?? 0
      break
    }
  }
  const closest = new Set(order.slice(0, atLeast))
  retain(candidates, (index) => (distance[index] ?? 0) <= threshold || closest.has(index))
}

/** Drops tokens less probable than `epsilon`, never the `atLeast` most probable ones. Source: Hewitt et al. (arXiv 2210.15191), EpsilonLogitsWarper. */
export function keepAboveEpsilon(candidates: Candidates, epsilon: number, atLeast = 1): void {
  const { scores, count } = candidates
  const safe = nthHighest(scores, { count, n: Math.min(atLeast, count) })
  const probabilities = softmax(candidates)
  const threshold = fround(epsilon)
  retain(candidates, (index) => (probabilities[index] ?? 0) >= threshold || (scores[index] ?? 0) >= safe)
}

/** Eta sampling: the epsilon cut with min(epsilon, sqrt(epsilon) * exp(-entropy)). Source: arXiv 2210.15191, EtaLogitsWarper. */
export function keepAboveEta(candidates: Candidates, epsilon: number, atLeast = 1): void {
  const nats = entropy(softmax(candidates), candidates.count)
  keepAboveEpsilon(candidates, Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-nats)), atLeast)
}

/** Top-H looks at no more than this many tokens, as the reference does. */
const TOP_H_TOKENS = 100

/**
 * Top-H: keeps the most probable tokens while their summed entropy terms stay within `topH` of the entropy of the 100 most probable.
 * Source: arXiv 2509.02510, TopHLogitsWarper.
 */
export function keepTopH(candidates: Candidates, topH: number): void {
  const { scores, count } = candidates
  const threshold = nthHighest(scores, { count, n: Math.min(TOP_H_TOKENS, count) })
  const top: number[] = []
  for (let index = 0; index < count; index++) if ((scores[index] ?? 0) >= threshold) top.push(index)
  top.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b)
  top.length = Math.min(top.length, TOP_H_TOKENS)

  const highest = scores[top[0] ?? 0] ?? 0
  const weights = Float64Array.from(top, (index) => Math.exp((scores[index] ?? 0) - highest))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  const probabilities = weights.map((weight) => weight / sum)
  const limit = entropy(probabilities, probabilities.length) * topH
  const keep = new Set<number>()
  let used = 0
  for (const [rank, index] of top.entries()) {
    const probability = probabilities[rank] ?? 0
    used -= probability * Math.log(probability)
    if (rank > 0 && !(used <= limit)) break
    keep.add(index)
  }
  retain(candidates, (index) => keep.has(index))
}

/** The n-th highest of the first `count` scores (n at most count), by a heap of n: no sort of the vocabulary. */
function nthHighest(scores: Float32Array, { count, n }: { readonly count: number; readonly n: number }): number {
  // A min-heap of the n highest so far; its root is the answer.
  const heap = scores.slice(0, n).sort()
  for (let index = n; index < count; index++) {
    const score = scores[index] ?? 0
    if (score <= (heap[0] ?? 0)) continue
    let hole = 0
    for (;;) {
      const left = 2 * hole + 1
      if (left >= n) break
      const child = left + 1 < n && (heap[left + 1] ?? 0) < (heap[left] ?? 0) ? left + 1 : left
      if ((heap[child] ?? 0) >= score) break
      heap[hole] = heap[child] ?? 0
      hole = child
    }
    heap[hole] = score
  }
  return heap[0] ?? Number.NEGATIVE_INFINITY
}
