// Reader of NumPy's .npy and .npz files, which MLX writes too. Follows numpy/lib/format.py and npyio (NumPy 2.4).
import { basename } from 'node:path'
import { crc32 } from 'node:zlib'
import { openRandomAccessFile, type RandomAccessFile } from '../../bytes/random-access-file'
import { readZipDirectory, type ZipEntry } from '../../bytes/zip'
import { readZipEntryRange, zipDataOffset } from '../../bytes/zip-entry'
import { engineError } from '../../errors'
import { swapByteOrder, swapUnitBytes } from '../../tensor/byte-order'
import { DTYPE_BITS, type Dtype } from '../../tensor/dtype'
import { createCheckpoint, type ComputeRange } from '../tensor-files'
import type { Checkpoint, TensorComputation, TensorInfo } from '../types'
import { createWholeTensors, type MakeTensor } from '../whole-tensor'
import { rowMajor } from './fortran'
import { parseHeader, PREAMBLE_BYTES, readPreamble, type NumpyArray, type NumpyPlace } from './header'
import { countSome, note, type Note } from '../../notes'

interface OpenOptions {
  readonly signal?: AbortSignal
}

/** Bytes of one array's file, wherever they lie. */
interface ArrayBytes {
  readonly sizeBytes: number
  readonly read: (offsetBytes: number, sizeBytes: number) => Promise<Uint8Array>
}

/** Deflate makes at most 1,032 bytes of one. */
const MAX_DEFLATE_RATIO = 1032

async function readHeader(bytes: ArrayBytes, place: NumpyPlace): Promise<NumpyArray> {
  const preamble = readPreamble(await bytes.read(0, Math.min(PREAMBLE_BYTES, bytes.sizeBytes)), place)
  const { startBytes, lengthBytes, version } = preamble
  const headerBytes = startBytes + lengthBytes
  if (headerBytes > bytes.sizeBytes)
    throw engineError('checkpoint/numpy-malformed', { path: place.path, tensor: place.name, reason: 'its header is cut off' })
  const array = parseHeader(await bytes.read(startBytes, lengthBytes), { headerBytes, version, place })
  const endBytes = headerBytes + array.sizeBytes
  if (array.dtype && endBytes > bytes.sizeBytes)
    throw engineError('checkpoint/truncated-file', { path: place.path, tensor: place.name, endBytes, fileSizeBytes: bytes.sizeBytes })
  return array
}

/** Elements in the order and byte order in which they are handed out. */
function finish(stored: Uint8Array, array: NumpyArray & { readonly dtype: Dtype }): Uint8Array {
  const ordered = needsTranspose(array) ? rowMajor(stored, { shape: array.shape, elementBytes: DTYPE_BITS[array.dtype] / 8 }) : stored
  return array.bigEndian ? swapByteOrder(ordered, swapUnitBytes(array.dtype)) : ordered
}

function needsTranspose({ fortranOrder, shape }: NumpyArray): boolean {
  return fortranOrder && shape.filter((size) => size !== 1).length > 1
}

function computationOf(array: NumpyArray & { readonly dtype: Dtype }, deflated: boolean): TensorComputation | null {
  if (deflated) return 'compressed'
  if (needsTranspose(array)) return 'strided'
  return array.bigEndian && swapUnitBytes(array.dtype) > 1 ? 'big-endian' : null
}

/** Collects the arrays of one file. */
function createCollection(file: RandomAccessFile) {
  const tensors = new Map<string, TensorInfo>()
  const computed = new Map<string, ComputeRange>()
  const leftOut: Note[] = []
  let guessedBfloat16 = 0
  const wholeTensor = createWholeTensors()
  const add = (
    name: string,
    array: NumpyArray,
    storage: {
      readonly offsetBytes: number | null
      readonly readStored: (file: RandomAccessFile, signal?: AbortSignal) => Promise<Uint8Array>
    },
  ): void => {
    const { dtype, shape, sizeBytes } = array
    if (!dtype) {
      leftOut.push(note('checkpoint/left-out-type', { ...countSome([name]), type: array.typeName }))
      return
    }
    if (dtype === 'BF16') guessedBfloat16++
    const typed = { ...array, dtype }
    const common = { name, dtype, shape, file: file.path, sizeBytes }
    const computation = computationOf(typed, storage.offsetBytes === null)
    if (computation === null && storage.offsetBytes !== null) {
      tensors.set(name, { ...common, offsetBytes: storage.offsetBytes })
      return
    }
    tensors.set(name, { ...common, storage: 'computed', computation: computation ?? 'compressed' })
    const make: MakeTensor = async ({ open, signal }) => finish(await storage.readStored(await open(file.path), signal), typed)
    computed.set(name, wholeTensor(sizeBytes, make))
  }
  const notes = (): readonly Note[] => [
    ...leftOut,
    ...(guessedBfloat16 > 0 ? [note('checkpoint/two-bytes-as-bfloat16', { count: guessedBfloat16 })] : []),
  ]
  return { tensors, computed, add, notes }
}

