// The decoder graph with the borders that exported models have: what plain ONNX Runtime, optimum's runner and onnxruntime-genai feed. Names follow the model builder of onnxruntime-genai 0.9.
import { engineError } from '../errors'
import type { DecoderConfig } from '../config/decoder-config'
import { createPlacement } from '../prepared/placement'
import type { TensorInfo } from '../checkpoint/types'
import { bodyPrefix, firstLayerFolder } from './body-prefix'
import { withStoredNames } from './stored-names'
import { createGraphBuilder, type GraphBuilder } from './builder'
import { addAlibi, addQueryScale, needsPositionOffset } from './decoder-inputs'
import { DECODER_IO } from './decoder-io'
import { addDecoderBody } from './decoder'
import type { DecoderInputs } from './parts'
import { ropeDependsOnLength, ropeFrequencies } from './rope/frequencies'
import { chooseByName } from './format-override'
import { createWeightStore } from './weights'

/** Free dimensions of the borders. The batch is one sequence. */
const SEQUENCE = 'sequence_length'
const TOTAL = 'total_sequence_length'
const PAST = 'past_sequence_length'
const BATCH = 1

const MASK = 'attention_mask'

function cast(builder: GraphBuilder, x: string, path: string, to: 'F32' | 'I32'): string {
  return builder.node({ path, op: 'Cast', inputs: [x], attributes: { to: { cast: to } } })
}

/** Length of an axis. Out: [1] I64. */
function addLength(builder: GraphBuilder, x: string, axis: { readonly path: string; readonly index: number }): string {
  const { path, index } = axis
  return builder.node({ path, op: 'Shape', inputs: [x], attributes: { start: { int: index }, end: { int: index + 1 } } })
}

function addScalar(builder: GraphBuilder, x: string, path: string): string {
  return builder.node({ path, op: 'Squeeze', inputs: [x] })
}

function addRange(builder: GraphBuilder, count: string, path: string): string {
  const constant = (value: number): string => addScalar(builder, builder.int64([value]), `${path}/${value}/Squeeze`)
  return builder.node({
    path: `${path}/Range`,
    op: 'Range',
    inputs: [constant(0), addScalar(builder, count, `${path}/Squeeze`), constant(1)],
  })
}

/**
 * Tables of rotation for all positions so far. Out: [total, dim / 2] F32 each.
 *
 *     total ── Range ── Cast ── Mul(inverse frequencies) ─┬─ Cos ─ (Mul scaling) ─ cos
 *                                                         └─ Sin ─ (Mul scaling) ─ sin
 */
function addRopeTables(builder: GraphBuilder, config: DecoderConfig, positions: string): DecoderInputs['ropes'] {
  return config.ropes.map((rope, index) => {
    const path = `/model/rotary.${index}`
    const { inverse, attentionScaling } = ropeFrequencies(rope, config.maxPositionEmbeddings)
    const column = builder.node({ path: `${path}/Reshape`, op: 'Reshape', inputs: [positions, builder.int64([-1, 1])] })
    const frequencies = builder.float32(`inverse_frequencies.${index}`, [...inverse], [1, inverse.length])
    const angles = builder.node({ path: `${path}/Mul`, op: 'Mul', inputs: [column, frequencies] })
    const table = (op: 'Cos' | 'Sin'): string => {
      const values = builder.node({ path: `${path}/${op}`, op, inputs: [angles] })
      if (attentionScaling === 1) return values
      const factor = builder.float32(String(attentionScaling), attentionScaling)
      return builder.node({ path: `${path}/${op}/Mul`, op: 'Mul', inputs: [values, factor] })
    }
    return { cos: table('Cos'), sin: table('Sin') }
  })
}

/**
 * Adds `input_ids` [1, sequence] and `attention_mask` [1, total], both I64, and makes what the decoder reads from their shapes: the mask says how long the
 * sequence is, and must be all ones.
 */
