// Reader of PyTorch's first format, a tar archive of `storages`, `tensors` and `pickle`. Follows `legacy_load` in torch/serialization.py of PyTorch 2.13.
import { createByteCursor } from '../../bytes/cursor'
import { openRandomAccessFile, type RandomAccessFile } from '../../bytes/random-access-file'
import { readTarDirectory, type TarEntry } from '../../bytes/tar'
import { engineError } from '../../errors'
import { MAX_TENSOR_DIMENSIONS } from '../../tensor/shape'
import { MAX_PICKLE_BYTES } from '../pickle/limits'
import type { PersistentLoad } from '../pickle/machine'
import { readPickle, refusePersistentIds } from '../pickle/read-pickle'
import { isPickleObject, type PickleStorage, type PickleTensor, type PickleValue } from '../pickle/values'
import { createCheckpoint } from '../tensor-files'
import type { Checkpoint } from '../types'
import { readPickles } from './pickle-stream'
import { placeTensors, type StoragePlace } from './place-tensors'
import { placeRawStorage } from './raw-storages'
import { findStateDict } from './state-dict'
import { keyText, storageClassDtype } from './storage-ids'

interface TarArchive {
  readonly file: RandomAccessFile
  readonly entries: ReadonlyMap<string, TarEntry>
  readonly signal: AbortSignal | undefined
}

interface Storages {
  readonly byKey: ReadonlyMap<string, PickleStorage>
  readonly places: ReadonlyMap<string, StoragePlace>
}

function refuse({ file }: Pick<TarArchive, 'file'>, reason: string): Error {
  return engineError('checkpoint/not-pytorch', { path: file.path, reason })
}

function entryOf(archive: TarArchive, name: string): TarEntry {
  const entry = archive.entries.get(name)
  if (!entry) throw refuse(archive, `the archive has no ${name}`)
  return entry
}

function items(archive: TarArchive, value: PickleValue | undefined): readonly PickleValue[] {
  if (isPickleObject(value) && (value.kind === 'tuple' || value.kind === 'list')) return value.items
  throw refuse(archive, 'its lists are not lists')
}

function keyOf(archive: TarArchive, value: PickleValue | undefined): string {
  const key = keyText(value)
  if (key === null) throw refuse(archive, 'one of its keys is no number')
  return key
}

function count(archive: TarArchive, value: PickleValue | undefined): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw refuse(archive, 'one of its counts is not a number')
}

async function readStorages(archive: TarArchive): Promise<Storages> {
  const { file, signal } = archive
  const entry = entryOf(archive, 'storages')
  const endBytes = entry.offsetBytes + entry.sizeBytes
  const byKey = new Map<string, PickleStorage>()
  const places = new Map<string, StoragePlace>()
  let startBytes = entry.offsetBytes
  const next = async (): Promise<PickleValue | undefined> => {
    if (signal?.aborted) throw engineError('runtime/aborted', { what: `Opening ${file.path}` })
    const read = await readPickles(
      { file, startBytes, endBytes, signal },
      { count: 1, persistentLoad: () => refusePersistentIds(file.path) },
    )
    startBytes = read.endBytes
    return read.values[0]
  }
  const storageCount = count(archive, await next())
  for (let index = 0; index < storageCount; index++) {
    const [key, , type] = items(archive, await next())
    const dtype = storageClassDtype(type)
    if (dtype === undefined || byKey.has(keyOf(archive, key))) throw refuse(archive, 'one of its storages has no type or is there twice')
    const placed = await placeRawStorage(file, { key: keyOf(archive, key), dtype, offsetBytes: startBytes, endBytes })
    startBytes = placed.endBytes
    byKey.set(keyOf(archive, key), { kind: 'storage', key: keyOf(archive, key), dtype, elements: placed.elements, view: null })
    places.set(keyOf(archive, key), placed.place)
  }
  for (const view of items(archive, await next())) {
    const [key, rootKey, offset, elements] = items(archive, view)
    const root = byKey.get(keyOf(archive, rootKey))
    if (!root) throw refuse(archive, 'a part of a storage has no storage')
    byKey.set(keyOf(archive, key), { ...root, view: { offsetElements: count(archive, offset), elements: count(archive, elements) } })
  }
  return { byKey, places }
}

