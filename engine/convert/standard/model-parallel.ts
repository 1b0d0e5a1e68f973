// Meta's model-parallel checkpoints: consolidated.00.pth to consolidated.NN.pth, each with a part of every matrix, read as one. Axes follow fairscale's layers in meta-llama/llama (model.py).
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { openCheckpoint } from '../../checkpoint/open'
import type { Checkpoint, TensorInfo } from '../../checkpoint/types'
import { engineError } from '../../errors'
import { deriveCheckpoint, type DerivedTensor } from '../derived-checkpoint'
import { joinColumns, rowsOf, stackRows } from '../rows'

const SHARD = /^consolidated\.(\d{2,3})\.pth$/

/** Parallel over outputs: rows follow each other. */
const BY_ROWS = /(^|\.)(wq|wk|wv|wqkv|w1|w3|output)\.(weight|bias)$/
/** Parallel over inputs: columns lie side by side. */
const BY_COLUMNS = /(^|\.)(wo|w2)\.weight$/
/** Llama 1 and 2 split the embedding by columns, Llama 3 by rows. */
const EMBEDDING = /(^|\.)tok_embeddings\.weight$/

/** The shards of a folder, or beside one of them, in order; empty where there are none. */
async function shardPaths(path: string): Promise<readonly string[]> {
  const isFolder = (await stat(path).catch(() => null))?.isDirectory() === true
  if (!isFolder && !SHARD.test(basename(path))) return []
  const folder = isFolder ? path : dirname(path)
  const names = (await readdir(folder)).filter((name) => SHARD.test(name)).sort()
  names.forEach((name, index) => {
    if (Number(SHARD.exec(name)?.[1]) !== index)
      throw engineError('convert/model-parallel-shards', { path: folder, reason: `${name} is where number ${index} should be` })
  })
  return names.map((name) => join(folder, name))
}

/** How the parts of one tensor are put together. `width` is the model's, from a norm, which every shard has whole. */
function joinParts(parts: readonly { readonly checkpoint: Checkpoint; readonly tensor: TensorInfo }[], width: number): DerivedTensor {
  const [first] = parts
  if (!first) throw new RangeError('A tensor has at least one part.')
  const { tensor, checkpoint } = first
  const { name, dtype, shape, file } = tensor
  const byColumns = BY_COLUMNS.test(name) || (EMBEDDING.test(name) && shape[1] !== width)
  if (!byColumns && !BY_ROWS.test(name) && !EMBEDDING.test(name)) return { kind: 'same', checkpoint, tensor }
  const rows = parts.map((part) => rowsOf(part.checkpoint, part.tensor))
  const total = (axis: number): number => parts.reduce((sum, part) => sum + (part.tensor.shape[axis] ?? 0), 0)
  return byColumns
    ? { kind: 'made', rows: joinColumns(rows), dtype, shape: [shape[0] ?? 0, total(1)], file }
    : { kind: 'made', rows: stackRows(rows), dtype, shape: [total(0), ...shape.slice(1)], file }
}

function merge(shards: readonly Checkpoint[], path: string): Checkpoint {
  const [first] = shards
  const width = first?.tensors.get('norm.weight')?.shape[0]
  if (!first || width === undefined) throw engineError('convert/model-parallel-shards', { path, reason: 'there is no norm.weight' })
  const merged = new Map<string, DerivedTensor>()
  for (const [name, model] of first.tensors) {
    const parts = shards.map((checkpoint) => ({ checkpoint, tensor: checkpoint.tensors.get(name) }))
    const complete = parts.flatMap(({ checkpoint, tensor }) => (tensor ? [{ checkpoint, tensor }] : []))
    if (complete.length < parts.length) throw engineError('convert/model-parallel-shards', { path, reason: `not every one has ${name}` })
    if (complete.some(({ tensor }) => tensor.dtype !== model.dtype || tensor.shape.join() !== model.shape.join()))
      throw engineError('convert/model-parallel-shards', { path, reason: `their parts of ${name} differ in shape` })
    merged.set(name, joinParts(complete, width))
  }
  return deriveCheckpoint(shards, merged)
}

/** Opens Meta's shards as one checkpoint; null where the path holds none. Throws "convert/model-parallel-shards" and what opening a file throws. */
export async function openModelParallel(path: string, options: { readonly signal?: AbortSignal }): Promise<Checkpoint | null> {
  const paths = await shardPaths(path)
  if (paths.length === 0) return null
  const shards: Checkpoint[] = []
  try {
    for (const shard of paths) shards.push(await openCheckpoint(shard, options))
    return shards.length === 1 ? (shards[0] ?? null) : merge(shards, path)
  } catch (cause) {
    for (const shard of shards) shard[Symbol.dispose]()
    throw cause
  }
}
