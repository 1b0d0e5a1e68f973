// One dataset: its tensor, or why it is none, and how its bytes are made.
import { engineError } from '../../errors'
import { swapByteOrder, swapUnitBytes } from '../../tensor/byte-order'
import { countElements, tensorSizeBytes } from '../../tensor/shape'
import type { Dtype } from '../../tensor/dtype'
import type { TensorInfo } from '../types'
import type { MakeTensor } from '../whole-tensor'
import { readAttributes } from './attributes'
import { datasetChunks, placeChunk, type ChunkGrid } from './chunks'
import { readDataspace, readType, type Hdf5Type } from './datatype'
import { decodeChunk, isKnownFilter } from './filters'
import { readFillValue, readFilters, readLayout, type Hdf5Filter, type Hdf5Layout } from './layout'
import { MESSAGE, readObjectHeader, sharedAddress, type HeaderMessage } from './object-header'
import { createSource, type Hdf5Source } from './source'

/** Data that was never written is made of nothing; this much may be, beyond what deflate could have packed into the file. */
const MAX_UNWRITTEN_BYTES = 64 * 1024 * 1024
/** Deflate packs at most 1032 to 1; twice that covers two pipelines in a row. */
const MAX_INFLATION = 2064

/** A dataset as a tensor, or the kind of value that makes it none. */
export type Hdf5Dataset =
  | { readonly kind: 'tensor'; readonly info: TensorInfo; readonly make: MakeTensor | null }
  | { readonly kind: 'other'; readonly what: string }

interface Description {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly elementBytes: number
  readonly sizeBytes: number
  readonly swapBytes: number
}

async function readDatatype(source: Hdf5Source, message: HeaderMessage): Promise<Hdf5Type> {
  if (!message.shared) return readType(source, source.cursor(message.bytes, message.offsetBytes))
  const address = sharedAddress(source, message)
  const committed = address === null ? undefined : (await readObjectHeader(source, address)).find(({ type }) => type === MESSAGE.datatype)
  if (!committed || committed.shared) return { kind: 'other', name: 'type kept elsewhere in the file', sizeBytes: 1 }
  return readType(source, source.cursor(committed.bytes, committed.offsetBytes))
}

/** Keras writes bfloat16 as two opaque bytes and says so in an attribute. */
async function resolveOpaque(source: Hdf5Source, messages: readonly HeaderMessage[], type: Hdf5Type): Promise<Hdf5Type> {
  if (type.kind !== 'opaque' || type.sizeBytes !== 2) return type
  const attributes = await readAttributes(source, messages)
  const isBfloat16 = attributes.some(({ name, value }) => name === 'dtype' && value === 'bfloat16')
  return isBfloat16 ? { kind: 'number', dtype: 'BF16', bigEndian: false, sizeBytes: 2, dimensions: [] } : type
}

function fillWith(target: Uint8Array, element: Uint8Array | null): void {
  if (!element || element.every((byte) => byte === 0)) return
  for (let position = 0; position < target.length; position += element.length)
    target.set(element.subarray(0, target.length - position), position)
}

interface ChunkedStorage {
  readonly layout: Extract<Hdf5Layout, { kind: 'chunked' }>
  readonly filters: readonly Hdf5Filter[]
  readonly fillValue: Uint8Array | null
}

function makeChunked(source: Hdf5Source, tensor: Description, storage: ChunkedStorage): MakeTensor {
  const { layout, filters, fillValue } = storage
  const { elementBytes, sizeBytes, name } = tensor
  const rank = layout.chunkShape.length
  const chunkBytes = layout.chunkShape.reduce((product, size) => product * size, elementBytes)
  const grid: ChunkGrid = { shape: tensor.shape.slice(0, rank), chunkShape: layout.chunkShape, chunkBytes, filtered: filters.length > 0 }
  const { addressBytes, lengthBytes } = source
  const path = source.file.path
  return async ({ open, signal }) => {
    const file = await open(path)
    const reader = createSource(file, { addressBytes, lengthBytes, ...(signal && { signal }) })
    const target = new Uint8Array(sizeBytes)
    fillWith(target, fillValue)
    for await (const chunk of datasetChunks(reader, layout.index, grid)) {
      const endBytes = chunk.address + chunk.storedBytes
      if (endBytes > file.sizeBytes)
        throw engineError('checkpoint/truncated-file', { path, tensor: name, endBytes, fileSizeBytes: file.sizeBytes })
      const stored = await file.read({ offsetBytes: chunk.address, sizeBytes: chunk.storedBytes, ...(signal && { signal }) })
      const bytes = decodeChunk(stored, { filters, mask: chunk.filterMask, elementBytes, chunkBytes })
      if (!bytes) throw engineError('checkpoint/hdf5-damaged-chunk', { path, tensor: name, offsetBytes: chunk.address })
      placeChunk(target, bytes, { offsets: chunk.offsets, grid, elementBytes })
    }
    return swapByteOrder(target, tensor.swapBytes)
  }
}

