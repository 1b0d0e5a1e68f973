// Writes TensorFlow V2 bundles for tests: correct ones, and ones that are wrong in a chosen place.
import { crc32c, maskCrc } from '../../engine/checkpoint/tensorflow/crc32c'

/** A key and its value, in ascending order of keys. */
export type TableEntry = readonly [key: string | Uint8Array, value: Uint8Array]

/** How a table is written; `restarts` overrides the number announced at the end of the block. */
export interface TableOptions {
  readonly compression?: number
  readonly transform?: (block: Uint8Array) => Uint8Array
  readonly breakChecksum?: boolean
  readonly restarts?: number
  readonly repeatBlock?: number
}

/** An unsigned LEB128 number. */
export function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  do {
    const low = rest % 128
    rest = Math.floor(rest / 128)
    bytes.push(rest > 0 ? low | 128 : low)
  } while (rest > 0)
  return Uint8Array.from(bytes)
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === 'string' ? new TextEncoder().encode(text) : text
}

/** A protobuf field: a number is a varint, bytes and text are length-delimited. */
export function field(number: number, value: number | string | Uint8Array): Uint8Array {
  if (typeof value === 'number') return concat([varint(number * 8), varint(value)])
  const bytes = bytesOf(value)
  return concat([varint(number * 8 + 2), varint(bytes.length), bytes])
}

/** A protobuf field of four bytes. */
function fixed32(number: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return concat([varint(number * 8 + 5), bytes])
}

/** A message of fields. */
export function message(...fields: readonly Uint8Array[]): Uint8Array {
  return concat(fields)
}

function block(entries: readonly TableEntry[], restarts = 1): Uint8Array {
  let previous = new Uint8Array()
  const parts = entries.map(([key, value]) => {
    const bytes = new Uint8Array(bytesOf(key))
    let shared = 0
    while (shared < Math.min(previous.length, bytes.length) && previous[shared] === bytes[shared]) shared++
    previous = bytes
    return concat([varint(shared), varint(bytes.length - shared), varint(value.length), bytes.subarray(shared), value])
  })
  const tail = new Uint8Array(8)
  new DataView(tail.buffer).setUint32(4, restarts, true)
  return concat([...parts, tail])
}

/** A table of one data block. */
export function tableFile(entries: readonly TableEntry[], options: TableOptions = {}): Uint8Array {
  const { compression = 0, transform = (bytes: Uint8Array) => bytes, breakChecksum = false, restarts, repeatBlock = 1 } = options
  const parts: Uint8Array[] = []
  let position = 0
  const add = (content: Uint8Array, kind: number, isBroken: boolean): Uint8Array => {
    const handle = concat([varint(position), varint(content.length)])
    const trailer = new Uint8Array(5)
    trailer[0] = kind
    const crc = maskCrc(crc32c(concat([content, trailer.subarray(0, 1)])))
    new DataView(trailer.buffer).setUint32(1, isBroken ? crc ^ 1 : crc, true)
    parts.push(content, trailer)
    position += content.length + 5
    return handle
  }
  const data = add(transform(block(entries, restarts)), compression, breakChecksum)
  const metaindex = add(block([]), 0, false)
  const index = add(block(Array.from({ length: repeatBlock }, (_, number): TableEntry => [`\x7f${number}`, data])), 0, false)
  const footer = new Uint8Array(48)
  footer.set(concat([metaindex, index]))
  new DataView(footer.buffer).setBigUint64(40, 0xdb4775248b80fb57n, true)
  return concat([...parts, footer])
}

/** The header entry. */
export function bundleHeader(options: { readonly shards?: number; readonly bigEndian?: boolean } = {}): TableEntry {
  return ['', message(field(1, options.shards ?? 1), ...(options.bigEndian ? [field(2, 1)] : []))]
}

/** A TensorShapeProto. */
function shapeProto(shape: readonly number[]): Uint8Array {
  return message(...shape.map((size) => field(2, field(1, size))))
}

/** A BundleEntryProto; slices are lists of [start, length] or null for a full dimension. */
export function bundleEntry(entry: {
  readonly dtype?: number
  readonly shape: readonly number[]
  readonly shard?: number
  readonly offset?: number
  readonly size?: number
  /** The bytes whose checksum is stored; none is where they are left out. */
  readonly crcOf?: Uint8Array
  readonly slices?: readonly (readonly (readonly [number, number] | null)[])[]
}): Uint8Array {
  const { dtype = 1, shape, shard = 0, offset = 0, size = 0, crcOf, slices = [] } = entry
  const extents = slices.map((slice) =>
    field(
      7,
      message(...slice.map((extent) => field(1, extent === null ? new Uint8Array() : message(field(1, extent[0]), field(2, extent[1]))))),
    ),
  )
  return message(
    field(1, dtype),
    field(2, shapeProto(shape)),
    field(3, shard),
    field(4, offset),
    field(5, size),
    ...(crcOf ? [fixed32(6, maskCrc(crc32c(crcOf)))] : []),
    ...extents,
  )
}
