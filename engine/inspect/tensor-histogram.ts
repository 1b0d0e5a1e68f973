// A histogram of one tensor's values, counted chunk by chunk so that its size does not matter.
import type { Checkpoint } from '../checkpoint/types'
import { engineError } from '../errors'
import { decodeFloat64 } from '../tensor/decode'
import type { TensorStatistics } from './tensor-statistics'

/** Bytes read at a time; a multiple of every element size. */
const CHUNK_BYTES = 4 * 1024 * 1024

/** Values further than this from the mean are counted beside the picture: one outlier would squeeze everything else into one bar. */
const SHOWN_DEVIATIONS = 5

/** Counts of finite values in steps of equal width from `from` to `to`; those outside, and infinities, are `below` and `above`. */
export interface TensorHistogram {
  readonly from: number
  readonly to: number
  readonly counts: readonly number[]
  readonly below: number
  readonly above: number
}

/** The range that the bars cover, or null where there is no finite value. */
function shownRange({ min, max, mean, std }: TensorStatistics): { readonly from: number; readonly to: number } | null {
  if (min === null || max === null || mean === null || std === null) return null
  const from = Math.max(min, mean - SHOWN_DEVIATIONS * std)
  const to = Math.min(max, mean + SHOWN_DEVIATIONS * std)
  return Number.isFinite(to - from) ? { from, to } : null
}

/**
 * Reads a tensor whose statistics are known and counts its values in `bins` bars; null where no value is finite.
 * Throws "runtime/aborted" and what reading throws.
 */
export async function tensorHistogram(
  checkpoint: Pick<Checkpoint, 'tensors' | 'readRange'>,
  options: {
    readonly statistics: TensorStatistics
    readonly bins: number
    readonly onBytes?: (doneBytes: number) => void
    readonly signal?: AbortSignal
  },
): Promise<TensorHistogram | null> {
  const { statistics, bins, onBytes = () => undefined, signal } = options
  const { name } = statistics
  const tensor = checkpoint.tensors.get(name)
  if (!tensor) throw engineError('checkpoint/unknown-tensor', { tensor: name, count: checkpoint.tensors.size })
  const range = shownRange(statistics)
  if (!range) return null
  const { from, to } = range
  const scale = to > from ? bins / (to - from) : 0
  const counts = new Float64Array(bins)
  let below = 0
  let above = 0
  for (let offsetBytes = 0; offsetBytes < tensor.sizeBytes; offsetBytes += CHUNK_BYTES) {
    if (signal?.aborted) throw engineError('runtime/aborted', { what: `Inspecting ${name}` })
    const sizeBytes = Math.min(CHUNK_BYTES, tensor.sizeBytes - offsetBytes)
    const values = decodeFloat64(await checkpoint.readRange({ name, offsetBytes, sizeBytes, ...(signal && { signal }) }), tensor.dtype)
    for (const value of values) {
      if (value < from) below++
      else if (value > to) above++
      else if (!Number.isNaN(value)) {
        // The largest value belongs to the last bar, not to one after it.
        const bin = Math.min(bins - 1, Math.floor((value - from) * scale))
        counts[bin] = (counts[bin] ?? 0) + 1
      }
    }
    onBytes(offsetBytes + sizeBytes)
  }
  return { from, to, counts: [...counts], below, above }
}
