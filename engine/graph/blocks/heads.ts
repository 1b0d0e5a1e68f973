// Heads that GroupQueryAttention cannot take as they are: rotation as a node of its own, and padding to the width it asks for.
import type { RopeConfig } from '../../config/decoder-config'
import type { GraphBuilder } from '../builder'

/** GroupQueryAttention rotates only whole groups of this many dimensions (group_query_attention_helper.h of ONNX Runtime 1.30). */
const FUSED_ROTARY_MULTIPLE = 16
/** GroupQueryAttention takes heads of a multiple of this many dimensions (same source). */
const HEAD_DIM_MULTIPLE = 8

/** Whether GroupQueryAttention can rotate such heads itself; otherwise a RotaryEmbedding node does. */
export function rotatesInsideAttention(config: { readonly headDim: number; readonly rope: RopeConfig }): boolean {
  return config.headDim % FUSED_ROTARY_MULTIPLE === 0 && config.rope.dim % FUSED_ROTARY_MULTIPLE === 0
}

/** Dimensions of a head inside attention and in the KV cache: `headDim`, filled up with zeros where attention asks for more. */
export function paddedHeadDim(headDim: number): number {
  return Math.ceil(headDim / HEAD_DIM_MULTIPLE) * HEAD_DIM_MULTIPLE
}

/** Heads lying side by side in x: [1, rows, numHeads * headDim] F32. */
export interface Heads {
  readonly path: string
  readonly x: string
  readonly numHeads: number
  readonly headDim: number
}

/**
 * Rotates the first `rotaryDim` dimensions of every head; same shape out.
 *
 *     x ── RotaryEmbedding(offset, cos, sin) ── y
 */
export function addRotary(
  builder: GraphBuilder,
  heads: Heads,
  rotary: { readonly rotaryDim: number; readonly positionOffset: string; readonly cosCache: string; readonly sinCache: string },
): string {
  return builder.node({
    path: `${heads.path}/RotaryEmbedding`,
    op: 'RotaryEmbedding',
    domain: 'com.microsoft',
    inputs: [heads.x, rotary.positionOffset, rotary.cosCache, rotary.sinCache],
    attributes: { num_heads: { int: heads.numHeads }, rotary_embedding_dim: { int: rotary.rotaryDim } },
  })
}

/**
 * Appends zeros to every head, which changes neither scores nor the first `headDim` dimensions of the result. Out: [1, rows, numHeads * paddedHeadDim].
 *
 *     x ── Reshape(heads apart) ── Pad ── Reshape(side by side) ── y
 */
export function padHeads(builder: GraphBuilder, heads: Heads): string {
  const { path, x, numHeads, headDim } = heads
  const padded = paddedHeadDim(headDim)
  if (padded === headDim) return x
  const apart = builder.node({ path: `${path}/pad/Reshape`, op: 'Reshape', inputs: [x, builder.int64([1, -1, numHeads, headDim])] })
  const pads = builder.int64([0, 0, 0, 0, 0, 0, 0, padded - headDim])
  const wide = builder.node({ path: `${path}/pad/Pad`, op: 'Pad', inputs: [apart, pads] })
  return builder.node({ path: `${path}/pad/Reshape_1`, op: 'Reshape', inputs: [wide, builder.int64([1, -1, numHeads * padded])] })
}

/**
 * Undoes `padHeads` and drops the batch axis. x: [1, rows, numHeads * paddedHeadDim], out: [rows, numHeads * headDim].
 *
 *     x ── (Reshape(heads apart) ── Slice) ── Reshape(rows) ── y
 */
export function unpadHeads(builder: GraphBuilder, heads: Heads): string {
  const { path, numHeads, headDim } = heads
  const padded = paddedHeadDim(headDim)
  let x = heads.x
  if (padded !== headDim) {
    const apart = builder.node({ path: `${path}/unpad/Reshape`, op: 'Reshape', inputs: [x, builder.int64([1, -1, numHeads, padded])] })
    const range = [builder.int64([0]), builder.int64([headDim]), builder.int64([3])]
    x = builder.node({ path: `${path}/unpad/Slice`, op: 'Slice', inputs: [apart, ...range] })
  }
  return builder.node({ path: `${path}/Reshape`, op: 'Reshape', inputs: [x, builder.int64([-1, numHeads * headDim])] })
}
