// Reader of TensorFlow V2 bundles: PREFIX.index and PREFIX.data-?????-of-?????. Follows tensorflow/core/util/tensor_bundle/tensor_bundle.cc (2.21).
import { basename, dirname, join } from 'node:path'
import { openRandomAccessFile } from '../../bytes/random-access-file'
import { EngineError, engineError } from '../../errors'
import { swapByteOrder, swapUnitBytes } from '../../tensor/byte-order'
import { DTYPE_BITS, type Dtype } from '../../tensor/dtype'
import { countElements, MAX_TENSOR_DIMENSIONS, tensorSizeBytes } from '../../tensor/shape'
import { createCheckpoint, type ComputeRange } from '../tensor-files'
import type { Checkpoint, TensorInfo } from '../types'
import { createWholeTensors, type MakeTensor } from '../whole-tensor'
import {
  readBundleEntry,
  readBundleHeader,
  TENSORFLOW_DTYPES,
  TENSORFLOW_OTHER_DTYPES,
  type BundleEntry,
  type BundleHeader,
} from './bundle-entry'
import { checkCrc, checkedRange } from './checked-range'
import { crc32c } from './crc32c'
import { SLICE_KEY_PREFIX, sliceKey } from './slice-key'
import { checkParts, joinParts, MAX_SLICES, MAX_SLICES_PER_TENSOR, resolveSlice, type TensorPart } from './slices'
import { tableEntries } from './sstable'
import { countSome, note, type Note } from '../../notes'

/** The number in a data file's name has five digits. */
const MAX_SHARDS = 99_999

interface DataFile {
  readonly path: string
  readonly sizeBytes: number
}

/** The content of the index: tensor entries by name, and those of parts by their key's bytes. */
interface Bundle {
  readonly path: string
  readonly header: BundleHeader
  readonly entries: ReadonlyMap<string, BundleEntry>
  readonly parts: ReadonlyMap<string, BundleEntry>
}

/** A key's bytes as a map key. */
function bytesKey(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

function decodeName(key: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(key)
  } catch (cause) {
    throw engineError('checkpoint/tensorflow-malformed', { path, reason: 'a name is not UTF-8' }, cause)
  }
}

async function readBundle(indexPath: string, signal?: AbortSignal): Promise<Bundle> {
  using file = await openRandomAccessFile(indexPath)
  const path = file.path
  let header: BundleHeader | null = null
  const entries = new Map<string, BundleEntry>()
  const parts = new Map<string, BundleEntry>()
  let sliceCount = 0
  for await (const { key, value } of tableEntries(file, signal)) {
    if (!header) {
      if (key.length > 0) throw engineError('checkpoint/tensorflow-malformed', { path, reason: 'the first entry is not the header' })
      header = readBundleHeader(value, path)
      continue
    }
    const entry = readBundleEntry(value, { what: path, maxSlices: MAX_SLICES_PER_TENSOR })
    sliceCount += entry.slices.length
    if (entry.slices.length > MAX_SLICES_PER_TENSOR || sliceCount > MAX_SLICES) {
      throw engineError('checkpoint/tensorflow-too-many-slices', {
        path,
        count: sliceCount,
        max: MAX_SLICES,
        maxPerTensor: MAX_SLICES_PER_TENSOR,
      })
    }
    if (key[0] === SLICE_KEY_PREFIX) parts.set(bytesKey(key), entry)
    else entries.set(decodeName(key, path), entry)
  }
  if (!header) throw engineError('checkpoint/tensorflow-malformed', { path, reason: 'there is no header entry' })
  if (header.shardCount < 1 || header.shardCount > MAX_SHARDS)
    throw engineError('checkpoint/tensorflow-malformed', {
      path,
      reason: `${header.shardCount} data files are announced; 1 to ${MAX_SHARDS} are possible`,
    })
  return { path, header, entries, parts }
}

