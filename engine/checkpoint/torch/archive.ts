// Reader of PyTorch's zip archives: torch.save since 1.6, and TorchScript. Follows torch/serialization.py and caffe2/serialize of PyTorch 2.13.
import { openRandomAccessFile, type RandomAccessFile } from '../../bytes/random-access-file'
import { readZipDirectory, type ZipEntry } from '../../bytes/zip'
import { readZipEntry, readZipEntryRange, zipDataOffset } from '../../bytes/zip-entry'
import { engineError } from '../../errors'
import { MAX_PICKLE_BYTES } from '../pickle/limits'
import { readPickle } from '../pickle/read-pickle'
import type { PickleStorage, PickleValue } from '../pickle/values'
import { createCheckpoint, type CheckpointContent } from '../tensor-files'
import type { Checkpoint, ReadOptions } from '../types'
import { placeTensors, type StoragePlace } from './place-tensors'
import { readScriptClasses } from './script-classes'
import { findStateDict, type StateDict } from './state-dict'
import { torchPersistentLoad } from './storage-ids'
import { note, type Note } from '../../notes'

/** `byteorder` holds "little" or "big". */
const MAX_RECORD_BYTES = 64

interface Archive {
  readonly file: RandomAccessFile
  readonly entries: ReadonlyMap<string, ZipEntry>
  /** All records lie in one folder, whose name is that of the file when it was saved. */
  readonly folder: string
  readonly bigEndian: boolean
  readonly signal: AbortSignal | undefined
  readonly include: ReadOptions['include']
}

function archiveFolder(entries: ReadonlyMap<string, ZipEntry>, path: string): string {
  const folders = [...entries.keys()].flatMap((name) => /^(?:(.*)\/)?data\.pkl$/.exec(name)?.[1] ?? (name === 'data.pkl' ? [''] : []))
  const [folder, ...others] = folders
  if (folder === undefined) throw engineError('checkpoint/not-pytorch', { path, reason: 'the archive has no data.pkl' })
  if (others.length > 0) throw engineError('checkpoint/not-pytorch', { path, reason: 'the archive has more than one data.pkl' })
  return folder === '' ? '' : `${folder}/`
}

async function isBigEndian(file: RandomAccessFile, entry: ZipEntry | undefined): Promise<boolean> {
  if (!entry) return false
  const order = new TextDecoder().decode(await readZipEntry({ file, entry }, { maxBytes: MAX_RECORD_BYTES, checksum: 'ignored' }))
  if (order === 'big' || order === 'little') return order === 'big'
  throw engineError('checkpoint/not-pytorch', { path: file.path, reason: `its byte order is "${order}"` })
}

async function openArchive(file: RandomAccessFile, { signal, include }: ReadOptions): Promise<Archive> {
  const entries = await readZipDirectory(file, signal ? { signal } : {})
  const folder = archiveFolder(entries, file.path)
  return { file, entries, folder, bigEndian: await isBigEndian(file, entries.get(`${folder}byteorder`)), signal, include }
}

/** Unpickles a record. PyTorch may leave checksums out (`config.save.use_crc32`) and does not compare them. */
async function readRecord({ file, entries, folder, signal }: Archive, name: string): Promise<PickleValue> {
  const entry = entries.get(`${folder}${name}`)
  if (!entry) throw engineError('checkpoint/not-pytorch', { path: file.path, reason: `the archive has no ${name}` })
  const bytes = await readZipEntry({ file, entry }, { maxBytes: MAX_PICKLE_BYTES, checksum: 'ignored', ...(signal && { signal }) })
  return readPickle(bytes, { path: file.path, persistentLoad: torchPersistentLoad(file.path) }).value
}

/** Finds storages in the folder `data` or `constants` of the archive. */
function storageLocator(archive: Archive, folder: string): (storage: PickleStorage) => Promise<StoragePlace> {
  const { file, entries, bigEndian } = archive
  return async ({ key }) => {
    const entry = entries.get(`${archive.folder}${folder}/${key}`)
    if (!entry) throw engineError('checkpoint/storage-missing', { path: file.path, storage: key.slice(0, 200) })
    return {
      file: file.path,
      sizeBytes: entry.sizeBytes,
      plainOffsetBytes: entry.method === 'stored' ? await zipDataOffset({ file, entry }) : null,
      bigEndian,
      read: (opened, range) => readZipEntryRange({ file: opened, entry }, range),
    }
  }
}

interface Weights {
  readonly stateDict: StateDict
  readonly folder: string
  readonly notes: readonly Note[]
}

/** A frozen TorchScript module has its weights among the constants of its code. */
async function findWeights(archive: Archive, isScript: boolean): Promise<Weights> {
  const { file, include } = archive
  const value = await readRecord(archive, 'data.pkl')
  if (!isScript) return { stateDict: findStateDict(value, file.path, include ? { include } : {}), folder: 'data', notes: [] }
  const constants = [...archive.entries.keys()].filter((name) => name.startsWith(`${archive.folder}constants/`)).length
  try {
    const notes = constants > 0 ? [note('checkpoint/left-out-constants', { count: constants })] : []
    const scriptClasses = await readScriptClasses(archive)
    return { stateDict: findStateDict(value, file.path, { scriptClasses }), folder: 'data', notes }
  } catch (error) {
    if (constants === 0) throw error
    const stateDict = findStateDict(await readRecord(archive, 'constants.pkl'), file.path)
    return { stateDict, folder: 'constants', notes: [note('checkpoint/frozen-module')] }
  }
}

/** Reads what a PyTorch zip archive holds; no tensor data is read. Throws as openTorchArchive does. */
async function readTorchArchive(path: string, options: ReadOptions = {}): Promise<CheckpointContent> {
  using file = await openRandomAccessFile(path)
  const archive = await openArchive(file, options)
  const isScript = archive.entries.has(`${archive.folder}constants.pkl`)
  const { stateDict, folder, notes } = await findWeights(archive, isScript)
  const placed = await placeTensors({ path: file.path, named: stateDict.tensors, locate: storageLocator(archive, folder) })
  return {
    format: isScript ? 'torchscript' : 'pytorch',
    files: [{ path: file.path, sizeBytes: file.sizeBytes }],
    tensors: placed.tensors,
    computed: placed.computed,
    metadata: {},
    settings: stateDict.settings,
    notes: [...notes, ...stateDict.notes, ...placed.notes],
  }
}

/**
 * Opens a PyTorch zip archive (.bin, .pth, .pt, TorchScript). Nothing in it is executed.
 * Throws "checkpoint/not-pytorch", "checkpoint/pickle-...", "checkpoint/storage-missing", "checkpoint/no-tensors", "bytes/zip-..." and what placeTensors throws.
 */
export async function openTorchArchive(path: string, options: ReadOptions = {}): Promise<Checkpoint> {
  return createCheckpoint(await readTorchArchive(path, options))
}
