// Statistics of one tensor, computed chunk by chunk so that its size does not matter.
import type { Checkpoint, TensorInfo } from '../checkpoint/types'
import { engineError } from '../errors'
import { decodeFloat64 } from '../tensor/decode'
import type { Dtype } from '../tensor/dtype'
import { countElements } from '../tensor/shape'

/** Bytes read at a time; a multiple of every element size. */
const CHUNK_BYTES = 4 * 1024 * 1024

/** How many values are shown as they lie in the file. */
const FIRST_VALUES = 16

/**
 * Statistics of a tensor. `min` and `max` ignore NaN; `mean` and `std` (population) are over the finite values.
 * All four are null when there is no value to take them over.
 */
export interface TensorStatistics {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly elements: number
  readonly min: number | null
  readonly max: number | null
  readonly mean: number | null
  readonly std: number | null
  readonly nanCount: number
  readonly infinityCount: number
  readonly zeroCount: number
  readonly firstValues: readonly number[]
}

interface Totals {
  min: number
  max: number
  finite: number
  mean: number
  /** Sum of squared distances from the mean. */
  squares: number
  nans: number
  infinities: number
  zeros: number
}

/** Two passes over the chunk, then merged into the totals: one pass of sums would lose the small differences (Chan et al. 1979). */
function addChunk(totals: Totals, values: Float64Array): void {
  let finite = 0
  let sum = 0
  for (const value of values) {
    if (Number.isNaN(value)) {
      totals.nans++
      continue
    }
    if (value < totals.min) totals.min = value
    if (value > totals.max) totals.max = value
    if (value === 0) totals.zeros++
    if (Number.isFinite(value)) {
      finite++
      sum += value
    } else totals.infinities++
  }
  if (finite === 0) return
  const mean = sum / finite
  let squares = 0
  for (const value of values) if (Number.isFinite(value)) squares += (value - mean) ** 2
  const all = totals.finite + finite
  const distance = mean - totals.mean
  totals.squares += squares + (distance ** 2 * totals.finite * finite) / all
  totals.mean += (distance * finite) / all
  totals.finite = all
}

/** Reads a tensor in chunks and computes its statistics. Throws "checkpoint/unknown-tensor", "checkpoint/undecodable-dtype", "runtime/aborted". */
export async function tensorStatistics(
  checkpoint: Pick<Checkpoint, 'tensors' | 'readRange'>,
  options: { readonly name: string; readonly signal?: AbortSignal },
): Promise<TensorStatistics> {
  const { name, signal } = options
  const tensor: TensorInfo | undefined = checkpoint.tensors.get(name)
  if (!tensor) throw engineError('checkpoint/unknown-tensor', { tensor: name, count: checkpoint.tensors.size })
  const totals: Totals = { min: Infinity, max: -Infinity, finite: 0, mean: 0, squares: 0, nans: 0, infinities: 0, zeros: 0 }
  let firstValues: readonly number[] = []
  for (let offsetBytes = 0; offsetBytes < tensor.sizeBytes; offsetBytes += CHUNK_BYTES) {
    if (signal?.aborted) throw engineError('runtime/aborted', { what: `Inspecting ${name}` })
    const sizeBytes = Math.min(CHUNK_BYTES, tensor.sizeBytes - offsetBytes)
    const values = decodeFloat64(await checkpoint.readRange({ name, offsetBytes, sizeBytes, ...(signal && { signal }) }), tensor.dtype)
    if (offsetBytes === 0) firstValues = [...values.subarray(0, FIRST_VALUES)]
    addChunk(totals, values)
  }
  const ordered = totals.min <= totals.max
  return {
    name,
    dtype: tensor.dtype,
    shape: tensor.shape,
    elements: countElements(tensor.shape) ?? 0,
    min: ordered ? totals.min : null,
    max: ordered ? totals.max : null,
    mean: totals.finite > 0 ? totals.mean : null,
    std: totals.finite > 0 ? Math.sqrt(totals.squares / totals.finite) : null,
    nanCount: totals.nans,
    infinityCount: totals.infinities,
    zeroCount: totals.zeros,
    firstValues,
  }
}
