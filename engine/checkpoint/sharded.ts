// Sharded safetensors: the headers of all shards of an index, checked against it and against each other.
import { dirname, join } from 'node:path'
import { EngineError, engineError } from '../errors'
import { readSafetensorsFile, type SafetensorsFile } from './safetensors'
import { readShardIndex, type ShardIndex } from './shard-index'
import { createCheckpoint } from './tensor-files'
import type { Checkpoint, TensorInfo } from './types'

/** Headers read at the same time: enough to hide a slow disk, few enough to keep buffers small. */
const MAX_PARALLEL_SHARDS = 8

interface OpenedShard {
  readonly shard: string
  readonly file: SafetensorsFile
}

async function readShard(directory: string, shard: string, signal: AbortSignal | undefined): Promise<OpenedShard> {
  try {
    return { shard, file: await readSafetensorsFile(join(directory, shard), signal ? { signal } : {}) }
  } catch (cause) {
    if (cause instanceof EngineError && cause.code === 'bytes/not-found')
      throw engineError('checkpoint/missing-shard', { shard, directory }, cause)
    throw cause
  }
}

/** Reads the headers of `shards` in `directory`, in order. Throws "checkpoint/missing-shard" and what readSafetensorsFile throws. */
async function readShards(directory: string, shards: readonly string[], signal: AbortSignal | undefined): Promise<readonly OpenedShard[]> {
  const opened: OpenedShard[] = []
  for (let start = 0; start < shards.length; start += MAX_PARALLEL_SHARDS) {
    const batch = shards.slice(start, start + MAX_PARALLEL_SHARDS)
    opened.push(...(await Promise.all(batch.map((shard) => readShard(directory, shard, signal)))))
  }
  return opened
}

function collectTensors(shards: readonly OpenedShard[]): {
  readonly tensors: Map<string, TensorInfo>
  readonly shardOf: Map<string, string>
} {
  const tensors = new Map<string, TensorInfo>()
  const shardOf = new Map<string, string>()
  for (const { shard, file } of shards) {
    for (const tensor of file.tensors) {
      const other = shardOf.get(tensor.name)
      if (other !== undefined) throw engineError('checkpoint/tensor-in-two-shards', { tensor: tensor.name, shards: [other, shard] })
      tensors.set(tensor.name, tensor)
      shardOf.set(tensor.name, shard)
    }
  }
  return { tensors, shardOf }
}

function compareWithIndex(index: ShardIndex, found: ReturnType<typeof collectTensors>): readonly string[] {
  const notes: string[] = []
  let misplaced = 0
  for (const [tensor, shard] of index.weightMap) {
    const actual = found.shardOf.get(tensor)
    if (actual === undefined) throw engineError('checkpoint/tensor-not-in-shard', { tensor, shard })
    if (actual !== shard) misplaced++
  }
  if (misplaced > 0) notes.push(`The index names the wrong shard for ${misplaced} tensors; they were found in other shards.`)
  const unlisted = [...found.tensors.keys()].filter((name) => !index.weightMap.has(name))
  if (unlisted.length > 0)
    notes.push(`The shards hold ${unlisted.length} tensors that the index does not list, the first of them ${unlisted[0] ?? ''}.`)
  const totalBytes = [...found.tensors.values()].reduce((sum, tensor) => sum + tensor.sizeBytes, 0)
  if (index.totalSizeBytes !== null && index.totalSizeBytes !== totalBytes) {
    notes.push(`The index states ${index.totalSizeBytes} bytes of tensors; the shards hold ${totalBytes}.`)
  }
  return notes
}

function mergeMetadata(shards: readonly OpenedShard[]): Readonly<Record<string, string>> {
  return Object.fromEntries(shards.flatMap(({ file }) => Object.entries(file.metadata)))
}

/** Makes a checkpoint of shards without an index, from their names in order. */
export async function openShards(
  directory: string,
  shards: readonly string[],
  options: { readonly signal?: AbortSignal; readonly notes: readonly string[] },
): Promise<Checkpoint> {
  const opened = await readShards(directory, shards, options.signal)
  const { tensors } = collectTensors(opened)
  return createCheckpoint({
    format: 'safetensors',
    files: opened.map(({ file }) => ({ path: file.path, sizeBytes: file.sizeBytes })),
    tensors,
    metadata: mergeMetadata(opened),
    notes: options.notes,
  })
}

/**
 * Opens the checkpoint that an index describes; only files the index names are opened.
 * Throws "checkpoint/missing-shard", "checkpoint/unsafe-shard-path", "checkpoint/tensor-in-two-shards", "checkpoint/tensor-not-in-shard" and what a shard's header throws.
 */
export async function openShardedCheckpoint(indexPath: string, options: { readonly signal?: AbortSignal } = {}): Promise<Checkpoint> {
  const index = await readShardIndex(indexPath, options)
  const opened = await readShards(dirname(indexPath), index.shards, options.signal)
  const found = collectTensors(opened)
  return createCheckpoint({
    format: 'safetensors',
    files: opened.map(({ file }) => ({ path: file.path, sizeBytes: file.sizeBytes })),
    tensors: found.tensors,
    metadata: mergeMetadata(opened),
    notes: compareWithIndex(index, found),
  })
}
