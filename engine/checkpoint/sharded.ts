// Sharded checkpoints: all shards of an index, checked against it and against each other, read as one. Each shard's reader is that of its content.
import { dirname, join } from 'node:path'
import { EngineError, engineError } from '../errors'
import { readShardIndex, type ShardIndex } from './shard-index'
import type { Checkpoint, CheckpointReader, TensorInfo } from './types'
import { countSome, distinctNotes, note, type Note } from '../notes'

/** Headers read at the same time: enough to hide a slow disk, few enough to keep buffers small. */
const MAX_PARALLEL_SHARDS = 8

interface OpenedShard {
  readonly shard: string
  readonly checkpoint: Checkpoint
}

interface ShardOptions {
  /** Opens one shard. */
  readonly open: CheckpointReader
  readonly signal?: AbortSignal
}

async function openShard(directory: string, shard: string, { open, signal }: ShardOptions): Promise<OpenedShard> {
  try {
    return { shard, checkpoint: await open(join(directory, shard), signal ? { signal } : {}) }
  } catch (cause) {
    if (cause instanceof EngineError && cause.code === 'bytes/not-found')
      throw engineError('checkpoint/missing-shard', { shard, directory }, cause)
    throw cause
  }
}

/** Opens `shards` of `directory`, in order. Throws "checkpoint/missing-shard" and what opening a shard throws. */
async function openAll(directory: string, shards: readonly string[], options: ShardOptions): Promise<readonly OpenedShard[]> {
  const opened: OpenedShard[] = []
  for (let start = 0; start < shards.length; start += MAX_PARALLEL_SHARDS) {
    const batch = shards.slice(start, start + MAX_PARALLEL_SHARDS)
    opened.push(...(await Promise.all(batch.map((shard) => openShard(directory, shard, options)))))
  }
  return opened
}

interface CollectedTensors {
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly shardOf: ReadonlyMap<string, OpenedShard>
}

function collectTensors(shards: readonly OpenedShard[]): CollectedTensors {
  const tensors = new Map<string, TensorInfo>()
  const shardOf = new Map<string, OpenedShard>()
  for (const opened of shards) {
    for (const tensor of opened.checkpoint.tensors.values()) {
      const other = shardOf.get(tensor.name)
      if (other) throw engineError('checkpoint/tensor-in-two-shards', { tensor: tensor.name, shards: [other.shard, opened.shard] })
      tensors.set(tensor.name, tensor)
      shardOf.set(tensor.name, opened)
    }
  }
  return { tensors, shardOf }
}

/** Bytes of all tensors, those with several names once. */
function distinctBytes(tensors: Iterable<TensorInfo>): number {
  const seen = new Set<string>()
  let bytes = 0
  for (const tensor of tensors) {
    if (tensor.storage !== 'computed') {
      const place = `${tensor.offsetBytes} ${tensor.sizeBytes} ${tensor.file}`
      if (seen.has(place)) continue
      seen.add(place)
    }
    bytes += tensor.sizeBytes
  }
  return bytes
}

function compareWithIndex(index: ShardIndex, found: CollectedTensors): readonly Note[] {
  const notes: Note[] = []
  let misplaced = 0
  for (const [tensor, shard] of index.weightMap) {
    const actual = found.shardOf.get(tensor)
    if (actual === undefined) throw engineError('checkpoint/tensor-not-in-shard', { tensor, shard })
    if (actual.shard !== shard) misplaced++
  }
  if (misplaced > 0) notes.push(note('checkpoint/wrong-shard-in-index', { count: misplaced }))
  const unlisted = [...found.tensors.keys()].filter((name) => !index.weightMap.has(name))
  if (unlisted.length > 0) notes.push(note('checkpoint/not-in-index', countSome(unlisted)))
  const totalBytes = [...found.tensors.values()].reduce((sum, tensor) => sum + tensor.sizeBytes, 0)
  const isStated = index.totalSizeBytes === totalBytes || index.totalSizeBytes === distinctBytes(found.tensors.values())
  if (index.totalSizeBytes !== null && !isStated) {
    notes.push(note('checkpoint/wrong-total-in-index', { statedBytes: index.totalSizeBytes, foundBytes: totalBytes }))
  }
  return notes
}

/** One checkpoint of several; each tensor is read through the shard that holds it. */
function joinShards(shards: readonly OpenedShard[], found: CollectedTensors, notes: readonly Note[]): Checkpoint {
  const { tensors, shardOf } = found
  const owner = (name: string): Checkpoint => {
    const opened = shardOf.get(name)
    if (!opened) throw engineError('checkpoint/unknown-tensor', { tensor: name, count: tensors.size })
    return opened.checkpoint
  }
  return {
    format: shards[0]?.checkpoint.format ?? 'safetensors',
    files: shards.flatMap(({ checkpoint }) => checkpoint.files),
    tensors,
    metadata: Object.fromEntries(shards.flatMap(({ checkpoint }) => Object.entries(checkpoint.metadata))),
    notes: distinctNotes([...notes, ...shards.flatMap(({ checkpoint }) => checkpoint.notes)]),
    read: async (name, signal) => owner(name).read(name, signal),
    readRange: async (range) => owner(range.name).readRange(range),
    readQuantized: async (rows) => {
      const matrix = await owner(rows.name).readQuantized?.(rows)
      if (matrix === undefined) throw engineError('checkpoint/not-quantized', { tensor: rows.name })
      return matrix
    },
    [Symbol.dispose]: () => {
      for (const { checkpoint } of shards) checkpoint[Symbol.dispose]()
    },
  }
}

/** Makes a checkpoint of shards without an index, from their names in order. */
export async function openShards(
  directory: string,
  shards: readonly string[],
  options: ShardOptions & { readonly notes: readonly Note[] },
): Promise<Checkpoint> {
  const opened = await openAll(directory, shards, options)
  return joinShards(opened, collectTensors(opened), options.notes)
}

/**
 * Opens the checkpoint that an index describes; only files the index names are opened.
 * Throws "checkpoint/missing-shard", "checkpoint/unsafe-shard-path", "checkpoint/tensor-in-two-shards", "checkpoint/tensor-not-in-shard" and what opening a shard throws.
 */
export async function openShardedCheckpoint(indexPath: string, options: ShardOptions): Promise<Checkpoint> {
  const index = await readShardIndex(indexPath, options.signal ? { signal: options.signal } : {})
  const opened = await openAll(dirname(indexPath), index.shards, options)
  const found = collectTensors(opened)
  return joinShards(opened, found, compareWithIndex(index, found))
}
