// Entries of a V2 bundle: header and tensor descriptions. Follows tensorflow/core/protobuf/tensor_bundle.proto and framework/{tensor_shape,tensor_slice,types}.proto (2.21).
import { protoInt, readProtoFields } from '../../bytes/protobuf'
import type { Dtype } from '../../tensor/dtype'

/** What the key "" holds: how many data files there are and in which byte order. */
export interface BundleHeader {
  readonly shardCount: number
  readonly bigEndian: boolean
}

/** A part of a partitioned variable per dimension; `length` is null where the part spans the dimension. */
export interface SliceExtent {
  readonly start: number
  readonly length: number | null
}

/** Where a tensor lies; with `slices` it has no data of its own but is made of parts under keys of their own. */
export interface BundleEntry {
  readonly dtypeNumber: number
  readonly shape: readonly number[]
  readonly unknownRank: boolean
  readonly shard: number
  readonly offsetBytes: number
  readonly sizeBytes: number
  /** Masked CRC-32C of the bytes; null where none is stored. */
  readonly maskedCrc: number | null
  readonly slices: readonly (readonly SliceExtent[])[]
}

/** DataType numbers with a dtype of the same bytes; quantized integers keep their codes. */
export const TENSORFLOW_DTYPES: ReadonlyMap<number, Dtype> = new Map<number, Dtype>([
  [1, 'F32'],
  [2, 'F64'],
  [3, 'I32'],
  [4, 'U8'],
  [5, 'I16'],
  [6, 'I8'],
  [8, 'C64'],
  [9, 'I64'],
  [10, 'BOOL'],
  [11, 'I8'],
  [12, 'U8'],
  [13, 'I32'],
  [14, 'BF16'],
  [15, 'I16'],
  [16, 'U16'],
  [17, 'U16'],
  [19, 'F16'],
  [22, 'U32'],
  [23, 'U64'],
  [24, 'F8_E5M2'],
  [25, 'F8_E4M3'],
  [26, 'F8_E4M3FNUZ'],
  [28, 'F8_E5M2FNUZ'],
])

/** Names of the DataType numbers that are left out, for notes. */
export const TENSORFLOW_OTHER_DTYPES: ReadonlyMap<number, string> = new Map([
  [7, 'string'],
  [18, 'complex128'],
  [20, 'resource'],
  [21, 'variant'],
  [27, 'float8_e4m3b11fnuz'],
  [29, 'int4'],
  [30, 'uint4'],
])

/** Reads the header entry. Throws "bytes/protobuf-malformed". */
export function readBundleHeader(bytes: Uint8Array, what: string): BundleHeader {
  let shardCount = 0
  let bigEndian = false
  for (const field of readProtoFields(bytes, { what, maxFields: 1000 })) {
    if (field.wire !== 'varint') continue
    if (field.number === 1) shardCount = protoInt(field.value)
    if (field.number === 2) bigEndian = field.value === 1n
  }
  return { shardCount, bigEndian }
}

/** A message of up to two integers under the numbers 1 and 2. */
function readPair(bytes: Uint8Array, what: string): { readonly first: number | null; readonly second: number | null } {
  let first: number | null = null
  let second: number | null = null
  for (const field of readProtoFields(bytes, { what, maxFields: 1000 })) {
    if (field.wire !== 'varint') continue
    if (field.number === 1) first = protoInt(field.value)
    if (field.number === 2) second = protoInt(field.value)
  }
  return { first, second }
}

function readShape(bytes: Uint8Array, what: string): { readonly shape: readonly number[]; readonly unknownRank: boolean } {
  const shape: number[] = []
  let unknownRank = false
  for (const field of readProtoFields(bytes, { what, maxFields: 1000 })) {
    // proto3 leaves out a size of zero.
    if (field.number === 2 && field.wire === 'bytes') shape.push(readPair(field.bytes, what).first ?? 0)
    if (field.number === 3 && field.wire === 'varint') unknownRank = field.value !== 0n
  }
  return { shape, unknownRank }
}

function readSlice(bytes: Uint8Array, what: string): readonly SliceExtent[] {
  const extents: SliceExtent[] = []
  for (const field of readProtoFields(bytes, { what, maxFields: 1000 })) {
    if (field.number !== 1 || field.wire !== 'bytes') continue
    const { first, second } = readPair(field.bytes, what)
    extents.push({ start: first ?? 0, length: second })
  }
  return extents
}

/** Reads a tensor's entry; numbers are not judged yet. Throws "bytes/protobuf-malformed". */
export function readBundleEntry(bytes: Uint8Array, options: { readonly what: string; readonly maxSlices: number }): BundleEntry {
  const { what, maxSlices } = options
  let dtypeNumber = 0
  let shape: { readonly shape: readonly number[]; readonly unknownRank: boolean } = { shape: [], unknownRank: false }
  let shard = 0
  let offsetBytes = 0
  let sizeBytes = 0
  let maskedCrc: number | null = null
  const slices: (readonly SliceExtent[])[] = []
  for (const field of readProtoFields(bytes, { what, maxFields: maxSlices + 64 })) {
    if (field.wire === 'varint') {
      const value = protoInt(field.value)
      if (field.number === 1) dtypeNumber = value
      if (field.number === 3) shard = value
      if (field.number === 4) offsetBytes = value
      if (field.number === 5) sizeBytes = value
    } else if (field.wire === 'fixed32') {
      if (field.number === 6) maskedCrc = new DataView(field.bytes.buffer, field.bytes.byteOffset).getUint32(0, true)
    } else if (field.wire === 'bytes') {
      if (field.number === 2) shape = readShape(field.bytes, what)
      if (field.number === 7) slices.push(readSlice(field.bytes, what))
    }
  }
  return { dtypeNumber, ...shape, shard, offsetBytes, sizeBytes, maskedCrc, slices }
}
