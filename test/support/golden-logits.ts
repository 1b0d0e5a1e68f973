// Logits of a real library for given ids, and how far a model's are from them.
import { openCheckpoint } from '../../engine/checkpoint/open'
import { openDecoder } from '../../engine/generate/open-decoder'
import { positionLogits } from '../../engine/generate/position-logits'
import { decodeFloat32 } from '../../engine/tensor/decode'

/** Ids and their logits [S, V]. */
export interface GoldenLogits {
  readonly ids: readonly number[]
  readonly logits: Float32Array
}

/** Reads a file with input_ids [1, S] I64 and logits [1, S, V] F32. */
export async function goldenLogits(path: string): Promise<GoldenLogits> {
  using checkpoint = await openCheckpoint(path)
  const ids = new BigInt64Array(Uint8Array.from(await checkpoint.read('input_ids')).buffer)
  return { ids: Array.from(ids, Number), logits: decodeFloat32(await checkpoint.read('logits'), 'F32') }
}

/** Largest difference in units of the spread of the expected logits; Infinity where their count differs. */
export async function logitError(model: string, { ids, logits }: GoldenLogits): Promise<number> {
  const { decoder } = await openDecoder(model)
  using _ = decoder
  const found: number[] = []
  for await (const rows of positionLogits({ decoder, ids, positionsPerPass: 64 })) found.push(...rows)
  if (found.length !== logits.length) return Infinity
  const mean = logits.reduce((sum, value) => sum + value, 0) / logits.length
  const deviation = Math.sqrt(logits.reduce((sum, value) => sum + (value - mean) ** 2, 0) / logits.length)
  return found.reduce((most, value, index) => Math.max(most, Math.abs(value - (logits[index] ?? NaN))), 0) / deviation
}
