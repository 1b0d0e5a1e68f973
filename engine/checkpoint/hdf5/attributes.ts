// Attributes of groups and datasets: texts and small numbers (IV.A.2.m).
import { decodeFloat64 } from '../../tensor/decode'
import { countElements } from '../../tensor/shape'
import { swapByteOrder, swapUnitBytes } from '../../tensor/byte-order'
import { treeRecords } from './btree-v2'
import { readDataspace, readType, type Hdf5Type } from './datatype'
import { openFractalHeap } from './fractal-heap'
import { MESSAGE, type HeaderMessage } from './object-header'
import type { Hdf5Source } from './source'

/** A model_config of a large model has some 1 MB; longer values are left out. */
const MAX_ATTRIBUTE_BYTES = 8 * 1024 * 1024
/** Elements of one attribute: lists of layer and weight names. */
const MAX_ELEMENTS = 100_000

/** An attribute's name and its value as text; lists and numbers are JSON. Null for values of other kinds. */
export interface Hdf5Attribute {
  readonly name: string
  readonly value: string | null
}

function decodeText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
}

/** A string in a global heap (III.E): the collection is searched for its number. */
async function readGlobalHeapObject(source: Hdf5Source, address: number, number: number): Promise<Uint8Array> {
  const headBytes = 8 + source.lengthBytes
  const head = source.cursor(await source.read(address, headBytes), address)
  head.signature('GCOL')
  head.skip(4)
  const end = address + head.size()
  let position = address + headBytes
  while (position + 8 + source.lengthBytes <= end) {
    const object = source.cursor(await source.read(position, headBytes), position)
    const index = object.u16()
    object.skip(6)
    const sizeBytes = object.size()
    const start = position + headBytes
    if (index === number) return source.read(start, Math.min(sizeBytes, MAX_ATTRIBUTE_BYTES))
    // Number 0 is the free space at the end.
    if (index === 0) break
    position = start + Math.ceil(sizeBytes / 8) * 8
  }
  throw source.malformed(address, `a collection does not hold string ${number}`)
}

async function readVariableStrings(source: Hdf5Source, data: Uint8Array, count: number): Promise<readonly string[]> {
  const cursor = source.cursor(data, 0)
  const texts: string[] = []
  for (let index = 0; index < count; index++) {
    const length = cursor.u32()
    const address = cursor.address()
    const number = cursor.u32()
    const isEmpty = length === 0 || address === null || address === 0
    texts.push(isEmpty ? '' : decodeText((await readGlobalHeapObject(source, address, number)).subarray(0, length)))
  }
  return texts
}

function listText(values: readonly (string | number)[], shape: readonly number[]): string {
  const [only] = values
  return shape.length === 0 && only !== undefined ? String(only) : JSON.stringify(values)
}

async function readValue(
  source: Hdf5Source,
  data: Uint8Array,
  value: { readonly type: Hdf5Type; readonly shape: readonly number[] },
): Promise<string | null> {
  const { type, shape } = value
  const count = countElements(shape)
  if (count === null || count > MAX_ELEMENTS || count * type.sizeBytes > data.length) return null
  if (type.kind === 'string') {
    const texts = Array.from({ length: count }, (_, index) =>
      decodeText(data.subarray(index * type.sizeBytes, (index + 1) * type.sizeBytes)),
    )
    return listText(texts, shape)
  }
  if (type.kind === 'variable-string') return listText(await readVariableStrings(source, data, count), shape)
  if (type.kind !== 'number' || type.dtype === 'C64') return null
  const bytes = data.slice(0, count * type.sizeBytes)
  if (type.bigEndian) swapByteOrder(bytes, swapUnitBytes(type.dtype))
  return listText([...decodeFloat64(bytes, type.dtype)], [...shape, ...type.dimensions])
}

async function readAttribute(source: Hdf5Source, bytes: Uint8Array, offsetBytes: number): Promise<Hdf5Attribute> {
  const cursor = source.cursor(bytes, offsetBytes)
  const version = cursor.u8()
  if (version < 1 || version > 3) throw source.malformed(offsetBytes, `an attribute has the unknown version ${version}`)
  const flags = cursor.u8()
  const nameBytes = cursor.u16()
  const typeBytes = cursor.u16()
  const spaceBytes = cursor.u16()
  if (version === 3) cursor.skip(1)
  const padded = (sizeBytes: number): number => (version === 1 ? Math.ceil(sizeBytes / 8) * 8 : sizeBytes)
  const name = decodeText(cursor.bytes(padded(nameBytes)))
  const typeData = cursor.bytes(padded(typeBytes))
  const spaceData = cursor.bytes(padded(spaceBytes))
  // A committed type or a shared dataspace would have to be looked up; Keras and h5py write neither.
  if (version > 1 && (flags & 3) !== 0) return { name, value: null }
  const type = readType(source, source.cursor(typeData, offsetBytes))
  const shape = readDataspace(source, source.cursor(spaceData, offsetBytes))
  const data = cursor.bytes(cursor.remainingBytes())
  return { name, value: shape && (await readValue(source, data, { type, shape })) }
}

/** Attributes beyond a handful move to a heap; records hold the heap id first. */
async function readDenseAttributes(source: Hdf5Source, message: HeaderMessage): Promise<readonly Hdf5Attribute[]> {
  const cursor = source.cursor(message.bytes, message.offsetBytes)
  cursor.skip(1)
  const flags = cursor.u8()
  if (flags & 1) cursor.skip(2)
  const heapAddress = cursor.address()
  const treeAddress = cursor.address()
  if (heapAddress === null || treeAddress === null) return []
  const readObject = await openFractalHeap(source, heapAddress)
  const attributes: Hdf5Attribute[] = []
  for await (const record of treeRecords(source, treeAddress)) {
    attributes.push(await readAttribute(source, await readObject(record.subarray(0, 8)), heapAddress))
  }
  return attributes
}

/** All attributes of an object whose header was read. Throws "checkpoint/hdf5-malformed", "checkpoint/hdf5-unsupported". */
export async function readAttributes(source: Hdf5Source, messages: readonly HeaderMessage[]): Promise<readonly Hdf5Attribute[]> {
  const attributes: Hdf5Attribute[] = []
  for (const message of messages) {
    if (message.type === MESSAGE.attribute && !message.shared)
      attributes.push(await readAttribute(source, message.bytes, message.offsetBytes))
    if (message.type === MESSAGE.attributeInfo) attributes.push(...(await readDenseAttributes(source, message)))
  }
  return attributes
}