/** Opens data files once each to learn their sizes. */
function createDataFiles(indexPath: string, header: BundleHeader) {
  const prefix = basename(indexPath).replace(/\.index$/, '')
  const directory = dirname(indexPath)
  const files = new Map<number, DataFile>()
  const get = async (shard: number): Promise<DataFile> => {
    const known = files.get(shard)
    if (known) return known
    const count = String(header.shardCount).padStart(5, '0')
    const name = `${prefix}.data-${String(shard).padStart(5, '0')}-of-${count}`
    try {
      using file = await openRandomAccessFile(join(directory, name))
      const data = { path: file.path, sizeBytes: file.sizeBytes }
      files.set(shard, data)
      return data
    } catch (cause) {
      if (cause instanceof EngineError && cause.code === 'bytes/not-found')
        throw engineError('checkpoint/missing-shard', { shard: name, directory }, cause)
      throw cause
    }
  }
  return { get, all: () => [...files.entries()].sort(([left], [right]) => left - right).map(([, file]) => file) }
}

/** The packed size of an entry's tensor, its shape checked. */
function checkShape(path: string, name: string, entry: { readonly dtype: Dtype; readonly shape: readonly number[] }): number {
  const { dtype, shape } = entry
  if (shape.length > MAX_TENSOR_DIMENSIONS || shape.some((size) => !Number.isSafeInteger(size) || size < 0))
    throw engineError('checkpoint/tensorflow-malformed', { path, reason: `tensor ${name} has the shape [${shape.slice(0, 8).join(', ')}]` })
  const sizeBytes = tensorSizeBytes(dtype, shape)
  if (countElements(shape) === null || sizeBytes === null) throw engineError('checkpoint/shape-overflow', { path, tensor: name, shape })
  return sizeBytes
}

function createEntryReader(bundle: Bundle, data: ReturnType<typeof createDataFiles>) {
  const { path, header } = bundle
  const locate = async (name: string, entry: BundleEntry, dtype: Dtype): Promise<DataFile> => {
    const neededBytes = checkShape(path, name, { dtype, shape: entry.shape })
    if (entry.sizeBytes !== neededBytes)
      throw engineError('checkpoint/size-mismatch', {
        path,
        tensor: name,
        dtype,
        shape: entry.shape,
        neededBytes,
        foundBytes: entry.sizeBytes,
      })
    if (entry.shard < 0 || entry.shard >= header.shardCount)
      throw engineError('checkpoint/tensorflow-malformed', {
        path,
        reason: `tensor ${name} is in data file ${entry.shard} of ${header.shardCount}`,
      })
    const file = await data.get(entry.shard)
    const endBytes = entry.offsetBytes + entry.sizeBytes
    if (!Number.isSafeInteger(entry.offsetBytes) || entry.offsetBytes < 0 || endBytes > file.sizeBytes)
      throw engineError('checkpoint/truncated-file', { path: file.path, tensor: name, endBytes, fileSizeBytes: file.sizeBytes })
    return file
  }
  const locateParts = async (name: string, entry: BundleEntry, dtype: Dtype): Promise<readonly TensorPart[]> => {
    const nameBytes = new TextEncoder().encode(name)
    const parts: TensorPart[] = []
    for (const slice of entry.slices) {
      const place = resolveSlice(slice, entry.shape)
      const part = bundle.parts.get(bytesKey(sliceKey(nameBytes, slice)))
      const incomplete = (reason: string) => engineError('checkpoint/tensorflow-slices-incomplete', { path, tensor: name, reason })
      if (!place) throw incomplete('a part lies outside the shape')
      if (!part) throw incomplete('a part is listed but not stored')
      const sameShape = part.shape.length === place.lengths.length && part.shape.every((size, index) => size === place.lengths[index])
      if (part.dtypeNumber !== entry.dtypeNumber || !sameShape) throw incomplete('a part has another dtype or shape than its place')
      const file = await locate(name, part, dtype)
      parts.push({ ...place, file: file.path, offsetBytes: part.offsetBytes, sizeBytes: part.sizeBytes, maskedCrc: part.maskedCrc })
    }
    checkParts(parts, { path, name, shape: entry.shape })
    return parts
  }
  return { locate, locateParts }
}