function addExportInputs(builder: GraphBuilder, config: DecoderConfig): DecoderInputs {
  const ids = builder.input({ name: DECODER_IO.inputIds, dtype: 'I64', shape: [BATCH, SEQUENCE] })
  const mask = builder.input({ name: MASK, dtype: 'I64', shape: [BATCH, TOTAL] })
  const inputIds = builder.node({ path: '/model/ids/Reshape', op: 'Reshape', inputs: [ids, builder.int64([-1])] })
  const sequence = addLength(builder, ids, { path: '/model/ids/Shape', index: 1 })
  const total = addLength(builder, mask, { path: '/model/mask/Shape', index: 1 })
  const last = builder.node({ path: '/model/mask/Sub', op: 'Sub', inputs: [total, builder.int64([1])] })
  const totalSequenceLength = cast(builder, addScalar(builder, total, '/model/mask/Squeeze'), '/model/mask/Cast', 'I32')
  const positions = cast(builder, addRange(builder, total, '/model/positions'), '/model/positions/Cast', 'F32')
  const { alibi } = config.attention
  const positionOffset = needsPositionOffset(config)
    ? builder.node({ path: '/model/offset/Sub', op: 'Sub', inputs: [total, sequence] })
    : null
  return {
    inputIds,
    logitsRows: addRange(builder, sequence, '/model/rows'),
    seqlensK: cast(builder, last, '/model/mask/last/Cast', 'I32'),
    totalSequenceLength,
    ropes: addRopeTables(builder, config, positions),
    positionOffset,
    queryScale: addQueryScale(builder, { inputIds, positionOffset }, config),
    attentionBias:
      alibi === null
        ? null
        : addAlibi(builder, { inputIds, totalSequenceLength }, { ...config, attention: { ...config.attention, alibi } }),
  }
}

/** A builder that gives the graph's borders the shapes of an export: logits [1, sequence, vocab], caches that grow. */
function withExportBorders(builder: GraphBuilder, config: DecoderConfig): GraphBuilder {
  const rows = '/lm_head/rows'
  const reshapeLogits = (): void => {
    builder.node({
      path: '/lm_head/Reshape',
      op: 'Reshape',
      inputs: [rows, builder.int64([BATCH, -1, config.vocabSize])],
      outputs: [DECODER_IO.logits],
    })
  }
  const cacheShape = (shape: readonly (number | string)[], length: string): readonly (number | string)[] =>
    shape.map((size, axis) => (axis === 0 ? BATCH : axis === 2 ? length : size))
  return {
    ...builder,
    node: (spec) => {
      const [first, ...others] = spec.outputs ?? [`${spec.path}/output_0`]
      return builder.node({ ...spec, outputs: [first === DECODER_IO.logits ? rows : first, ...others] })
    },
    input: (border) => builder.input({ ...border, shape: cacheShape(border.shape, PAST) }),
    output: (border) => {
      if (border.name !== DECODER_IO.logits) return builder.output({ ...border, shape: cacheShape(border.shape, TOTAL) })
      reshapeLogits()
      return builder.output({ ...border, shape: [BATCH, SEQUENCE, config.vocabSize] })
    },
  }
}

/** Throws "graph/not-exportable" for what a fixed graph cannot do: frequencies that depend on the length, layers whose state is not keys and values. */
function checkExportable(config: DecoderConfig): void {
  const what = config.ropes.some(ropeDependsOnLength)
    ? 'rotary frequencies that depend on the length of the text'
    : config.layers.some(({ mixer }) => mixer !== 'attention')
      ? 'layers that are no attention'
      : null
  if (what !== null) throw engineError('graph/not-exportable', { family: config.family, what })
}

/**
 * Builds a decoder as a stand-alone ONNX model over weights that lie in one file beside it, `location`, where `tensors` say.
 * Throws "graph/not-exportable", "graph/weight-missing", "graph/weight-shape".
 */
export function buildExportGraph(options: {
  readonly config: DecoderConfig
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly location: string
}): Uint8Array {
  const { tensors, location } = options
  const config = withStoredNames(options.config, tensors.keys())
  checkExportable(config)
  const { family, ignoredTensors } = config
  const plain = createGraphBuilder({ name: `${family} decoder` })
  const inputs = addExportInputs(plain, config)
  const builder = withExportBorders(plain, config)
  const prefix = bodyPrefix(config, (tensor) => tensors.has(tensor))
  const weights = createWeightStore({
    builder,
    tensors,
    family,
    ignoredTensors,
    firstLayer: firstLayerFolder(config, prefix),
    locate: () => location,
    widening: 'at-load',
    formats: chooseByName('f32', []),
    prepared: { placement: createPlacement(), location: '' },
  })
  addDecoderBody({ builder, weights, config, inputs, prefix })
  return plain.finish()
}
