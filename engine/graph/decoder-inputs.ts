// The inputs of a decoder graph, and what is made from them once for all layers: positions and biases over distance.
import type { DecoderConfig } from '../config/decoder-config'
import { rotatesInsideAttention } from './blocks/heads'
import type { GraphBuilder } from './builder'
import { DECODER_IO } from './decoder-io'
import type { DecoderInputs } from './parts'

/** Whether the graph asks for the first position: where rotation is a node of its own, and for learned positions. */
export function needsPositionOffset(config: DecoderConfig): boolean {
  return (
    config.embedding.positions !== null ||
    config.attention.queryScaling !== null ||
    config.ropes.some((rope) => !rotatesInsideAttention(config, rope))
  )
}

function cast(builder: GraphBuilder, x: string, path: string, to: 'F32' | 'BF16' | 'I64'): string {
  return builder.node({ path, op: 'Cast', inputs: [x], attributes: { to: { cast: to } } })
}

function toBfloat16AndBack(builder: GraphBuilder, x: string, path: string): string {
  return cast(builder, cast(builder, x, `${path}/Cast`, 'BF16'), `${path}/Cast_1`, 'F32')
}

/**
 * Adds the bias over distance: slope x position of the key, the same for all rows, since softmax looks at differences only. Out: [1, heads, rows, total] F32.
 *
 *     total ── Range(0, total) ── Mul(slopes) ── Expand(rows) ── bias
 *
 * `rounded` follows Falcon, which multiplies in BF16 and scales the bias with the scores.
 */
export function addAlibi(
  builder: GraphBuilder,
  inputs: { readonly inputIds: string; readonly totalSequenceLength: string },
  config: DecoderConfig & { readonly attention: { readonly alibi: NonNullable<DecoderConfig['attention']['alibi']> } },
): string {
  const path = '/model/alibi'
  const { slopes, rounded } = config.attention.alibi
  const total = cast(builder, inputs.totalSequenceLength, `${path}/total/Cast`, 'F32')
  const range = builder.node({ path: `${path}/Range`, op: 'Range', inputs: [builder.float32('0', 0), total, builder.float32('1', 1)] })
  const positions = rounded ? toBfloat16AndBack(builder, range, `${path}/positions`) : range
  const slopeValue = builder.float32('alibi_slopes', slopes, [1, slopes.length, 1, 1])
  const factors = rounded ? toBfloat16AndBack(builder, slopeValue, `${path}/slopes`) : slopeValue
  const product = builder.node({ path: `${path}/Mul`, op: 'Mul', inputs: [factors, positions] })
  const scale = 1 / Math.sqrt(config.headDim)
  const bias = rounded
    ? builder.node({
        path: `${path}/scale/Mul`,
        op: 'Mul',
        inputs: [toBfloat16AndBack(builder, product, `${path}/product`), builder.float32(String(scale), scale)],
      })
    : product
  const rows = builder.node({ path: `${path}/Shape`, op: 'Shape', inputs: [inputs.inputIds] })
  const shape = builder.node({
    path: `${path}/Concat`,
    op: 'Concat',
    inputs: [builder.int64([1, slopes.length]), rows, builder.int64([1])],
    attributes: { axis: { int: 0 } },
  })
  return builder.node({ path: `${path}/Expand`, op: 'Expand', inputs: [bias, shape] })
}

/**
 * Adds what the queries of each row are multiplied with, out: [rows, 1] F32; null for families without it. Source: Transformers 5.18 `get_llama_4_attn_scale`.
 *
 *     ids ── Shape ── Range ── Add(offset) ── Div(every) ── Floor ── Add(1) ── Log ── Mul(beta) ── Add(1) ── y
 */
export function addQueryScale(
  builder: GraphBuilder,
  inputs: { readonly inputIds: string; readonly positionOffset: string | null },
  config: DecoderConfig,
): string | null {
  const { queryScaling } = config.attention
  if (queryScaling === null || inputs.positionOffset === null) return null
  const path = '/model/query_scale'
  const node = (name: string, op: string, nodeInputs: readonly string[]): string =>
    builder.node({ path: `${path}/${name}`, op, inputs: nodeInputs })
  const number = (value: number): string => builder.float32(String(value), value)
  const count = node('Squeeze', 'Squeeze', [node('Shape', 'Shape', [inputs.inputIds])])
  const zero = node('zero/Squeeze', 'Squeeze', [builder.int64([0])])
  const one = node('one/Squeeze', 'Squeeze', [builder.int64([1])])
  const positions = node('offset/Add', 'Add', [node('Range', 'Range', [zero, count, one]), inputs.positionOffset])
  const steps = node('Floor', 'Floor', [
    node('Div', 'Div', [cast(builder, positions, `${path}/Cast`, 'F32'), number(queryScaling.everyTokens)]),
  ])
  const grown = node('Mul', 'Mul', [node('Log', 'Log', [node('Add', 'Add', [steps, number(1)])]), number(queryScaling.beta)])
  return node('Reshape', 'Reshape', [node('Add_1', 'Add', [grown, number(1)]), builder.int64([-1, 1])])
}

/** Adds the inputs that the decoder needs. */
export function addDecoderInputs(builder: GraphBuilder, config: DecoderConfig): DecoderInputs {
  const inputIds = builder.input({ name: DECODER_IO.inputIds, dtype: 'I64', shape: ['rows'] })
  const logitsRows = builder.input({ name: DECODER_IO.logitsRows, dtype: 'I64', shape: ['logits_count'] })
  const seqlensK = builder.input({ name: DECODER_IO.seqlensK, dtype: 'I32', shape: [1] })
  const totalSequenceLength = builder.input({ name: DECODER_IO.totalSequenceLength, dtype: 'I32', shape: [] })
  const ropes = config.ropes.map((rope, index) => ({
    cos: builder.input({ name: DECODER_IO.cosCache(index), dtype: 'F32', shape: ['positions', rope.dim / 2] }),
    sin: builder.input({ name: DECODER_IO.sinCache(index), dtype: 'F32', shape: ['positions', rope.dim / 2] }),
  }))
  const positionOffset = needsPositionOffset(config) ? builder.input({ name: DECODER_IO.positionOffset, dtype: 'I64', shape: [1] }) : null
  const { alibi } = config.attention
  const attentionBias =
    alibi === null ? null : addAlibi(builder, { inputIds, totalSequenceLength }, { ...config, attention: { ...config.attention, alibi } })
  const queryScale = addQueryScale(builder, { inputIds, positionOffset }, config)
  return { inputIds, logitsRows, seqlensK, totalSequenceLength, ropes, positionOffset, attentionBias, queryScale }
}
