// Reader of PyTorch files before 1.6: five pickles, then the storages. Follows `_legacy_load` in torch/serialization.py of PyTorch 2.13.
import { openRandomAccessFile, type RandomAccessFile } from '../../bytes/random-access-file'
import { engineError } from '../../errors'
import type { PersistentLoad } from '../pickle/machine'
import { isPickleObject, type PickleStorage, type PickleValue } from '../pickle/values'
import { createCheckpoint, type CheckpointContent } from '../tensor-files'
import type { Checkpoint, ReadOptions } from '../types'
import { readPickles } from './pickle-stream'
import { placeTensors, type StoragePlace } from './place-tensors'
import { placeRawStorage } from './raw-storages'
import { findStateDict } from './state-dict'
import { keyText, torchPersistentLoad } from './storage-ids'

const MAGIC_NUMBER = 0x1950a86a20f9469cfc6cn
const PROTOCOL_VERSION = 1001

/** Magic number, protocol version, system, what was saved, keys of the storages. */
const PICKLES = 5

function checkHead(path: string): (value: PickleValue, index: number) => void {
  const refuse = (reason: string) => engineError('checkpoint/not-pytorch', { path, reason })
  return (value, index) => {
    if (index === 0 && value !== MAGIC_NUMBER) throw refuse("the pickle does not start with PyTorch's magic number")
    if (index === 1 && value !== PROTOCOL_VERSION) throw refuse('its protocol version is not 1001')
  }
}

/** Remembers every storage that the pickle names, which tells the size of its elements. */
function rememberStorages(path: string, storages: Map<string, PickleStorage>): PersistentLoad {
  const load = torchPersistentLoad(path)
  return (id) => {
    const value = load(id)
    if (isPickleObject(value) && value.kind === 'storage' && !storages.has(value.key)) storages.set(value.key, value)
    return value
  }
}

async function placeStorages(
  file: RandomAccessFile,
  options: {
    readonly keys: PickleValue | undefined
    readonly storages: ReadonlyMap<string, PickleStorage>
    readonly startBytes: number
    readonly signal: AbortSignal | undefined
  },
): Promise<ReadonlyMap<string, StoragePlace>> {
  const { keys, storages, signal } = options
  if (!isPickleObject(keys) || keys.kind !== 'list') {
    throw engineError('checkpoint/not-pytorch', { path: file.path, reason: 'the list of its storages is missing' })
  }
  const places = new Map<string, StoragePlace>()
  let offsetBytes = options.startBytes
  for (const item of keys.items) {
    if (signal?.aborted) throw engineError('runtime/aborted', { what: `Opening ${file.path}` })
    const key = keyText(item) ?? ''
    const storage = storages.get(key)
    if (!storage || places.has(key)) {
      throw engineError('checkpoint/not-pytorch', { path: file.path, reason: `its list of storages holds ${key.slice(0, 200)} wrongly` })
    }
    const placed = await placeRawStorage(file, { key, dtype: storage.dtype, offsetBytes, endBytes: file.sizeBytes })
    places.set(key, placed.place)
    offsetBytes = placed.endBytes
  }
  return places
}

/** Reads what a file before 1.6 holds; no tensor data is read. Throws as openTorchLegacy does. */
async function readTorchLegacy(path: string, options: ReadOptions = {}): Promise<CheckpointContent> {
  const { signal, include } = options
  using file = await openRandomAccessFile(path)
  let storages = new Map<string, PickleStorage>()
  const persistentLoad = () => {
    storages = new Map()
    return rememberStorages(file.path, storages)
  }
  const stretch = { file, startBytes: 0, endBytes: file.sizeBytes, signal }
  const { values, endBytes } = await readPickles(stretch, { count: PICKLES, persistentLoad, check: checkHead(file.path) })
  const stateDict = findStateDict(values[3] ?? null, file.path, include ? { include } : {})
  const places = await placeStorages(file, { keys: values[4], storages, startBytes: endBytes, signal })
  const locate = (storage: PickleStorage): Promise<StoragePlace> => {
    const place = places.get(storage.key)
    return place
      ? Promise.resolve(place)
      : Promise.reject(engineError('checkpoint/storage-missing', { path: file.path, storage: storage.key.slice(0, 200) }))
  }
  const placed = await placeTensors({ path: file.path, named: stateDict.tensors, locate })
  return {
    format: 'pytorch-legacy',
    files: [{ path: file.path, sizeBytes: file.sizeBytes }],
    tensors: placed.tensors,
    computed: placed.computed,
    metadata: {},
    settings: stateDict.settings,
    notes: [...stateDict.notes, ...placed.notes],
  }
}

/**
 * Opens a file that PyTorch wrote before 1.6. Nothing in it is executed.
 * Throws "checkpoint/not-pytorch", "checkpoint/pickle-...", "checkpoint/storage-missing", "checkpoint/storage-too-short", "checkpoint/no-tensors" and what placeTensors throws.
 */
export async function openTorchLegacy(path: string, options: ReadOptions = {}): Promise<Checkpoint> {
  return createCheckpoint(await readTorchLegacy(path, options))
}
