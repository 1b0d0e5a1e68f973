// Which block each weight belongs to, and the bytes it takes in memory once the decoder is loaded.
import type { TensorInfo } from '../checkpoint/types'
import type { DecoderConfig } from '../config/decoder-config'
import { bodyPrefix } from '../graph/body-prefix'
import { withStoredNames } from '../graph/stored-names'
import type { Widening } from '../graph/widening'

/** What the planner needs to know of a tensor. */
export type TensorSize = Pick<TensorInfo, 'name' | 'dtype' | 'shape' | 'sizeBytes'>

/** Bytes in memory by block. `head` is what the head needs beside the embedding when it is tied. */
export interface WeightMap {
  readonly embeddingBytes: number
  readonly layerBytes: readonly number[]
  readonly headBytes: number
  readonly tied: boolean
  /** The dtype that most bytes are stored in, 'F32' when there are none. */
  readonly dtype: string
  /** Bytes of the used tensors as stored. */
  readonly storedBytes: number
  /** Bytes in memory of the largest matrix as F32: what widening per run holds beside the weights. */
  readonly largestWidenedBytes: number
}

const F32_BYTES = 4

/** Bytes of a tensor as F32, whatever it is stored as. */
function widenedBytes({ shape }: TensorSize): number {
  return shape.reduce((product, size) => product * size, F32_BYTES)
}

/** Bytes that a matrix or vector of the graph occupies: F32 weights stay mapped as they are, 16-bit ones are copied to F32 at load or stay mapped. */
function residentBytes(tensor: TensorSize, widening: Widening): number {
  return tensor.dtype === 'F32' || widening === 'per-run' ? tensor.sizeBytes : widenedBytes(tensor)
}

/**
 * Sorts a decoder's tensors into embedding, layers and head by the names of its family; tensors that the family does not name are not loaded and not counted.
 */
export function mapWeights(options: {
  readonly config: DecoderConfig
  readonly tensors: Iterable<TensorSize>
  readonly widening: Widening
}): WeightMap {
  const { widening } = options
  const tensors = [...options.tensors]
  const config = withStoredNames(
    options.config,
    tensors.map(({ name }) => name),
  )
  const { names } = config
  const present = new Set(tensors.map(({ name }) => name))
  const has = (tensorName: string): boolean => present.has(tensorName)
  const prefix = bodyPrefix(config, has)
  const [beforeIndex = '', afterIndex = ''] = names.layer.split('{i}')
  const layerName = new RegExp(`^${escapeRegExp(prefix + beforeIndex)}(\\d+)${escapeRegExp(afterIndex)}\\.`)

  // With tied embeddings either tensor stands for both; where a checkpoint carries both all the same, each is used.
  const ownHead = `${names.head}.weight`
  const ownEmbedding = `${prefix}${names.embedding}.weight`
  const embeddingName = config.tieWordEmbeddings && !has(ownEmbedding) && has(ownHead) ? ownHead : ownEmbedding
  const headName = config.tieWordEmbeddings && !has(ownHead) ? ownEmbedding : ownHead

  const totals = { embeddingBytes: 0, headBytes: 0, storedBytes: 0, largestWidenedBytes: 0 }
  const layerBytes = new Array<number>(config.numHiddenLayers).fill(0)
  const bytesByDtype = new Map<string, number>()
  for (const tensor of tensors) {
    const { name, dtype, sizeBytes } = tensor
    const layer = Number(layerName.exec(name)?.[1] ?? -1)
    const resident = residentBytes(tensor, widening)
    const isTable = name === embeddingName
    if (isTable) totals.embeddingBytes += sizeBytes
    // The table is looked up as it is stored; a tied head multiplies with an F32 copy where the table is not F32.
    if (name === headName) totals.headBytes += isTable ? (resident === sizeBytes ? 0 : resident) : resident
    else if (belongsTo(name, [names.finalNorm, names.projectOut], prefix) || name === `${names.head}.bias`) totals.headBytes += resident
    else if (belongsTo(name, [names.embeddingNorm, names.projectIn], prefix)) totals.embeddingBytes += resident
    else if (belongsTo(name, [names.positions], prefix)) totals.embeddingBytes += sizeBytes
    else if (config.ignoredTensors.some((part) => name.includes(part))) continue
    else if (layer >= 0 && layer < config.numHiddenLayers) layerBytes[layer] = (layerBytes[layer] ?? 0) + resident
    else if (!isTable) continue
    totals.storedBytes += sizeBytes
    totals.largestWidenedBytes = Math.max(totals.largestWidenedBytes, widenedBytes(tensor))
    bytesByDtype.set(dtype, (bytesByDtype.get(dtype) ?? 0) + sizeBytes)
  }
  const [largest] = [...bytesByDtype].sort(([, a], [, b]) => b - a)
  return { ...totals, layerBytes, tied: headName === embeddingName, dtype: largest?.[0] ?? 'F32' }
}

/** Whether a tensor is the weight or bias of one of the modules. */
function belongsTo(name: string, modules: readonly (string | null | undefined)[], prefix: string): boolean {
  return modules.some(
    (module) => typeof module === 'string' && (name === `${prefix}${module}.weight` || name === `${prefix}${module}.bias`),
  )
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
