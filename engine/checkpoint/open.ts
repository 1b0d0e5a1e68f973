// Opens a checkpoint from a folder or a file; the format is detected by content. File names and their order follow Transformers 5.18 (`_get_resolved_checkpoint_files`).
import { readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { fileError } from '../bytes/random-access-file'
import { engineError } from '../errors'
import { detectFileKind, FILE_KIND_NAMES, type FileKind } from './file-kind'
import { openGguf } from './gguf/open-gguf'
import { openFlax } from './flax/flax'
import { openHdf5 } from './hdf5/hdf5'
import { readSafetensorsFile } from './safetensors'
import { openShardedCheckpoint, openShards } from './sharded'
import { createCheckpoint } from './tensor-files'
import { openTorchArchive } from './torch/archive'
import { openTorchLegacy } from './torch/legacy'
import { openTorchTar } from './torch/tar'
import { openTensorflow } from './tensorflow/tensorflow'
import type { Checkpoint, CheckpointReader } from './types'

interface OpenOptions {
  readonly signal?: AbortSignal
}

const SHARD_NAME = /^(.*)-(\d{5})-of-(\d{5})\.safetensors$/

/** The readers beside safetensors, by the kind of the file that they open. */
const READERS: Partial<Record<FileKind, CheckpointReader>> = {
  'pytorch-zip': openTorchArchive,
  zip: openTorchArchive,
  pickle: openTorchLegacy,
  tar: openTorchTar,
  gguf: openGguf,
  hdf5: openHdf5,
  'flax-msgpack': openFlax,
  'tensorflow-checkpoint': openTensorflow,
  'tensorflow-saved-model': openTensorflow,
}

/** Kinds that hold weights, with a reader or without. */
const WEIGHT_KINDS: ReadonlySet<FileKind> = new Set([
  'pytorch-zip',
  'numpy-npz',
  'pickle',
  'tar',
  'gguf',
  'ggml',
  'hdf5',
  'onnx',
  'tensorflow-checkpoint',
  'tensorflow-saved-model',
  'flax-msgpack',
  'numpy-npy',
])

/** Names worth looking into when a folder has no .safetensors; others (pictures, text) are never opened. */
const WEIGHT_NAME = /\.(bin|pt|pth|ckpt|gguf|ggml|h5|hdf5|keras|onnx|msgpack|npz|npy|pb|index|pkl|tar)$|\.data-\d+-of-\d+$/i

async function openSingleFile(path: string, options: OpenOptions & { readonly notes?: readonly string[] }): Promise<Checkpoint> {
  const { path: file, sizeBytes, tensors, metadata } = await readSafetensorsFile(path, options)
  return createCheckpoint({
    format: 'safetensors',
    files: [{ path: file, sizeBytes }],
    tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])),
    metadata,
    notes: options.notes ?? [],
  })
}

/** Shards without an index are opened when their names say that the set is complete. */
async function openUnindexedShards(directory: string, names: readonly string[], options: OpenOptions): Promise<Checkpoint | null> {
  const first = SHARD_NAME.exec(names[0] ?? '')
  if (!first) return null
  const [, stem = '', , count = ''] = first
  // The name is five digits, so the count is at most 99,999.
  const expected = Array.from(
    { length: Number(count) },
    (_, index) => `${stem}-${String(index + 1).padStart(5, '0')}-of-${count}.safetensors`,
  )
  const known = new Set(expected)
  if (names.some((name) => !known.has(name))) return null
  return openShards(directory, expected, { ...options, notes: ['There is no index; the shards were put together by their names.'] })
}

async function refuseOtherFormats(directory: string, names: readonly string[]): Promise<never> {
  const found: { file: string; format: string }[] = []
  for (const file of names.filter((name) => WEIGHT_NAME.test(name)).sort()) {
    const kind = await detectFileKind(join(directory, file))
    if (WEIGHT_KINDS.has(kind)) found.push({ file, format: FILE_KIND_NAMES[kind] })
  }
  if (found.length > 0) throw engineError('checkpoint/unsupported-format', { path: directory, found })
  throw engineError('checkpoint/no-weights', { directory })
}

async function openDirectory(directory: string, options: OpenOptions): Promise<Checkpoint> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((cause: unknown) => {
    throw fileError(directory, cause)
  })
  const names = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name)
  const weights = names.filter((name) => name.endsWith('.safetensors')).sort()
  const indexes = names.filter((name) => name.endsWith('.safetensors.index.json')).sort()
  if (weights.includes('model.safetensors')) {
    const others = weights.length - 1
    const notes = others > 0 ? [`model.safetensors was opened; ${others} other .safetensors files beside it were not.`] : []
    return openSingleFile(join(directory, 'model.safetensors'), { ...options, notes })
  }
  const index = indexes.includes('model.safetensors.index.json')
    ? 'model.safetensors.index.json'
    : indexes.length === 1
      ? indexes[0]
      : undefined
  if (index !== undefined) return openShardedCheckpoint(join(directory, index), options)
  const [only] = weights
  if (only === undefined) return refuseOtherFormats(directory, names)
  const shards = await openUnindexedShards(directory, weights, options)
  if (shards) return shards
  if (weights.length > 1) throw engineError('checkpoint/ambiguous-weights', { directory, files: weights })
  return openSingleFile(join(directory, only), options)
}

async function openFile(path: string, options: OpenOptions): Promise<Checkpoint> {
  const name = basename(path)
  const kind = await detectFileKind(path)
  const reader = READERS[kind]
  if (reader) return reader(path, options)
  if (kind === 'json' && name.endsWith('.index.json')) return openShardedCheckpoint(path, options)
  if (WEIGHT_KINDS.has(kind) || kind === 'zip') {
    throw engineError('checkpoint/unsupported-format', { path, found: [{ file: name, format: FILE_KIND_NAMES[kind] }] })
  }
  const impostor = kind === 'html' || kind === 'lfs-pointer' || kind === 'empty'
  if (kind !== 'safetensors' && !impostor && !name.endsWith('.safetensors')) throw engineError('checkpoint/unknown-format', { path })
  const shard = SHARD_NAME.exec(name)
  const notes =
    shard && Number(shard[3]) > 1 ? [`This is shard ${Number(shard[2])} of ${Number(shard[3])}; open the folder to see all tensors.`] : []
  return openSingleFile(path, { ...options, notes })
}

/**
 * Opens a checkpoint: a model folder, a weight file, or a shard index. Only headers are read. A folder with .safetensors and other formats opens the safetensors.
 * Throws "bytes/not-found", "checkpoint/no-weights", "checkpoint/unsupported-format", "checkpoint/unknown-format", "checkpoint/ambiguous-weights" and what the readers throw.
 */
export async function openCheckpoint(path: string, options: { readonly signal?: AbortSignal } = {}): Promise<Checkpoint> {
  const absolute = resolve(path)
  let isDirectory: boolean
  try {
    isDirectory = (await stat(absolute)).isDirectory()
  } catch (cause) {
    throw fileError(absolute, cause)
  }
  return isDirectory ? openDirectory(absolute, options) : openFile(absolute, options)
}
