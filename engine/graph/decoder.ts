// The decoder graph: token ids and a KV cache in, logits of chosen positions out; assembled as the config says.
import type { TensorInfo } from '../checkpoint/types'
import type { DecoderConfig } from '../config/decoder-config'
import { bodyPrefix, firstLayerFolder } from './body-prefix'
import { withStoredNames } from './stored-names'
import { createGraphBuilder } from './builder'
import { addDecoderInputs } from './decoder-inputs'
import { addLayer } from './decoder-layer'
import { addEmbedding, addHead, embeddingTensors } from './embedding'
import type { Parts } from './parts'
import { createPlacement, type PreparedPlacement } from '../prepared/placement'
import { chooseByName, type FormatOverride } from './format-override'
import type { WeightFormatName } from './weight-format'
import { createWeightStore } from './weights'
import type { Widening } from './widening'

/** A decoder as a serialized ONNX model, with what the runtime must know to run it. */
export interface DecoderGraph {
  readonly model: Uint8Array
  /** Whether `position_offset` is an input: rotation is then a node of its own, or positions are learned. */
  readonly usesPositionOffset: boolean
  /** Bytes of the placed weights, as stored. */
  readonly weightBytes: number
  /** Remarks for people: tensors that the family does not use. */
  readonly notes: readonly string[]
}

/** What a decoder graph is built from. `locate` turns a checkpoint file into a location relative to the session's external-data folder. */
export interface DecoderGraphOptions {
  readonly config: DecoderConfig
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly locate: (file: string) => string
  readonly widening: Widening
  /** Default f32. */
  readonly format?: WeightFormatName
  /** Formats of single matrices. */
  readonly formatOverrides?: readonly FormatOverride[]
  /** Where what the checkpoint does not hold as it is used will lie; the placement knows afterwards what that is. Needed only where there is such. */
  readonly prepared?: { readonly placement: PreparedPlacement; readonly location: string }
}

/** More names than this in one remark help nobody. */
const MAX_NAMED_TENSORS = 5

function describeUnexpected(names: readonly string[], family: string): readonly string[] {
  if (names.length === 0) return []
  const named = names.slice(0, MAX_NAMED_TENSORS).join(', ')
  const more = names.length > MAX_NAMED_TENSORS ? ` and ${names.length - MAX_NAMED_TENSORS} more` : ''
  return [`A ${family} decoder does not use ${named}${more}.`]
}

/** Adds embedding, layers, norm and head. */
export function addDecoderBody(parts: Parts): void {
  const tensor = embeddingTensors(parts)
  let residual = addEmbedding(parts, tensor.embedding)
  for (let index = 0; index < parts.config.numHiddenLayers; index++) residual = addLayer(parts, residual, index)
  addHead(parts, residual, tensor.head)
}

/**
 * Builds the decoder of a checkpoint: embedding, layers, norm, head; weights stay in their files, or get a place in the prepared one.
 * Throws "graph/weight-missing", "graph/weight-shape", "graph/format-override-unmatched".
 */
export function buildDecoderGraph(options: DecoderGraphOptions): DecoderGraph {
  const { tensors, locate, widening, format = 'f32', prepared = { placement: createPlacement(), location: '' } } = options
  const config = withStoredNames(options.config, tensors.keys())
  const { family, ignoredTensors } = config
  const formats = chooseByName(format, options.formatOverrides ?? [])
  const builder = createGraphBuilder({ name: `${family} decoder` })
  const prefix = bodyPrefix(config, (tensor) => tensors.has(tensor))
  const firstLayer = firstLayerFolder(config, prefix)
  const weights = createWeightStore({ builder, tensors, family, ignoredTensors, firstLayer, locate, widening, formats, prepared })
  const inputs = addDecoderInputs(builder, config)
  addDecoderBody({ builder, weights, config, inputs, prefix })

  formats.checkUsed()
  return {
    model: builder.finish(),
    usesPositionOffset: inputs.positionOffset !== null,
    weightBytes: weights.placedBytes(),
    notes: describeUnexpected(weights.unexpected(), family),
  }
}
