// Whether an output head is the embedding: the same place, or the same numbers, as scripts that cast a state dict tensor by tensor leave them.
import type { Checkpoint, TensorInfo } from '../../checkpoint/types'
import type { ConfigReason } from '../types'
import { reason } from './reasons'
import type { Recognised } from './recognise'
import { bodyKey } from './slots'

/** Compared at a time; different heads differ in the first part. */
const PART_BYTES = 4 * 1024 * 1024

async function sameBytes(
  checkpoint: Checkpoint,
  pair: readonly [TensorInfo, TensorInfo],
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const [left, right] = pair
  if (left.dtype !== right.dtype || left.shape.join() !== right.shape.join()) return false
  for (let offsetBytes = 0; offsetBytes < left.sizeBytes; offsetBytes += PART_BYTES) {
    const range = { offsetBytes, sizeBytes: Math.min(PART_BYTES, left.sizeBytes - offsetBytes), ...(signal && { signal }) }
    const [one, other] = [
      await checkpoint.readRange({ ...range, name: left.name }),
      await checkpoint.readRange({ ...range, name: right.name }),
    ]
    if (Buffer.compare(one, other) !== 0) return false
  }
  return true
}

/** Finds out, and says why. */
export async function isHeadTied(
  source: Recognised,
  options: { readonly checkpoint: Checkpoint; readonly signal?: AbortSignal },
): Promise<{ readonly value: boolean; readonly reason: ConfigReason }> {
  const head = source.parts.get(bodyKey('head'))?.tensor
  const embedding = source.parts.get(bodyKey('embedding'))?.tensor
  if (!head || !embedding) return { value: true, reason: reason('tied-head-absent') }
  return (await sameBytes(options.checkpoint, [embedding, head], options.signal))
    ? { value: true, reason: reason('tied-head-equal') }
    : { value: false, reason: reason('head-differs') }
}
