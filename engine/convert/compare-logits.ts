// The last proof of a conversion: source and result give the same logits for the same ids, where both can be run here.
import { EngineError } from '../errors'
import { openDecoder } from '../generate/open-decoder'
import { positionLogits } from '../generate/position-logits'
import type { LogitsComparison } from './types'

/** Larger models take longer to load twice than they took to convert; their tensors are proven all the same. */
export const MAX_COMPARED_BYTES = 1_500_000_000

/** Enough for every part of a decoder to show, few enough to be quick. */
const PROMPT_TOKENS = 16

/** Ids spread over the vocabulary, the same in every run (Knuth's multiplicative hash). */
function promptOf(vocabSize: number): readonly number[] {
  return Array.from({ length: PROMPT_TOKENS }, (_, index) => Math.floor((((index + 1) * 2_654_435_761) % 2 ** 32) * (vocabSize / 2 ** 32)))
}

interface Logits {
  readonly ids: readonly number[]
  readonly values: Float32Array
}

async function logitsOf(path: string, signal: AbortSignal | undefined): Promise<Logits | null> {
  try {
    // In exact arithmetic: codes that a checkpoint brings along would be multiplied with rounded activations.
    const { decoder } = await openDecoder(path, { format: 'f32', ...(signal && { signal }) })
    using opened = decoder
    const ids = promptOf(opened.config.vocabSize)
    for await (const values of positionLogits({ decoder: opened, ids, positionsPerPass: ids.length, ...(signal && { signal }) }))
      return { ids, values }
    return null
  } catch (cause) {
    // What cannot be run here, or was stopped, is not compared; the conversion is complete either way.
    if (cause instanceof EngineError) return null
    throw cause
  }
}

function deviationOf(values: Float32Array): number {
  let sum = 0
  let squares = 0
  for (const value of values) {
    sum += value
    squares += value * value
  }
  const mean = sum / values.length
  return Math.sqrt(Math.max(0, squares / values.length - mean * mean))
}

function likeliest(values: Float32Array): number {
  let best = 0
  for (let index = 1; index < values.length; index++) if ((values[index] ?? NaN) > (values[best] ?? NaN)) best = index
  return best
}

/** Compares; null where either cannot be run here, or their vocabularies differ. The two are loaded one after the other. */
export async function compareLogits(paths: {
  readonly source: string
  readonly result: string
  readonly signal?: AbortSignal
}): Promise<LogitsComparison | null> {
  const { source, result, signal } = paths
  const before = await logitsOf(source, signal)
  const after = before && (await logitsOf(result, signal))
  if (!before || after?.values.length !== before.values.length) return null
  let maxAbsError = 0
  before.values.forEach((value, index) => (maxAbsError = Math.max(maxAbsError, Math.abs(value - (after.values[index] ?? NaN)))))
  const vocabSize = before.values.length / before.ids.length
  const sameGreedy = before.ids.every((_, position) => {
    const row = [position * vocabSize, (position + 1) * vocabSize] as const
    return likeliest(before.values.subarray(...row)) === likeliest(after.values.subarray(...row))
  })
  return { promptIds: before.ids, maxAbsError, logitStd: deviationOf(before.values), sameGreedy }
}
