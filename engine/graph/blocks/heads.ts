// Heads that GroupQueryAttention cannot take as they are: rotation as a node of its own, and padding to the width it asks for.
import type { DecoderConfig, RopeConfig } from '../../config/decoder-config'
import type { GraphBuilder } from '../builder'

/** GroupQueryAttention rotates only whole groups of this many dimensions (group_query_attention_helper.h of ONNX Runtime 1.30). */
const FUSED_ROTARY_MULTIPLE = 16
/** GroupQueryAttention takes heads of a multiple of this many dimensions (same source). */
const HEAD_DIM_MULTIPLE = 8

/** Whether GroupQueryAttention rotates the heads of a layer itself; otherwise a RotaryEmbedding node does. */
export function rotatesInsideAttention(config: Pick<DecoderConfig, 'attention' | 'headDim'>, rope: RopeConfig): boolean {
  const { latent, queryKeyNorm } = config.attention
  if (latent !== null || queryKeyNorm?.afterRope === true) return false
  return config.headDim % FUSED_ROTARY_MULTIPLE === 0 && rope.dim % FUSED_ROTARY_MULTIPLE === 0
}

/** Dimensions of a head inside attention and in the KV cache: the wider of keys and values, filled up with zeros where attention asks for more. */
export function cacheHeadDim(config: Pick<DecoderConfig, 'attention' | 'headDim'>): number {
  const width = Math.max(config.headDim, config.attention.latent?.valueDim ?? 0)
  return Math.ceil(width / HEAD_DIM_MULTIPLE) * HEAD_DIM_MULTIPLE
}

/** Heads lying side by side in x: [1, rows, numHeads * headDim] F32. */
export interface Heads {
  readonly path: string
  readonly x: string
  readonly numHeads: number
  readonly headDim: number
}

/**
 * Rotates the first `rope.dim` dimensions of every head; same shape out.
 *
 *     x ── RotaryEmbedding(offset, cos, sin) ── y
 */
export function addRotary(
  builder: GraphBuilder,
  heads: Heads,
  rotary: { readonly rope: RopeConfig; readonly positionOffset: string; readonly cos: string; readonly sin: string },
): string {
  return builder.node({
    path: `${heads.path}/RotaryEmbedding`,
    op: 'RotaryEmbedding',
    domain: 'com.microsoft',
    inputs: [heads.x, rotary.positionOffset, rotary.cos, rotary.sin],
    attributes: {
      num_heads: { int: heads.numHeads },
      rotary_embedding_dim: { int: rotary.rope.dim },
      interleaved: { int: rotary.rope.interleaved ? 1 : 0 },
    },
  })
}

/**
 * Appends zeros to every head, which changes neither scores nor the first `headDim` dimensions of the result. Out: [1, rows, numHeads * padded].
 *
 *     x ── Reshape(heads apart) ── Pad ── Reshape(side by side) ── y
 */
export function padHeads(builder: GraphBuilder, heads: Heads, padded: number): string {
  const { path, x, numHeads, headDim } = heads
  if (padded === headDim) return x
  const apart = builder.node({ path: `${path}/pad/Reshape`, op: 'Reshape', inputs: [x, builder.int64([1, -1, numHeads, headDim])] })
  const pads = builder.int64([0, 0, 0, 0, 0, 0, 0, padded - headDim])
  const wide = builder.node({ path: `${path}/pad/Pad`, op: 'Pad', inputs: [apart, pads] })
  return builder.node({ path: `${path}/pad/Reshape_1`, op: 'Reshape', inputs: [wide, builder.int64([1, -1, numHeads * padded])] })
}

/**
 * Undoes `padHeads` and drops the batch axis. x: [1, rows, numHeads * padded], out: [rows, numHeads * headDim].
 *
 *     x ── (Reshape(heads apart) ── Slice) ── Reshape(rows) ── y
 */
export function unpadHeads(builder: GraphBuilder, heads: Heads, padded: number): string {
  const { path, numHeads, headDim } = heads
  let x = heads.x
  if (padded !== headDim) {
    const apart = builder.node({ path: `${path}/unpad/Reshape`, op: 'Reshape', inputs: [x, builder.int64([1, -1, numHeads, padded])] })
    const range = [builder.int64([0]), builder.int64([headDim]), builder.int64([3])]
    x = builder.node({ path: `${path}/unpad/Slice`, op: 'Slice', inputs: [apart, ...range] })
  }
  return builder.node({ path: `${path}/Reshape`, op: 'Reshape', inputs: [x, builder.int64([-1, numHeads * headDim])] })
}