function readChunked(source: Hdf5Source, tensor: Description, storage: ChunkedStorage): Hdf5Dataset {
  const { layout, filters } = storage
  const path = source.file.path
  const { name, dtype, shape, sizeBytes } = tensor
  const unknown = filters.find((filter) => !isKnownFilter(filter))
  const what = unknown
    ? `the filter ${unknown.name === '' ? unknown.id : `${unknown.id} (${unknown.name})`}`
    : layout.index.kind === 'unsupported'
      ? layout.index.name
      : null
  const info: TensorInfo = {
    name,
    dtype,
    shape,
    file: path,
    sizeBytes,
    storage: 'computed',
    computation: filters.length > 0 ? 'compressed' : 'strided',
  }
  // The tensor is listed all the same: only reading it needs what is missing.
  if (what !== null)
    return { kind: 'tensor', info, make: () => Promise.reject(engineError('checkpoint/hdf5-unsupported', { path, object: name, what })) }
  const chunkElements = countElements(layout.chunkShape)
  if (layout.chunkShape.includes(0) || chunkElements === null || layout.chunkShape.length === 0 || layout.chunkShape.length > shape.length)
    throw source.malformed(0, `dataset ${name} has chunks of [${layout.chunkShape.join(', ')}]`)
  const chunkBytes = chunkElements * tensor.elementBytes
  const maxBytes = MAX_UNWRITTEN_BYTES + source.file.sizeBytes * MAX_INFLATION
  if (sizeBytes > maxBytes || chunkBytes > maxBytes)
    throw engineError('checkpoint/hdf5-inflated', {
      path,
      tensor: name,
      sizeBytes: Math.max(sizeBytes, chunkBytes),
      fileSizeBytes: source.file.sizeBytes,
    })
  return { kind: 'tensor', info, make: makeChunked(source, tensor, storage) }
}

function readContiguous(
  source: Hdf5Source,
  tensor: Description,
  layout: Extract<Hdf5Layout, { kind: 'contiguous' }>,
  fillValue: Uint8Array | null,
): Hdf5Dataset {
  const { name, dtype, shape, sizeBytes, swapBytes } = tensor
  const { path, sizeBytes: fileSizeBytes } = source.file
  const { offsetBytes } = layout
  const common = { name, dtype, shape, file: path, sizeBytes }
  if (sizeBytes === 0) return { kind: 'tensor', info: { ...common, offsetBytes: 0 }, make: null }
  if (offsetBytes === null) {
    if (sizeBytes > MAX_UNWRITTEN_BYTES + fileSizeBytes)
      throw engineError('checkpoint/hdf5-inflated', { path, tensor: name, sizeBytes, fileSizeBytes })
    const make: MakeTensor = () => {
      const target = new Uint8Array(sizeBytes)
      fillWith(target, fillValue)
      return Promise.resolve(swapByteOrder(target, swapBytes))
    }
    return { kind: 'tensor', info: { ...common, storage: 'computed', computation: 'converted' }, make }
  }
  if (layout.sizeBytes !== null && layout.sizeBytes !== sizeBytes)
    throw engineError('checkpoint/size-mismatch', {
      path,
      tensor: name,
      dtype,
      shape,
      neededBytes: sizeBytes,
      foundBytes: layout.sizeBytes,
    })
  const endBytes = offsetBytes + sizeBytes
  if (endBytes > fileSizeBytes) throw engineError('checkpoint/truncated-file', { path, tensor: name, endBytes, fileSizeBytes })
  if (swapBytes < 2) return { kind: 'tensor', info: { ...common, offsetBytes }, make: null }
  const make: MakeTensor = async ({ open, signal }) =>
    swapByteOrder(await (await open(path)).read({ offsetBytes, sizeBytes, ...(signal && { signal }) }), swapBytes)
  return { kind: 'tensor', info: { ...common, storage: 'computed', computation: 'big-endian' }, make }
}

/** Reads a dataset's description from its header's messages; its data is only located. Throws "checkpoint/hdf5-...", "checkpoint/truncated-file", "checkpoint/size-mismatch", "checkpoint/shape-overflow". */
export async function readDataset(source: Hdf5Source, name: string, messages: readonly HeaderMessage[]): Promise<Hdf5Dataset> {
  const find = (wanted: number): HeaderMessage | undefined => messages.find(({ type }) => type === wanted)
  const spaceMessage = find(MESSAGE.dataspace)
  const typeMessage = find(MESSAGE.datatype)
  const layoutMessage = find(MESSAGE.layout)
  if (!spaceMessage || !typeMessage || !layoutMessage) throw source.malformed(0, `dataset ${name} has no type, dimensions or layout`)
  if (spaceMessage.shared) return { kind: 'other', what: 'shared dataspace' }
  const dimensions = readDataspace(source, source.cursor(spaceMessage.bytes, spaceMessage.offsetBytes))
  const type = await resolveOpaque(source, messages, await readDatatype(source, typeMessage))
  if (dimensions === null) return { kind: 'other', what: 'no data' }
  if (type.kind !== 'number') return { kind: 'other', what: type.kind === 'other' ? type.name : type.kind.replace('variable-', '') }
  const shape = [...dimensions, ...type.dimensions]
  const sizeBytes = tensorSizeBytes(type.dtype, shape)
  if (sizeBytes === null) throw engineError('checkpoint/shape-overflow', { path: source.file.path, tensor: name, shape })
  const swapBytes = type.bigEndian ? swapUnitBytes(type.dtype) : 1
  const tensor: Description = { name, dtype: type.dtype, shape, elementBytes: type.sizeBytes, sizeBytes, swapBytes }
  const layout = readLayout(source, layoutMessage)
  const fillValue = readFillValue(source, messages)
  if (layout.kind === 'contiguous') return readContiguous(source, tensor, layout, fillValue)
  if (layout.kind === 'chunked') {
    const filterMessage = find(MESSAGE.filters)
    const filters = filterMessage ? readFilters(source, filterMessage) : []
    return readChunked(source, tensor, { layout, filters, fillValue })
  }
  const info: TensorInfo = {
    name,
    dtype: type.dtype,
    shape,
    file: source.file.path,
    sizeBytes,
    storage: 'computed',
    computation: 'converted',
  }
  const what = layout.name
  return {
    kind: 'tensor',
    info,
    make: () => Promise.reject(engineError('checkpoint/hdf5-unsupported', { path: source.file.path, object: name, what })),
  }
}