/** Each tensor: a pickle of its keys, then dimensions, padding, shape, strides and offset as little-endian integers. */
async function readTensors(archive: TarArchive, storages: Storages): Promise<ReadonlyMap<string, PickleTensor>> {
  const { file } = archive
  const bytes = await readEntry(archive, 'tensors')
  const persistentLoad = refusePersistentIds(file.path)
  const tensors = new Map<string, PickleTensor>()
  const first = readPickle(bytes, { path: file.path, persistentLoad })
  let position = first.endBytes
  const tensorCount = count(archive, first.value)
  for (let index = 0; index < tensorCount; index++) {
    const head = readPickle(bytes, { path: file.path, start: position, persistentLoad })
    const [key, storageKey] = items(archive, head.value)
    const storage = storages.byKey.get(keyOf(archive, storageKey))
    if (!storage || storage.dtype === null) throw refuse(archive, 'a tensor has no storage')
    const cursor = createByteCursor(bytes.subarray(head.endBytes), `the tensors of ${file.path}`)
    const dimensions = cursor.i32()
    if (dimensions < 0 || dimensions > MAX_TENSOR_DIMENSIONS) throw refuse(archive, `a tensor has ${dimensions} dimensions`)
    cursor.skip(4)
    const shape = Array.from({ length: dimensions }, () => cursor.length('a dimension'))
    const strides = Array.from({ length: dimensions }, () => cursor.length('a stride'))
    const offsetElements = cursor.length('an offset')
    tensors.set(keyOf(archive, key), { kind: 'tensor', storage, dtype: storage.dtype, offsetElements, shape, strides })
    position = head.endBytes + cursor.positionBytes()
  }
  return tensors
}

async function readEntry(archive: TarArchive, name: string): Promise<Uint8Array> {
  const { file, signal } = archive
  const { offsetBytes, sizeBytes } = entryOf(archive, name)
  if (sizeBytes > MAX_PICKLE_BYTES) throw engineError('checkpoint/pickle-limit', { path: file.path, what: 'bytes', max: MAX_PICKLE_BYTES })
  return file.read({ offsetBytes, sizeBytes, ...(signal && { signal }) })
}

/** Persistent ids are the keys of tensors and storages, or a class with its source. */
function persistentLoad(archive: TarArchive, storages: Storages, tensors: ReadonlyMap<string, PickleTensor>): PersistentLoad {
  return (id) => {
    if (isPickleObject(id) && id.kind === 'tuple') {
      const [type] = id.items
      if (isPickleObject(type) && type.kind === 'global') return type
    }
    const found = isPickleObject(id) ? undefined : (tensors.get(keyOf(archive, id)) ?? storages.byKey.get(keyOf(archive, id)))
    if (!found) throw engineError('checkpoint/pickle-persistent-id', { path: archive.file.path })
    return found
  }
}

/**
 * Opens a tar archive that PyTorch wrote before 0.2. Nothing in it is executed.
 * Throws "checkpoint/not-pytorch", "bytes/tar-malformed", "checkpoint/pickle-...", "checkpoint/storage-too-short", "checkpoint/no-tensors" and what placeTensors throws.
 */
export async function openTorchTar(path: string, options: { readonly signal?: AbortSignal } = {}): Promise<Checkpoint> {
  using file = await openRandomAccessFile(path)
  const archive: TarArchive = { file, entries: await readTarDirectory(file), signal: options.signal }
  const storages = await readStorages(archive)
  const tensors = await readTensors(archive, storages)
  const { value } = readPickle(await readEntry(archive, 'pickle'), {
    path: file.path,
    persistentLoad: persistentLoad(archive, storages, tensors),
  })
  const stateDict = findStateDict(value, file.path)
  const locate = (storage: PickleStorage): Promise<StoragePlace> => {
    const place = storages.places.get(storage.key)
    return place ? Promise.resolve(place) : Promise.reject(refuse(archive, 'a tensor has no storage'))
  }
  const placed = await placeTensors({ path: file.path, named: stateDict.tensors, locate })
  return createCheckpoint({
    format: 'pytorch-tar',
    files: [{ path: file.path, sizeBytes: file.sizeBytes }],
    tensors: placed.tensors,
    computed: placed.computed,
    metadata: {},
    notes: [...stateDict.notes, ...placed.notes],
  })
}
