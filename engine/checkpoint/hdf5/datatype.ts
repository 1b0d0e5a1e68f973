// Datatype and dataspace messages (IV.A.2.b, IV.A.2.d).
import type { Dtype } from '../../tensor/dtype'
import type { Hdf5Cursor, Hdf5Source } from './source'

/** What a datatype means here. `dimensions` are those of an array type, which follow the dataset's own. */
export type Hdf5Type =
  | {
      readonly kind: 'number'
      readonly dtype: Dtype
      readonly bigEndian: boolean
      readonly sizeBytes: number
      readonly dimensions: readonly number[]
    }
  | { readonly kind: 'string'; readonly sizeBytes: number }
  | { readonly kind: 'variable-string'; readonly sizeBytes: number }
  | { readonly kind: 'opaque'; readonly sizeBytes: number }
  | { readonly kind: 'other'; readonly name: string; readonly sizeBytes: number }

const CLASS_NAMES = [
  'integer',
  'float',
  'time',
  'string',
  'bit field',
  'opaque',
  'compound',
  'reference',
  'enumeration',
  'variable-length',
  'array',
]

/** Types nest: arrays, enumerations and compounds hold others. */
const MAX_TYPE_DEPTH = 8
/** HDF5 itself ends at 32 dimensions (H5S_MAX_RANK). */
const MAX_RANK = 32

const INTEGERS: Readonly<Record<string, Dtype>> = {
  '1s': 'I8',
  '1u': 'U8',
  '2s': 'I16',
  '2u': 'U16',
  '4s': 'I32',
  '4u': 'U32',
  '8s': 'I64',
  '8u': 'U64',
}

/** Floats by size, exponent bits, mantissa bits and bias. */
const FLOATS: Readonly<Record<string, Dtype>> = {
  '2/5/10/15': 'F16',
  '2/8/7/127': 'BF16',
  '4/8/23/127': 'F32',
  '8/11/52/1023': 'F64',
  '1/4/3/7': 'F8_E4M3',
  '1/5/2/15': 'F8_E5M2',
}

interface TypeHead {
  readonly version: number
  readonly bits: number
  readonly sizeBytes: number
}

function readFloat(cursor: Hdf5Cursor, { bits, sizeBytes }: TypeHead): Hdf5Type {
  const bitOffset = cursor.u16()
  const precision = cursor.u16()
  cursor.skip(1)
  const exponentBits = cursor.u8()
  cursor.skip(1)
  const mantissaBits = cursor.u8()
  const bias = cursor.u32()
  const dtype = FLOATS[`${sizeBytes}/${exponentBits}/${mantissaBits}/${bias}`]
  // Bit 6 together with bit 0 is the VAX order.
  const whole = bitOffset === 0 && precision === sizeBytes * 8 && (bits & 0x40) === 0
  if (!dtype || !whole) return { kind: 'other', name: `float of ${precision} bits`, sizeBytes }
  return { kind: 'number', dtype, bigEndian: (bits & 1) === 1, sizeBytes, dimensions: [] }
}

function readInteger(cursor: Hdf5Cursor, { bits, sizeBytes }: TypeHead): Hdf5Type {
  const bitOffset = cursor.u16()
  const precision = cursor.u16()
  const dtype = INTEGERS[`${sizeBytes}${bits & 8 ? 's' : 'u'}`]
  if (!dtype || bitOffset !== 0 || precision !== sizeBytes * 8) return { kind: 'other', name: `integer of ${precision} bits`, sizeBytes }
  return { kind: 'number', dtype, bigEndian: (bits & 1) === 1, sizeBytes, dimensions: [] }
}

/** A name that ends with NUL; before version 3 it is padded to a multiple of eight. */
function readName(cursor: Hdf5Cursor, version: number): string {
  const codes: number[] = []
  for (let code = cursor.u8(); code !== 0; code = cursor.u8()) codes.push(code)
  const padding = version < 3 ? (8 - ((codes.length + 1) % 8)) % 8 : 0
  cursor.skip(padding)
  return new TextDecoder().decode(Uint8Array.from(codes))
}

/** Enumerations are their integers, except the one that h5py writes for bool. */
function readEnumeration(source: Hdf5Source, cursor: Hdf5Cursor, head: TypeHead & { readonly depth: number }): Hdf5Type {
  const base = readType(source, cursor, head.depth + 1)
  if (base.kind !== 'number' || base.sizeBytes !== head.sizeBytes) return { kind: 'other', name: 'enumeration', sizeBytes: head.sizeBytes }
  const names: string[] = []
  for (let index = 0; index < (head.bits & 0xffff); index++) names.push(readName(cursor, head.version))
  const values = names.map(() => cursor.uint(base.sizeBytes))
  const isBool = base.sizeBytes === 1 && names.join() === 'FALSE,TRUE' && values.join() === '0,1'
  return isBool ? { ...base, dtype: 'BOOL' } : base
}

