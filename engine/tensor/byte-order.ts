// Big-endian elements to little-endian ones, in place.
import { DTYPE_BITS, type Dtype } from './dtype'

/** Bytes of the unit whose order is swapped: one element, and one half of a complex number. */
export function swapUnitBytes(dtype: Dtype): number {
  return dtype === 'C64' ? 4 : Math.max(1, DTYPE_BITS[dtype] / 8)
}

/** Reverses the bytes of every unit of `unitBytes` in place and returns the same array. */
export function swapByteOrder(bytes: Uint8Array, unitBytes: number): Uint8Array {
  if (unitBytes < 2) return bytes
  for (let start = 0; start + unitBytes <= bytes.length; start += unitBytes) bytes.subarray(start, start + unitBytes).reverse()
  return bytes
}
