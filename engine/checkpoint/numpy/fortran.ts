// Arrays stored column by column, put into row-major order.

type Elements = Uint8Array | Uint16Array | Uint32Array | BigUint64Array

function viewOf(bytes: Uint8Array, elementBytes: number): Elements {
  const { buffer, byteOffset, byteLength } = bytes
  const length = byteLength / elementBytes
  if (elementBytes === 8) return new BigUint64Array(buffer, byteOffset, length)
  if (elementBytes === 4) return new Uint32Array(buffer, byteOffset, length)
  return elementBytes === 2 ? new Uint16Array(buffer, byteOffset, length) : new Uint8Array(buffer, byteOffset, length)
}

/** Fills `target` (row-major) from `source` (column-major): the last dimension runs fastest in the one, the first in the other. */
function gather<E extends Elements>(target: E, source: E, shape: readonly number[]): void {
  const strides: number[] = []
  let stride = 1
  for (const size of shape) {
    strides.push(stride)
    stride *= size
  }
  const last = shape.length - 1
  const rowLength = shape[last] ?? 1
  const rowStride = strides[last] ?? 1
  const index = shape.map(() => 0)
  let from = 0
  for (let to = 0; to < target.length; to += rowLength) {
    for (let column = 0; column < rowLength; column++) {
      const value = source[from + column * rowStride]
      if (value !== undefined) target[to + column] = value
    }
    for (let dimension = last - 1; dimension >= 0; dimension--) {
      from += strides[dimension] ?? 0
      const next = (index[dimension] ?? 0) + 1
      index[dimension] = next
      if (next < (shape[dimension] ?? 0)) break
      from -= next * (strides[dimension] ?? 0)
      index[dimension] = 0
    }
  }
}

/** Returns the elements of a column-major array in row-major order. `bytes` starts on a multiple of the element size in its buffer. */
export function rowMajor(bytes: Uint8Array, array: { readonly shape: readonly number[]; readonly elementBytes: number }): Uint8Array {
  const target = new Uint8Array(bytes.length)
  if (bytes.length === 0) return target
  gather(viewOf(target, array.elementBytes), viewOf(bytes, array.elementBytes), array.shape)
  return target
}
