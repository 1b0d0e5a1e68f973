// The header of a .npy file: magic, version, a Python dictionary. Follows numpy/lib/format.py (NumPy 2.4), versions 1.0 to 3.0.
import { engineError, type EngineError } from '../../errors'
import type { Dtype } from '../../tensor/dtype'
import { MAX_TENSOR_DIMENSIONS, tensorSizeBytes } from '../../tensor/shape'

/** NumPy itself refuses headers above 10,000 bytes unless told otherwise; only records with many fields are longer. */
export const MAX_HEADER_BYTES = 64 * 1024
/** Magic, version and the longer form of the header's length. */
export const PREAMBLE_BYTES = 12

/** An array as its header describes it; `dtype` is null where its values are no numbers with a name here, `typeName` says what they are. */
export interface NumpyArray {
  readonly dtype: Dtype | null
  readonly typeName: string
  readonly bigEndian: boolean
  readonly fortranOrder: boolean
  readonly shape: readonly number[]
  /** Bytes from the start to the data. */
  readonly headerBytes: number
  readonly sizeBytes: number
}

/** Kind and size of a type string. V2 is what NumPy and MLX write for bfloat16, which NumPy does not know. */
const DTYPES: Readonly<Record<string, Dtype>> = {
  b1: 'BOOL',
  i1: 'I8',
  i2: 'I16',
  i4: 'I32',
  i8: 'I64',
  u1: 'U8',
  u2: 'U16',
  u4: 'U32',
  u8: 'U64',
  f2: 'F16',
  f4: 'F32',
  f8: 'F64',
  c8: 'C64',
  V2: 'BF16',
}

/** Names the array in messages: the file, and the entry inside it. */
export interface NumpyPlace {
  readonly path: string
  readonly name: string
}

function malformed(place: NumpyPlace, reason: string): EngineError {
  return engineError('checkpoint/numpy-malformed', { path: place.path, tensor: place.name, reason })
}

/** Size of the dictionary and where it starts, from the first bytes of a file. Throws "checkpoint/numpy-malformed", "checkpoint/numpy-header-too-large". */
export function readPreamble(
  bytes: Uint8Array,
  place: NumpyPlace,
): { readonly startBytes: number; readonly lengthBytes: number; readonly version: number } {
  if (bytes.length < 10 || new TextDecoder('latin1').decode(bytes.subarray(0, 6)) !== '\x93NUMPY')
    throw malformed(place, 'it has no NumPy magic')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = view.getUint8(6)
  if (version < 1 || version > 3) throw malformed(place, `format version ${version} is unknown`)
  if (version > 1 && bytes.length < PREAMBLE_BYTES) throw malformed(place, 'its header is cut off')
  const lengthBytes = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (lengthBytes > MAX_HEADER_BYTES)
    throw engineError('checkpoint/numpy-header-too-large', { ...naming(place), headerBytes: lengthBytes, maxBytes: MAX_HEADER_BYTES })
  return { startBytes: version === 1 ? 10 : 12, lengthBytes, version }
}

function naming({ path, name }: NumpyPlace): { readonly path: string; readonly tensor: string } {
  return { path, tensor: name }
}

interface Fields {
  readonly descr?: string
  readonly record: boolean
  readonly fortranOrder?: boolean
  readonly shape?: readonly number[]
}

/** One "key: value" of the dictionary; a bracket starts the field list of a record, which is not read further. */
const FIELD = /\s*(['"])(\w+)\1\s*:\s*(?:(['"])([^'"]*)\3|(True|False)|\(([\d\sL,]*)\)|(\[))\s*(?:,|(?=\}))/y

function parseFields(text: string, place: NumpyPlace): Fields {
  const trimmed = text.trim()
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) throw malformed(place, 'its header is not a dictionary')
  const fields: { descr?: string; record: boolean; fortranOrder?: boolean; shape?: readonly number[] } = { record: false }
  const seen = new Set<string>()
  if (/(['"])descr\1\s*:\s*\[/.test(trimmed)) return { record: true }
  FIELD.lastIndex = 1
  while (FIELD.lastIndex < trimmed.length - 1) {
    const match = FIELD.exec(trimmed)
    if (!match) break
    const [, , key = '', , text_, truth, list] = match
    if (seen.has(key)) throw malformed(place, `its header has the key ${key} twice`)
    seen.add(key)
    if (key === 'descr' && text_ !== undefined) fields.descr = text_
    else if (key === 'fortran_order' && truth !== undefined) fields.fortranOrder = truth === 'True'
    else if (key === 'shape' && list !== undefined) fields.shape = parseShape(list, place)
    else throw malformed(place, `its header has an unexpected field ${key.slice(0, 40)}`)
    if (/^\s*\}$/.test(trimmed.slice(FIELD.lastIndex))) return fields
  }
  throw malformed(place, 'its header cannot be read')
}

/** A tuple of whole numbers; Python 2 marked long ones with L. */
function parseShape(text: string, place: NumpyPlace): readonly number[] {
  const parts = text.split(',').map((part) => part.trim())
  if (parts.at(-1) === '') parts.pop()
  if (parts.length > MAX_TENSOR_DIMENSIONS)
    throw malformed(place, `it has ${parts.length} dimensions; at most ${MAX_TENSOR_DIMENSIONS} are read`)
  return parts.map((part) => {
    const size = /^\d+L?$/.test(part) ? Number(part.replace('L', '')) : NaN
    if (!Number.isSafeInteger(size)) throw malformed(place, `its shape is (${text.slice(0, 80)})`)
    return size
  })
}

/**
 * Reads the dictionary that follows the preamble. Throws "checkpoint/numpy-malformed", "checkpoint/numpy-object-array" (a pickle), "checkpoint/numpy-record-array", "checkpoint/shape-overflow".
 */
export function parseHeader(
  dictionary: Uint8Array,
  header: { readonly headerBytes: number; readonly version: number; readonly place: NumpyPlace },
): NumpyArray {
  const { headerBytes, version, place } = header
  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(dictionary)
  const fields = parseFields(text, place)
  if (fields.record) throw engineError('checkpoint/numpy-record-array', naming(place))
  const { descr, fortranOrder, shape } = fields
  if (descr === undefined || fortranOrder === undefined || shape === undefined) throw malformed(place, 'its header lacks a field')
  const type = /^([<>|=]?)([a-zA-Z])(\d{0,4})(\[[^\]]*\])?$/.exec(descr)
  if (!type) throw malformed(place, `its type is "${descr.slice(0, 40)}"`)
  const [, order = '', kind = '', width = ''] = type
  if (kind === 'O') throw engineError('checkpoint/numpy-object-array', naming(place))
  const dtype = DTYPES[`${kind}${width}`] ?? null
  const sizeBytes = dtype && tensorSizeBytes(dtype, shape)
  if (dtype && sizeBytes === null) throw engineError('checkpoint/shape-overflow', { path: place.path, tensor: place.name, shape })
  return { dtype, typeName: descr, bigEndian: order === '>', fortranOrder, shape, headerBytes, sizeBytes: sizeBytes ?? 0 }
}
