// What a weight format costs and brings: perplexity of a text, speed of single tokens, memory; the model is loaded for it and left afterwards.
import type { DecoderModel } from '../runtime/model-types'
import { loadModel, type LoadModelOptions } from './load-model'
import { measurePerplexity, type Perplexity } from './perplexity'

/** What is measured on what. */
export interface MeasureFormatOptions extends LoadModelOptions {
  readonly text: string
  /** Tokens of the sliding window; never more than the model's context. */
  readonly windowTokens: number
  /** Default half a window. */
  readonly strideTokens?: number
  readonly onStage?: (at: { readonly stage: string; readonly fraction: number }) => void
}

/** One format of one model. */
export interface FormatMeasurement extends Perplexity {
  /** As the engine names it, 'own' for exported models. */
  readonly format: string
  readonly windowTokens: number
  readonly strideTokens: number
  /** Single tokens of one reply, the median. */
  readonly decodeTokensPerSecond: number
  readonly weightBytes: number
  /** Resident memory of the process after measuring, the model still loaded. */
  readonly residentBytes: number
}

/** Steps that are timed, after one that is not, and when to stop earlier. */
const STEPS = 12
const MIN_STEPS = 3
const MAX_STEPS_MS = 4_000

/** Loads, measures, unloads. Throws what loadModel and measurePerplexity throw. */
export async function measureFormat(path: string, options: MeasureFormatOptions): Promise<FormatMeasurement> {
  const { text, windowTokens: wanted, strideTokens: wantedStride, onStage, ...loading } = options
  using model = await loadModel(path, { ...loading, contextLength: wanted, onProgress: (at) => onStage?.(at) })
  const { decoder } = model
  const { signal } = loading
  const ids = model.tokenizer.encode(text, { addSpecial: true, parseSpecial: false })
  const windowTokens = model.contextLength
  const strideTokens = Math.min(wantedStride ?? Math.ceil(windowTokens / 2), windowTokens - 1)
  const cancel = signal === undefined ? {} : { signal }
  const measured = await measurePerplexity({
    decoder,
    ids,
    windowTokens,
    strideTokens,
    onProgress: ({ doneTokens, totalTokens }) => onStage?.({ stage: 'perplexity', fraction: Math.min(1, doneTokens / totalTokens) }),
    ...cancel,
  })
  const decodeTokensPerSecond = await measureDecode(decoder, { ids, contextLength: windowTokens, ...cancel })
  return {
    ...measured,
    format: decoder.format ?? 'own',
    windowTokens,
    strideTokens,
    decodeTokensPerSecond,
    weightBytes: decoder.weightBytes,
    residentBytes: process.memoryUsage.rss(),
  }
}

async function measureDecode(
  decoder: DecoderModel,
  options: { readonly ids: readonly number[]; readonly contextLength: number; readonly signal?: AbortSignal },
): Promise<number> {
  const { ids, contextLength, signal } = options
  const room = Math.max(1, contextLength - STEPS - 1)
  const prompt = ids.slice(0, Math.min(64, room))
  using cache = decoder.createCache({ capacityTokens: contextLength })
  const cancel = signal === undefined ? {} : { signal }
  await decoder.forward({ ids: prompt, cache, logits: 'last', ...cancel })
  const stepsMs: number[] = []
  let totalMs = 0
  for (let step = 0; step <= STEPS && cache.lengthTokens < contextLength; step++) {
    const startMs = performance.now()
    await decoder.forward({ ids: [ids[prompt.length + step] ?? ids[0] ?? 0], cache, logits: 'last', ...cancel })
    const elapsedMs = performance.now() - startMs
    if (step > 0) stepsMs.push(elapsedMs)
    totalMs += elapsedMs
    if (stepsMs.length >= MIN_STEPS && totalMs > MAX_STEPS_MS) break
  }
  stepsMs.sort((a, b) => a - b)
  return 1000 / (stepsMs[stepsMs.length >> 1] ?? Number.NaN)
}
