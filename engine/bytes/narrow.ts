// The one place where a 64-bit integer of a file becomes a JavaScript number.
import { engineError } from '../errors'

/** Narrows a u64 of a file to a number that is exact; throws "bytes/number-too-large" above `max` (at most 2^53 - 1). */
export function narrowU64(value: bigint, options: { readonly what: string; readonly max?: number }): number {
  const max = options.max ?? Number.MAX_SAFE_INTEGER
  if (value < 0n || value > BigInt(max)) throw engineError('bytes/number-too-large', { what: options.what, value: value.toString(), max })
  return Number(value)
}