/**
 * Opens the bundle whose index lies at `indexPath`; names are the stored keys. Strings and other values without a dtype are left out with a note.
 * Throws "checkpoint/tensorflow-...", "checkpoint/missing-shard", "checkpoint/size-mismatch", "checkpoint/truncated-file", "checkpoint/shape-overflow".
 */
export async function openBundle(
  indexPath: string,
  options: {
    readonly format: 'tensorflow-checkpoint' | 'tensorflow-saved-model'
    readonly notes: readonly Note[]
    readonly signal?: AbortSignal
  },
): Promise<Checkpoint> {
  const bundle = await readBundle(indexPath, options.signal)
  const data = createDataFiles(indexPath, bundle.header)
  const reader = createEntryReader(bundle, data)
  const wholeTensor = createWholeTensors()
  const tensors = new Map<string, TensorInfo>()
  const computed = new Map<string, ComputeRange>()
  const skipped = new Map<string, string[]>()
  for (const [name, entry] of bundle.entries) {
    const dtype = TENSORFLOW_DTYPES.get(entry.dtypeNumber)
    if (!dtype || entry.unknownRank) {
      const kind = TENSORFLOW_OTHER_DTYPES.get(entry.dtypeNumber) ?? String(entry.dtypeNumber)
      const others = skipped.get(kind)
      if (others) others.push(name)
      else skipped.set(kind, [name])
      continue
    }
    const unitBytes = bundle.header.bigEndian ? swapUnitBytes(dtype) : 1
    const { shape } = entry
    if (entry.slices.length > 0) {
      const sizeBytes = checkShape(bundle.path, name, { dtype, shape })
      const parts = await reader.locateParts(name, entry, dtype)
      tensors.set(name, { name, dtype, shape, file: parts[0]?.file ?? bundle.path, sizeBytes, storage: 'computed', computation: 'strided' })
      const finish = (bytes: Uint8Array): Uint8Array => swapByteOrder(bytes, unitBytes)
      computed.set(name, wholeTensor(sizeBytes, joinParts(parts, { name, shape, sizeBytes, elementBytes: DTYPE_BITS[dtype] / 8, finish })))
      continue
    }
    const file = await reader.locate(name, entry, dtype)
    const { offsetBytes, sizeBytes, maskedCrc } = entry
    const checked = maskedCrc === null || sizeBytes === 0 ? null : { path: file.path, tensor: name, offsetBytes, sizeBytes, maskedCrc }
    if (unitBytes === 1 && checked) {
      tensors.set(name, { name, dtype, shape, file: file.path, sizeBytes, storage: 'computed', computation: 'checked' })
      computed.set(name, checkedRange(checked))
      continue
    }
    if (unitBytes === 1) {
      tensors.set(name, { name, dtype, shape, file: file.path, offsetBytes, sizeBytes })
      continue
    }
    tensors.set(name, { name, dtype, shape, file: file.path, sizeBytes, storage: 'computed', computation: 'big-endian' })
    const make: MakeTensor = async ({ open, signal }) => {
      const bytes = await (await open(file.path)).read({ offsetBytes, sizeBytes, ...(signal && { signal }) })
      if (checked) checkCrc(crc32c(bytes), checked)
      return swapByteOrder(bytes, unitBytes)
    }
    computed.set(name, wholeTensor(sizeBytes, make))
  }
  return createCheckpoint({
    format: options.format,
    files: data.all(),
    tensors,
    computed,
    metadata: {},
    notes: [...options.notes, ...skipNotes(skipped)],
  })
}

function skipNotes(skipped: ReadonlyMap<string, readonly string[]>): readonly Note[] {
  return [...skipped].map(([type, names]) => note('checkpoint/left-out-type', { ...countSome(names), type }))
}
