// The weights that a decoder asks for, found by building its graph without a file: what a planner sizes, and what a bare config.json stands for.
import type { ComputedTensor, TensorInfo } from '../checkpoint/types'
import type { DecoderConfig } from '../config/decoder-config'
import { DTYPE_BITS } from '../tensor/dtype'
import type { NBitsFormat } from '../tensor/nbits/layout'
import { bodyPrefix, firstLayerFolder } from './body-prefix'
import { createGraphBuilder } from './builder'
import { addDecoderInputs } from './decoder-inputs'
import { addLayer } from './decoder-layer'
import { addEmbedding, addHead, embeddingTensors } from './embedding'
import type { Parts } from './parts'
import { withStoredNames } from './stored-names'
import { slotName, type LinearSlot, type WeightStore, type WeightSlot } from './weights'

/** A block of a decoder: an end, or a layer by its number. */
export type StageOfDecoder = 'embedding' | 'head' | number

/** One use of one weight, in the order in which the graph asks. A tied table is used twice. */
export type UsedWeight = { readonly stage: StageOfDecoder } & (
  { readonly use: 'matrix'; readonly slot: LinearSlot } | { readonly use: 'table' | 'vector'; readonly slot: WeightSlot }
)

/** The weights of a decoder whose checkpoint has the tensors of these names; without a name the family's own layout is taken. */
export function usedWeights(options: { readonly config: DecoderConfig; readonly tensorNames: ReadonlySet<string> }): {
  readonly used: readonly UsedWeight[]
  /** What the names of the first layer's tensors begin with. */
  readonly firstLayer: string
} {
  const { tensorNames } = options
  const config = withStoredNames(options.config, tensorNames)
  const used: UsedWeight[] = []
  let stage: StageOfDecoder = 'embedding'
  const has = (tensor: string): boolean => tensorNames.has(tensor)
  const weights: WeightStore = {
    has,
    linear: (slot) => {
      used.push({ stage, use: 'matrix', slot })
      return { kind: 'dense', value: slotName(slot), layout: slot.layout }
    },
    table: (slot) => {
      used.push({ stage, use: 'table', slot })
      return { kind: 'plain', value: slotName(slot), dtype: 'F32' }
    },
    vector: (slot) => {
      used.push({ stage, use: 'vector', slot })
      return slotName(slot)
    },
    placedBytes: () => 0,
    unexpected: () => [],
  }
  const builder = createGraphBuilder({ name: 'plan' })
  const parts: Parts = { builder, weights, config, inputs: addDecoderInputs(builder, config), prefix: bodyPrefix(config, has) }
  const tensor = embeddingTensors(parts)
  let residual = addEmbedding(parts, tensor.embedding)
  for (let index = 0; index < config.numHiddenLayers; index++) {
    stage = index
    residual = addLayer(parts, residual, index)
  }
  stage = 'head'
  addHead(parts, residual, tensor.head)
  return { used, firstLayer: firstLayerFolder(config, parts.prefix) }
}

/**
 * The tensors of a checkpoint that is not there: names and shapes as the family has them, all of one dtype. `packed` is how its matrices are quantized
 * already, where the configuration says so; embedding, head and routers are not.
 */
export function imaginedTensors(
  config: DecoderConfig,
  stored: { readonly dtype: 'F32' | 'F16' | 'BF16'; readonly packed: NBitsFormat | null },
): ReadonlyMap<string, TensorInfo> {
  const tensors = new Map<string, TensorInfo>()
  for (const { use, slot } of usedWeights({ config, tensorNames: new Set() }).used) {
    const shape = slot.slice === undefined ? slot.shape : [slot.slice.count, ...slot.shape]
    const values = shape.reduce((product, size) => product * size, 1)
    const common = { name: slot.tensor, file: '', shape }
    const quantized = use === 'matrix' && slot.exact !== true && slot.isHead !== true ? stored.packed : null
    const packed: ComputedTensor | null =
      quantized === null
        ? null
        : { ...common, dtype: 'F32', sizeBytes: values * 4, storage: 'computed', computation: 'dequantized', quantized }
    tensors.set(
      slot.tensor,
      packed ?? { ...common, dtype: stored.dtype, sizeBytes: (values * DTYPE_BITS[stored.dtype]) / 8, offsetBytes: 0 },
    )
  }
  return tensors
}
