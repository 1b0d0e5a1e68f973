// Metadata values of GGUF: their types, and how one is read. Follows the GGUF specification (ggml, docs/gguf.md), version 3.
import { engineError } from '../../errors'
import type { HeaderBytes } from './header-bytes'
import { MAX_ARRAY_DEPTH, MAX_ARRAY_ELEMENTS, MAX_STRING_BYTES } from './limits'

/** Names of the value types by their number in the file. */
const VALUE_TYPES = ['u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32', 'bool', 'string', 'array', 'u64', 'i64', 'f64'] as const

/** The type of a metadata value. */
type GgufValueType = (typeof VALUE_TYPES)[number]

/** Types whose values have a fixed size. */
export type GgufScalarType = Exclude<GgufValueType, 'string' | 'array'>

/** An array that stays in the file: `count` elements in `sizeBytes` bytes from `offsetBytes` on. readGgufArray gives them. */
export interface GgufArray {
  readonly type: 'array'
  readonly elementType: GgufValueType
  readonly count: number
  /** The first elements, for display; strings are cut. Empty for arrays of arrays. */
  readonly preview: readonly GgufScalar[]
  readonly file: string
  readonly littleEndian: boolean
  readonly offsetBytes: number
  readonly sizeBytes: number
}

/** A scalar as JavaScript holds it exactly. */
export type GgufScalar = number | bigint | boolean | string

/** One metadata value with the type that the file gives it. */
export type GgufValue =
  | { readonly type: Exclude<GgufScalarType, 'bool' | 'u64' | 'i64'>; readonly value: number }
  | { readonly type: 'u64' | 'i64'; readonly value: bigint }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | GgufArray

/** Bytes of one value of a type with fixed size. */
export const SCALAR_BYTES = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  bool: 1,
  u64: 8,
  i64: 8,
  f64: 8,
} as const satisfies Record<GgufScalarType, number>

/** Reads the scalar at `offset`. */
export function readScalar(
  view: DataView,
  place: { readonly type: GgufScalarType; readonly offset: number; readonly littleEndian: boolean },
): number | bigint | boolean {
  const { type, offset, littleEndian } = place
  switch (type) {
    case 'u8':
      return view.getUint8(offset)
    case 'i8':
      return view.getInt8(offset)
    case 'u16':
      return view.getUint16(offset, littleEndian)
    case 'i16':
      return view.getInt16(offset, littleEndian)
    case 'u32':
      return view.getUint32(offset, littleEndian)
    case 'i32':
      return view.getInt32(offset, littleEndian)
    case 'f32':
      return view.getFloat32(offset, littleEndian)
    case 'bool':
      return view.getUint8(offset) !== 0
    case 'u64':
      return view.getBigUint64(offset, littleEndian)
    case 'i64':
      return view.getBigInt64(offset, littleEndian)
    case 'f64':
      return view.getFloat64(offset, littleEndian)
  }
}

/** Metadata text that is not UTF-8 keeps its place with U+FFFD: tokens of real vocabularies are cut in the middle of a character. */
const text = new TextDecoder('utf-8', { ignoreBOM: true })

/** The text of a string's bytes. */
export function ggufText(view: DataView): string {
  return text.decode(view)
}

async function readType(bytes: HeaderBytes, key: string): Promise<GgufValueType> {
  const number = (await bytes.view(4, `The type of ${key}`)).getUint32(0, bytes.littleEndian)
  const type = VALUE_TYPES[number]
  if (type === undefined) throw engineError('checkpoint/gguf-unknown-value-type', { path: bytes.path, key, type: number })
  return type
}

async function readLength(bytes: HeaderBytes, what: string): Promise<bigint> {
  return (await bytes.view(8, what)).getBigUint64(0, bytes.littleEndian)
}

/** Reads a string of at most `maxBytes` bytes. Throws "checkpoint/gguf-string-too-long". */
export async function readStringBytes(
  bytes: HeaderBytes,
  options: { readonly what: string; readonly maxBytes: number },
): Promise<DataView> {
  const { what, maxBytes } = options
  const length = await readLength(bytes, what)
  if (length > BigInt(maxBytes))
    throw engineError('checkpoint/gguf-string-too-long', { path: bytes.path, what, sizeBytes: length.toString(), maxBytes })
  return bytes.view(Number(length), what)
}

