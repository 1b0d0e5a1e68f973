// Logits warpers: they reshape or cut the distribution and apply only when sampling. Semantics: transformers 5.18 generation/logits_process.py.
import { argmax, entropy, retain, softmax, type Candidates } from './candidates'

/** Divides every score by `temperature` (above 0). Source: TemperatureLogitsWarper. */
export function applyTemperature(candidates: Candidates, temperature: number): void {
  const { scores, count } = candidates
  for (let index = 0; index < count; index++) scores[index] = (scores[index] ?? 0) / temperature
}

/** Keeps the `topK` highest scores and every tie of the last one. Source: TopKLogitsWarper. */
export function keepTopK(candidates: Candidates, topK: number): void {
  if (topK >= candidates.count) return
  const { scores, count } = candidates
  const threshold = nthHighest(scores, { count, n: topK })
  retain(candidates, (index) => (scores[index] ?? 0) >= threshold)
}

/**
 * Nucleus: drops the least probable tokens as long as their summed probability is at most 1 - topP; the most probable one always stays.
 * Source: Holtzman et al. (arXiv 1904.09751), TopPLogitsWarper.
 */
export function keepTopP(candidates: Candidates, topP: number): void {
  const { count } = candidates
  const probabilities = softmax(candidates)
  const budget = 1 - topP
  // Tokens below budget / count sum to less than the budget, so all of them go; only the rest has to be sorted.
  const surelyOut = budget / count
  const rest = new Float64Array(count)
  let restCount = 0
  let dropped = 0
  for (let index = 0; index < count; index++) {
    const probability = probabilities[index] ?? 0
    if (probability < surelyOut) dropped += probability
    else rest[restCount++] = probability
  }
  // Without a comparator the sort is native: a whole vocabulary takes milliseconds.
  const ascending = rest.subarray(0, restCount).sort()
  let first = 0
  while (first < restCount - 1) {
    dropped += ascending[first] ?? 0
    if (dropped > budget) break
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

/** Drops tokens whose probability is below `minP` times the highest. Source: MinPLogitsWarper (arXiv 2407.01082). */
export function keepMinP(candidates: Candidates, minP: number): void {
  const top = argmax(candidates)
  const probabilities = softmax(candidates)
  const threshold = minP * (probabilities[top] ?? 0)
  retain(candidates, (index) => index === top || (probabilities[index] ?? 0) >= threshold)
}

/**
 * Locally typical sampling: keeps the tokens whose information lies closest to the entropy, until their probability reaches `mass`.
 * Source: Meister et al. (arXiv 2202.00666), TypicalLogitsWarper.
 */
export function keepTypical(candidates: Candidates, mass: number): void {
  const { count } = candidates
  const probabilities = softmax(candidates)
  const expected = entropy(probabilities, count)
  const distance = Float64Array.from({ length: count }, (_, index) => Math.abs(-Math.log(probabilities[index] ?? 0) - expected))
  const order = Array.from({ length: count }, (_, index) => index).sort((a, b) => (distance[a] ?? 0) - (distance[b] ?? 0) || a - b)
  let reached = 0
  let threshold = distance[order[count - 1] ?? 0] ?? 0
  for (const index of order) {
    reached += probabilities[index] ?? 0
    if (reached >= mass) {
      threshold = distance[index] ?? 0
      break
    }
  }
  const closest = order[0]
  retain(candidates, (index) => index === closest || (distance[index] ?? 0) <= threshold)
}

/** Drops tokens less probable than `epsilon`, never the most probable ones. Source: Hewitt et al. (arXiv 2210.15191), EpsilonLogitsWarper. */
export function keepAboveEpsilon(candidates: Candidates, epsilon: number): void {
  const { scores } = candidates
  const highest = scores[argmax(candidates)] ?? 0
  const probabilities = softmax(candidates)
  retain(candidates, (index) => (probabilities[index] ?? 0) >= epsilon || (scores[index] ?? 0) >= highest)
}

/** Eta sampling: the epsilon cut with min(epsilon, sqrt(epsilon) * exp(-entropy)). Source: arXiv 2210.15191, EtaLogitsWarper. */
export function keepAboveEta(candidates: Candidates, epsilon: number): void {
  const nats = entropy(softmax(candidates), candidates.count)
  keepAboveEpsilon(candidates, Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-nats)))
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
