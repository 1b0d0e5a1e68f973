// Perplexity of a text: exp of the mean negative log likelihood of its tokens, each predicted from a window that slides over the text.
// Follows the strided evaluation of Transformers' documentation (perplexity.md): every window scores only the tokens that no window before it has scored.
import { engineError } from '../errors'
import type { DecoderModel } from '../runtime/model-types'

/** What was measured. Tokens per second are those computed, the context of a window included. */
export interface Perplexity {
  readonly perplexity: number
  /** Tokens that were predicted. */
  readonly scoredTokens: number
  readonly computedTokens: number
  readonly elapsedMs: number
}

/** How a text is scored: windows of `windowTokens` that begin every `strideTokens`. */
export interface PerplexityOptions {
  readonly decoder: DecoderModel
  readonly ids: readonly number[]
  readonly windowTokens: number
  readonly strideTokens: number
  readonly onProgress?: (progress: { readonly doneTokens: number; readonly totalTokens: number }) => void
  readonly signal?: AbortSignal
}

/** Scores are held for this many positions at a time. */
const POSITIONS_PER_PASS = 64

/** -log softmax(logits[row])[id], summed in F64. */
function negativeLogLikelihood(
  logits: Float32Array,
  at: { readonly row: number; readonly vocabSize: number; readonly id: number },
): number {
  const { row, vocabSize, id } = at
  const scores = logits.subarray(row * vocabSize, (row + 1) * vocabSize)
  let highest = -Infinity
  for (const score of scores) if (score > highest) highest = score
  let sum = 0
  for (const score of scores) sum += Math.exp(score - highest)
  return Math.log(sum) + highest - (scores[id] ?? Number.NaN)
}

/** Throws "generate/empty-prompt" for a text of fewer than two tokens, "runtime/aborted" and what forward passes throw. */
export async function measurePerplexity(options: PerplexityOptions): Promise<Perplexity> {
  const { decoder, ids, windowTokens, strideTokens, onProgress, signal } = options
  if (ids.length < 2) throw engineError('generate/empty-prompt', { promptTokens: 0 })
  const { vocabSize } = decoder.config
  const startMs = performance.now()
  let sum = 0
  let scoredTokens = 0
  let computedTokens = 0
  for (let start = 0, scoredEnd = 1; scoredEnd < ids.length; start += strideTokens) {
    const window = ids.slice(start, start + windowTokens)
    using cache = decoder.createCache({ capacityTokens: window.length })
    for (let at = 0; at < window.length; at += POSITIONS_PER_PASS) {
      const part = window.slice(at, at + POSITIONS_PER_PASS)
      const wanted = start + at + part.length >= scoredEnd
      const logits = await decoder.forward({
        ids: part,
        cache,
        logits: wanted ? 'all' : 'none',
        sequenceTokens: window.length,
        ...(signal && { signal }),
      })
      for (let row = 0; wanted && row < part.length; row++) {
        const position = start + at + row + 1
        const id = ids[position]
        if (id === undefined || position < scoredEnd || position >= start + window.length) continue
        sum += negativeLogLikelihood(logits, { row, vocabSize, id })
        scoredTokens++
      }
      computedTokens += part.length
    }
    scoredEnd = start + window.length
    onProgress?.({ doneTokens: scoredEnd, totalTokens: ids.length })
  }
  return { perplexity: Math.exp(sum / scoredTokens), scoredTokens, computedTokens, elapsedMs: performance.now() - startMs }
}
