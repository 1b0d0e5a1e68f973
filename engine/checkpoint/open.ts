// Opens a checkpoint from a folder or a file; the format is detected by content, and each has its reader.
import { readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { fileError } from '../bytes/random-access-file'
import { engineError } from '../errors'
import { chooseWeights, shardOfName } from './choose-weights'
import { detectFileKind, FILE_KIND_NAMES, isArchiveKind, type FileKind } from './file-kind'
import { openGguf } from './gguf/open-gguf'
import { openFlax } from './flax/flax'
import { openHdf5 } from './hdf5/hdf5'
import { openLlama2c } from './llama2c/llama2c'
import { openNpy, openNpz } from './numpy/numpy'
import { openOnnx } from './onnx/onnx'
import { readSafetensorsFile } from './safetensors'
import { openShardedCheckpoint, openShards } from './sharded'
import { createCheckpoint } from './tensor-files'
import { openTorchArchive } from './torch/archive'
import { openTorchLegacy } from './torch/legacy'
import { openTorchTar } from './torch/tar'
import { openTensorflow } from './tensorflow/tensorflow'
import type { Checkpoint, CheckpointReader, ReadOptions } from './types'
import { note, type Note } from '../notes'

/** The readers beside safetensors, by the kind of the file that they open. */
const READERS: Partial<Record<FileKind, CheckpointReader>> = {
  'pytorch-zip': openTorchArchive,
  zip: openTorchArchive,
  pickle: openTorchLegacy,
  tar: openTorchTar,
  gguf: openGguf,
  hdf5: openHdf5,
  onnx: openOnnx,
  'numpy-npy': openNpy,
  'numpy-npz': openNpz,
  'flax-msgpack': openFlax,
  'tensorflow-checkpoint': openTensorflow,
  'tensorflow-saved-model': openTensorflow,
  llama2c: openLlama2c,
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
  'llama2c',
])

async function openSingleFile(path: string, options: ReadOptions): Promise<Checkpoint> {
  const { path: file, sizeBytes, tensors, metadata } = await readSafetensorsFile(path, options)
  return createCheckpoint({
    format: 'safetensors',
    files: [{ path: file, sizeBytes }],
    tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])),
    metadata,
    notes: [],
  })
}

/** Opens one file of weights: what it is, is in its first bytes. */
async function openWeightFile(path: string, options: ReadOptions): Promise<Checkpoint> {
  const name = basename(path)
  const kind = await detectFileKind(path)
  const reader = READERS[kind]
  if (reader) return reader(path, options)
  if (WEIGHT_KINDS.has(kind)) {
    throw engineError('checkpoint/unsupported-format', { path, found: [{ file: name, format: FILE_KIND_NAMES[kind] }] })
  }
  const impostor = kind === 'html' || kind === 'lfs-pointer' || kind === 'empty' || isArchiveKind(kind)
  if (kind !== 'safetensors' && !impostor && !name.endsWith('.safetensors')) throw engineError('checkpoint/unknown-format', { path })
  return openSingleFile(path, options)
}

function withNotes(checkpoint: Checkpoint, notes: readonly Note[]): Checkpoint {
  return notes.length === 0 ? checkpoint : { ...checkpoint, notes: [...notes, ...checkpoint.notes] }
}

async function openDirectory(directory: string, options: ReadOptions): Promise<Checkpoint> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((cause: unknown) => {
    throw fileError(directory, cause)
  })
  const names = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name)
  const choice = await chooseWeights(directory, names)
  switch (choice.kind) {
    case 'tensorflow':
      return openTensorflow(directory, options)
    case 'shards':
      return openShards(directory, choice.names, { ...options, open: openWeightFile, notes: choice.notes })
    case 'index':
      return withNotes(await openShardedCheckpoint(join(directory, choice.name), { ...options, open: openWeightFile }), choice.notes)
    case 'file':
      return withNotes(await openWeightFile(join(directory, choice.name), options), choice.notes)
  }
}

async function openFile(path: string, options: ReadOptions): Promise<Checkpoint> {
  const name = basename(path)
  if (name.endsWith('.index.json') && (await detectFileKind(path)) === 'json')
    return openShardedCheckpoint(path, { ...options, open: openWeightFile })
  const checkpoint = await openWeightFile(path, options)
  const shard = checkpoint.files.length === 1 ? shardOfName(name) : null
  return withNotes(
    checkpoint,
    shard && shard.count > 1 ? [note('checkpoint/one-shard-of-several', { index: shard.index, count: shard.count })] : [],
  )
}

/**
 * Opens a checkpoint: a model folder, a weight file, or a shard index. Only headers are read. A folder with .safetensors and other formats opens the safetensors.
 * Throws "bytes/not-found", "checkpoint/no-weights", "checkpoint/unsupported-format", "checkpoint/unknown-format", "checkpoint/ambiguous-weights" and what the readers throw.
 */
export async function openCheckpoint(path: string, options: ReadOptions = {}): Promise<Checkpoint> {
  const absolute = resolve(path)
  let isDirectory: boolean
  try {
    isDirectory = (await stat(absolute)).isDirectory()
  } catch (cause) {
    throw fileError(absolute, cause)
  }
  return isDirectory ? openDirectory(absolute, options) : openFile(absolute, options)
}
