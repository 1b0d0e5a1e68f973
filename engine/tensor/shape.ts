// Element counts and byte sizes of tensors, safe against products that leave the exact integers.
import { DTYPE_BITS, type Dtype } from './dtype'

/** NumPy ends at 64 dimensions and PyTorch at 64 in practice; no checkpoint comes near. */
export const MAX_TENSOR_DIMENSIONS = 64

/** Number of elements of a shape (1 for a scalar), or null when the product is above 2^53 - 1. Dimensions are non-negative integers. */
export function countElements(shape: readonly number[]): number | null {
  let count = 1
  for (const dimension of shape) {
    count *= dimension
    if (count > Number.MAX_SAFE_INTEGER) return null
  }
  return count
}

/** Bytes of a packed tensor, or null when they are above 2^53 - 1 or when a sub-byte dtype does not end on a byte. */
export function tensorSizeBytes(dtype: Dtype, shape: readonly number[]): number | null {
  const elements = countElements(shape)
  if (elements === null) return null
  const bits = DTYPE_BITS[dtype]
  if (bits % 8 === 0) {
    const sizeBytes = elements * (bits / 8)
    return sizeBytes > Number.MAX_SAFE_INTEGER ? null : sizeBytes
  }
  const totalBits = elements * bits
  if (totalBits > Number.MAX_SAFE_INTEGER || totalBits % 8 !== 0) return null
  return totalBits / 8
}
