// The attention block: grouped-query attention with rotary positions over a KV cache that is updated in place.
import type { RopeConfig } from '../../config/decoder-config'
import type { GraphBuilder } from '../builder'
import type { WeightStore } from '../weights'
import { addRotary, padHeads, unpadHeads } from './heads'
import { addLinear } from './linear'

/** Graph inputs that every layer's attention reads. `positionOffset` is present where rotation is a node of its own. */
export interface AttentionInputs {
  readonly seqlensK: string
  readonly totalSequenceLength: string
  readonly cosCache: string
  readonly sinCache: string
  readonly positionOffset: string | null
}

/** An attention block; `modules` are tensor folders, `past` and `present` the cache's value names. */
export interface AttentionSpec {
  readonly path: string
  readonly modules: { readonly query: string; readonly key: string; readonly value: string; readonly output: string }
  readonly hiddenSize: number
  readonly numAttentionHeads: number
  readonly numKeyValueHeads: number
  readonly headDim: number
  readonly rope: RopeConfig
  readonly bias: { readonly qkv: boolean; readonly output: boolean }
  readonly past: { readonly key: string; readonly value: string }
  readonly present: { readonly key: string; readonly value: string }
  readonly inputs: AttentionInputs
}

/**
 * Adds an attention block. x: [rows, hiddenSize] F32, same shape out; past and present: [1, numKeyValueHeads, capacity, paddedHeadDim] F32.
 * Rotation is the half-split form of RoFormer (arXiv 2104.09864) as in Transformers; scores are scaled by 1/sqrt(headDim).
 *
 *     x ─┬─ q_proj ─ Reshape ─ (RotaryEmbedding) ─ (pad) ─┐
 *        ├─ k_proj ─ Reshape ─ (RotaryEmbedding) ─ (pad) ─┼─ GroupQueryAttention ─ (unpad) ─ Reshape ─ o_proj ── y
 *        └─ v_proj ─ Reshape ───────────────────── (pad) ─┘    │         │
 *                                                         past k, v   present k, v   (one buffer each)
 */
export function addAttention(
  graph: { readonly builder: GraphBuilder; readonly weights: WeightStore },
  x: string,
  spec: AttentionSpec,
): string {
  const { builder } = graph
  const { path, modules, hiddenSize, numAttentionHeads, numKeyValueHeads, headDim, inputs } = spec
  const { positionOffset } = inputs

  const project = (part: {
    readonly name: string
    readonly module: string
    readonly numHeads: number
    readonly rotated: boolean
  }): string => {
    const { name, module, numHeads, rotated } = part
    const outFeatures = numHeads * headDim
    const rows = addLinear(graph, x, { path: `${path}/${name}`, module, inFeatures: hiddenSize, outFeatures, bias: spec.bias.qkv })
    const batched = builder.node({ path: `${path}/${name}/Reshape`, op: 'Reshape', inputs: [rows, builder.int64([1, -1, outFeatures])] })
    const heads = { path: `${path}/${name}`, x: batched, numHeads, headDim }
    if (!rotated || positionOffset === null) return padHeads(builder, heads)
    const { cosCache, sinCache } = inputs
    return padHeads(builder, { ...heads, x: addRotary(builder, heads, { rotaryDim: spec.rope.dim, positionOffset, cosCache, sinCache }) })
  }

  const query = project({ name: 'q_proj', module: modules.query, numHeads: numAttentionHeads, rotated: true })
  const key = project({ name: 'k_proj', module: modules.key, numHeads: numKeyValueHeads, rotated: true })
  const value = project({ name: 'v_proj', module: modules.value, numHeads: numKeyValueHeads, rotated: false })
  const fused = positionOffset === null
  const attended = builder.node({
    path: `${path}/GroupQueryAttention`,
    op: 'GroupQueryAttention',
    domain: 'com.microsoft',
    inputs: [
      query,
      key,
      value,
      spec.past.key,
      spec.past.value,
      inputs.seqlensK,
      inputs.totalSequenceLength,
      ...(fused ? [inputs.cosCache, inputs.sinCache] : []),
    ],
    outputs: [`${path}/GroupQueryAttention/output_0`, spec.present.key, spec.present.value],
    attributes: {
      num_heads: { int: numAttentionHeads },
      kv_num_heads: { int: numKeyValueHeads },
      do_rotary: { int: fused ? 1 : 0 },
      scale: { float: 1 / Math.sqrt(headDim) },
    },
  })
  const rows = unpadHeads(builder, { path, x: attended, numHeads: numAttentionHeads, headDim })
  return addLinear(graph, rows, {
    path: `${path}/o_proj`,
    module: modules.output,
    inFeatures: numAttentionHeads * headDim,
    outFeatures: hiddenSize,
    bias: spec.bias.output,
  })
}
