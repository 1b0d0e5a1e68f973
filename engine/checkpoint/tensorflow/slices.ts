// Parts of a partitioned variable put together into one tensor. Follows tensorflow/core/util/tensor_bundle/tensor_bundle.cc (BundleReader::GetSliceValue, 2.21).
import { engineError } from '../../errors'
import { countElements } from '../../tensor/shape'
import type { MakeTensor } from '../whole-tensor'
import type { SliceExtent } from './bundle-entry'
import { checkCrc } from './checked-range'
import { crc32c } from './crc32c'

/** Partitioners make one part per parameter server; hundreds at most. Pairs are compared, so this bounds the work too. */
export const MAX_SLICES_PER_TENSOR = 1024
/** All parts of a checkpoint: a hundred variables in a thousand parts each. */
export const MAX_SLICES = 100_000

/** One part: its place in the whole and the bytes it is read from. */
export interface TensorPart {
  readonly starts: readonly number[]
  readonly lengths: readonly number[]
  readonly file: string
  readonly offsetBytes: number
  readonly sizeBytes: number
  /** Masked CRC-32C; null where none is stored. */
  readonly maskedCrc: number | null
}

/** Start and length per dimension, with full dimensions filled in; null where the part leaves the shape. */
export function resolveSlice(
  slice: readonly SliceExtent[],
  shape: readonly number[],
): { readonly starts: readonly number[]; readonly lengths: readonly number[] } | null {
  if (slice.length !== shape.length) return null
  const starts: number[] = []
  const lengths: number[] = []
  for (const [dimension, size] of shape.entries()) {
    const extent = slice[dimension]
    if (!extent) return null
    const length = extent.length ?? size
    const start = extent.start
    if (start < 0 || length < 0 || start + length > size || (extent.length === null && start !== 0)) return null
    starts.push(start)
    lengths.push(length)
  }
  return { starts, lengths }
}

function overlaps(left: TensorPart, right: TensorPart): boolean {
  return left.starts.every((start, dimension) => {
    const otherStart = right.starts[dimension] ?? 0
    return start < otherStart + (right.lengths[dimension] ?? 0) && otherStart < start + (left.lengths[dimension] ?? 0)
  })
}

/** Checks that the parts fill the shape exactly: disjoint, and as many elements as the whole. Throws "checkpoint/tensorflow-slices-incomplete". */
export function checkParts(
  parts: readonly TensorPart[],
  tensor: { readonly path: string; readonly name: string; readonly shape: readonly number[] },
): void {
  const { path, name, shape } = tensor
  const incomplete = (reason: string) => engineError('checkpoint/tensorflow-slices-incomplete', { path, tensor: name, reason })
  const filled = parts.filter((part) => !part.lengths.includes(0))
  for (const [index, part] of filled.entries()) {
    if (filled.slice(0, index).some((other) => overlaps(part, other))) throw incomplete('two parts overlap')
  }
  const elements = filled.reduce((sum, part) => sum + (countElements(part.lengths) ?? Infinity), 0)
  const expected = countElements(shape)
  if (elements !== expected) throw incomplete(`the parts hold ${elements} of ${expected} elements`)
}

/** Copies a packed part into the packed whole, row by row along the last dimension. */
function placePart(
  target: Uint8Array,
  bytes: Uint8Array,
  layout: { readonly part: TensorPart; readonly shape: readonly number[]; readonly elementBytes: number },
): void {
  const { part, shape, elementBytes } = layout
  const last = shape.length - 1
  const rowBytes = (part.lengths[last] ?? 1) * elementBytes
  const strides = shape.map((_, dimension) => shape.slice(dimension + 1).reduce((product, size) => product * size, elementBytes))
  const index = part.starts.map(() => 0)
  for (let from = 0; from < bytes.length; from += rowBytes) {
    let to = 0
    for (let dimension = 0; dimension <= last; dimension++) {
      to += ((part.starts[dimension] ?? 0) + (index[dimension] ?? 0)) * (strides[dimension] ?? 0)
    }
    target.set(bytes.subarray(from, from + rowBytes), to)
    for (let dimension = last - 1; dimension >= 0; dimension--) {
      const next = (index[dimension] ?? 0) + 1
      index[dimension] = next
      if (next < (part.lengths[dimension] ?? 0)) break
      index[dimension] = 0
    }
  }
}

/** Makes the whole tensor of checked parts; `finish` turns its bytes to little-endian where needed. The reader throws "checkpoint/tensorflow-tensor-checksum". */
export function joinParts(
  parts: readonly TensorPart[],
  tensor: {
    readonly name: string
    readonly shape: readonly number[]
    readonly sizeBytes: number
    readonly elementBytes: number
    readonly finish: (bytes: Uint8Array) => Uint8Array
  },
): MakeTensor {
  const { name, shape, sizeBytes, elementBytes, finish } = tensor
  return async ({ open, signal }) => {
    const target = new Uint8Array(sizeBytes)
    for (const part of parts) {
      if (part.sizeBytes === 0) continue
      const file = await open(part.file)
      const bytes = await file.read({ offsetBytes: part.offsetBytes, sizeBytes: part.sizeBytes, ...(signal && { signal }) })
      if (part.maskedCrc !== null) {
        const { offsetBytes, maskedCrc } = part
        checkCrc(crc32c(bytes), { path: part.file, tensor: name, offsetBytes, maskedCrc })
      }
      placePart(target, bytes, { part, shape, elementBytes })
    }
    return finish(target)
  }
}