/** Enough to recognise a list by. */
const PREVIEW_ELEMENTS = 8
const PREVIEW_CHARACTERS = 64

/** Reads the first elements of an array. */
async function readPreview(
  bytes: HeaderBytes,
  array: { readonly key: string; readonly elementType: GgufScalarType | 'string'; readonly count: number },
): Promise<readonly GgufScalar[]> {
  const { key, elementType, count } = array
  const preview: GgufScalar[] = []
  for (let index = 0; index < Math.min(count, PREVIEW_ELEMENTS); index++) {
    if (elementType === 'string') {
      const what = `A string of ${key}`
      preview.push(ggufText(await readStringBytes(bytes, { what, maxBytes: MAX_STRING_BYTES })).slice(0, PREVIEW_CHARACTERS))
    } else {
      const view = await bytes.view(SCALAR_BYTES[elementType], key)
      preview.push(readScalar(view, { type: elementType, offset: 0, littleEndian: bytes.littleEndian }))
    }
  }
  return preview
}

/** Walks over the elements of an array, keeping only the first few. */
async function skipArray(
  bytes: HeaderBytes,
  place: { readonly key: string; readonly depth: number },
): Promise<Pick<GgufArray, 'elementType' | 'count' | 'preview' | 'offsetBytes'>> {
  const { key, depth } = place
  const path = bytes.path
  if (depth > MAX_ARRAY_DEPTH) throw engineError('checkpoint/gguf-array-too-deep', { path, key, maxDepth: MAX_ARRAY_DEPTH })
  bytes.countArray()
  const elementType = await readType(bytes, key)
  const length = await readLength(bytes, `The length of ${key}`)
  if (length > BigInt(MAX_ARRAY_ELEMENTS))
    throw engineError('checkpoint/gguf-too-many', { path, what: `elements in ${key}`, found: length.toString(), max: MAX_ARRAY_ELEMENTS })
  const count = Number(length)
  const offsetBytes = bytes.positionBytes()
  if (elementType === 'array') {
    for (let index = 0; index < count; index++) await skipArray(bytes, { key, depth: depth + 1 })
    return { elementType, count, preview: [], offsetBytes }
  }
  const preview = await readPreview(bytes, { key, elementType, count })
  const left = count - preview.length
  if (elementType !== 'string') {
    bytes.skip(left * SCALAR_BYTES[elementType], key)
    return { elementType, count, preview, offsetBytes }
  }
  const tooLong = await bytes.skipStrings({ count: left, maxBytes: MAX_STRING_BYTES }, key)
  if (tooLong === null) return { elementType, count, preview, offsetBytes }
  const what = `A string of ${key}`
  throw engineError('checkpoint/gguf-string-too-long', { path, what, sizeBytes: tooLong.toString(), maxBytes: MAX_STRING_BYTES })
}

/** Reads the type and the value of `key`; an array's elements stay in the file. Throws one "checkpoint/gguf-..." code per rule that is broken. */
export async function readValue(bytes: HeaderBytes, key: string): Promise<GgufValue> {
  const type = await readType(bytes, key)
  if (type === 'string')
    return { type, value: ggufText(await readStringBytes(bytes, { what: `The value of ${key}`, maxBytes: MAX_STRING_BYTES })) }
  if (type === 'array') {
    const array = await skipArray(bytes, { key, depth: 1 })
    const sizeBytes = bytes.positionBytes() - array.offsetBytes
    return { type, ...array, sizeBytes, file: bytes.path, littleEndian: bytes.littleEndian }
  }
  const view = await bytes.view(SCALAR_BYTES[type], `The value of ${key}`)
  const { littleEndian } = bytes
  if (type === 'u64') return { type, value: view.getBigUint64(0, littleEndian) }
  if (type === 'i64') return { type, value: view.getBigInt64(0, littleEndian) }
  if (type === 'bool') return { type, value: view.getUint8(0) !== 0 }
  return { type, value: Number(readScalar(view, { type, offset: 0, littleEndian })) }
}