/** Two floats side by side are a complex number, as h5py writes it; every other compound is a record. */
function readCompound(source: Hdf5Source, cursor: Hdf5Cursor, head: TypeHead & { readonly depth: number }): Hdf5Type {
  const other: Hdf5Type = { kind: 'other', name: 'compound', sizeBytes: head.sizeBytes }
  if ((head.bits & 0xffff) !== 2 || head.sizeBytes !== 8) return other
  const members: { readonly name: string; readonly offset: number; readonly type: Hdf5Type }[] = []
  for (let index = 0; index < 2; index++) {
    const name = readName(cursor, head.version)
    const offset = head.version < 3 ? cursor.u32() : cursor.u8()
    if (head.version === 1) cursor.skip(28)
    members.push({ name, offset, type: readType(source, cursor, head.depth + 1) })
  }
  const [real, imaginary] = members
  const isComplex = real?.name === 'r' && imaginary?.name === 'i' && real.offset === 0 && imaginary.offset === 4
  const parts = [real?.type, imaginary?.type].filter((type) => type?.kind === 'number')
  const [first, second] = parts
  if (!isComplex || first?.dtype !== 'F32' || second?.dtype !== 'F32' || first.bigEndian !== second.bigEndian) return other
  return { ...first, dtype: 'C64', sizeBytes: 8 }
}

function readArray(source: Hdf5Source, cursor: Hdf5Cursor, head: TypeHead & { readonly depth: number }): Hdf5Type {
  const rank = cursor.u8()
  if (rank > MAX_RANK) throw source.malformed(0, `an array type has ${rank} dimensions`)
  if (head.version < 3) cursor.skip(3)
  const dimensions = Array.from({ length: rank }, () => cursor.u32())
  if (head.version < 3) cursor.skip(4 * rank)
  const base = readType(source, cursor, head.depth + 1)
  if (base.kind !== 'number') return { kind: 'other', name: 'array', sizeBytes: head.sizeBytes }
  const all = [...dimensions, ...base.dimensions]
  if (dimensions.reduce((product, size) => product * size, base.sizeBytes) !== head.sizeBytes)
    throw source.malformed(0, 'an array type does not have the size of its elements')
  return { ...base, sizeBytes: head.sizeBytes, dimensions: all }
}

/** Reads a datatype and leaves the cursor behind it. Throws "checkpoint/hdf5-malformed", "bytes/out-of-range". */
export function readType(source: Hdf5Source, cursor: Hdf5Cursor, depth = 0): Hdf5Type {
  if (depth > MAX_TYPE_DEPTH) throw source.malformed(0, `datatypes nest deeper than ${MAX_TYPE_DEPTH}`)
  const classAndVersion = cursor.u8()
  const typeClass = classAndVersion & 15
  const version = classAndVersion >> 4
  const bits = cursor.uint(3)
  const sizeBytes = cursor.u32()
  if (version < 1 || version > 5 || sizeBytes === 0) throw source.malformed(0, `a datatype has version ${version} and ${sizeBytes} bytes`)
  const head = { version, bits, sizeBytes, depth }
  if (typeClass === 0) return readInteger(cursor, head)
  if (typeClass === 1) return readFloat(cursor, head)
  if (typeClass === 3) return { kind: 'string', sizeBytes }
  if (typeClass === 5) return { kind: 'opaque', sizeBytes }
  if (typeClass === 6) return readCompound(source, cursor, head)
  if (typeClass === 8) return readEnumeration(source, cursor, head)
  if (typeClass === 9 && (bits & 15) === 1) return { kind: 'variable-string', sizeBytes }
  if (typeClass === 10) return readArray(source, cursor, head)
  return { kind: 'other', name: CLASS_NAMES[typeClass] ?? `class ${typeClass}`, sizeBytes }
}

/** Reads a dataspace: its dimensions, [] for a scalar, null for "no data at all". */
export function readDataspace(source: Hdf5Source, cursor: Hdf5Cursor): readonly number[] | null {
  const version = cursor.u8()
  const rank = cursor.u8()
  cursor.skip(1)
  if (version !== 1 && version !== 2) throw source.malformed(0, `a dataspace has the unknown version ${version}`)
  if (rank > MAX_RANK) throw source.malformed(0, `a dataspace has ${rank} dimensions; at most ${MAX_RANK} are possible`)
  if (version === 1) cursor.skip(5)
  else if (cursor.u8() === 2) return null
  return Array.from({ length: rank }, () => cursor.size())
}