function collectionCheckpoint(
  file: RandomAccessFile,
  collection: ReturnType<typeof createCollection>,
  format: 'numpy-npz' | 'numpy-npy',
): Checkpoint {
  const { tensors, computed } = collection
  return createCheckpoint({
    format,
    files: [{ path: file.path, sizeBytes: file.sizeBytes }],
    tensors,
    computed,
    metadata: {},
    notes: collection.notes(),
  })
}

/** Opens a single array; its tensor is called like the file. Throws "checkpoint/numpy-...", "checkpoint/truncated-file", "checkpoint/shape-overflow". */
export async function openNpy(path: string, options: OpenOptions = {}): Promise<Checkpoint> {
  const cancel = options.signal ? { signal: options.signal } : {}
  using file = await openRandomAccessFile(path)
  const name = basename(path).replace(/\.npy$/i, '')
  const array = await readHeader(
    { sizeBytes: file.sizeBytes, read: (offsetBytes, sizeBytes) => file.read({ offsetBytes, sizeBytes, ...cancel }) },
    { path: file.path, name },
  )
  const collection = createCollection(file)
  collection.add(name, array, {
    offsetBytes: array.headerBytes,
    readStored: (opened, signal) => opened.read({ offsetBytes: array.headerBytes, sizeBytes: array.sizeBytes, ...(signal && { signal }) }),
  })
  return collectionCheckpoint(file, collection, 'numpy-npy')
}

/** A whole entry is inflated at once, so its checksum can be compared. */
async function readDeflated(
  place: { readonly file: RandomAccessFile; readonly entry: ZipEntry },
  array: NumpyArray,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const { file, entry } = place
  const bytes = await readZipEntryRange(place, { offsetBytes: 0, sizeBytes: entry.sizeBytes, ...(signal && { signal }) })
  if (crc32(bytes) !== entry.crc32) throw engineError('bytes/zip-checksum', { path: file.path, name: entry.name.slice(0, 200) })
  // A copy of its own, so that elements start on multiples of their size.
  return bytes.slice(array.headerBytes, array.headerBytes + array.sizeBytes)
}

/** Opens an archive of arrays, named as its entries without ".npy". Throws what openNpy throws and "bytes/zip-...". */
export async function openNpz(path: string, options: OpenOptions = {}): Promise<Checkpoint> {
  using file = await openRandomAccessFile(path)
  const collection = createCollection(file)
  const others: string[] = []
  for (const entry of (await readZipDirectory(file, options)).values()) {
    if (options.signal?.aborted) throw engineError('runtime/aborted', { what: `Reading ${path}` })
    if (!entry.name.endsWith('.npy')) {
      others.push(entry.name)
      continue
    }
    if (entry.sizeBytes > entry.compressedBytes * MAX_DEFLATE_RATIO + MAX_DEFLATE_RATIO) {
      const { sizeBytes, compressedBytes } = entry
      throw engineError('bytes/zip-bomb', { path: file.path, name: entry.name.slice(0, 200), sizeBytes, compressedBytes })
    }
    const name = entry.name.slice(0, -'.npy'.length)
    const place = { file, entry }
    const array = await readHeader(
      { sizeBytes: entry.sizeBytes, read: (offsetBytes, sizeBytes) => readZipEntryRange(place, { offsetBytes, sizeBytes }) },
      { path: file.path, name },
    )
    const offsetBytes = entry.method === 'stored' ? (await zipDataOffset(place)) + array.headerBytes : null
    collection.add(name, array, {
      offsetBytes,
      readStored: (opened, signal) =>
        offsetBytes === null
          ? readDeflated({ file: opened, entry }, array, signal)
          : opened.read({ offsetBytes, sizeBytes: array.sizeBytes, ...(signal && { signal }) }),
    })
  }
  const checkpoint = collectionCheckpoint(file, collection, 'numpy-npz')
  const extra = others.length > 0 ? [note('checkpoint/left-out-no-array', countSome(others))] : []
  return { ...checkpoint, notes: [...checkpoint.notes, ...extra] }
}
