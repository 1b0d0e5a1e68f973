// The attention block: grouped-query attention with rotary positions over a KV cache that is updated in place.
import type { RopeConfig } from '../../config/decoder-config'
import type { GraphBuilder } from '../builder'
import type { WeightStore } from '../weights'
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

/** GroupQueryAttention rotates only whole groups of this many dimensions (group_query_attention_helper.h of ONNX Runtime 1.30). */
const FUSED_ROTARY_MULTIPLE = 16

/** Whether GroupQueryAttention can rotate such heads itself; otherwise a RotaryEmbedding node does. */
export function rotatesInsideAttention(config: { readonly headDim: number; readonly rope: RopeConfig }): boolean {
  return config.headDim % FUSED_ROTARY_MULTIPLE === 0 && config.rope.dim % FUSED_ROTARY_MULTIPLE === 0
}

interface RotarySpec {
  readonly path: string
  readonly x: string
  readonly numHeads: number
  readonly rotaryDim: number
  readonly positionOffset: string
  readonly inputs: AttentionInputs
}

function addRotary(builder: GraphBuilder, spec: RotarySpec): string {
  const { path, x, numHeads, rotaryDim, positionOffset, inputs } = spec
  return builder.node({
    path: `${path}/RotaryEmbedding`,
    op: 'RotaryEmbedding',
    domain: 'com.microsoft',
    inputs: [x, positionOffset, inputs.cosCache, inputs.sinCache],
    attributes: { num_heads: { int: numHeads }, rotary_embedding_dim: { int: rotaryDim } },
  })
}

/**
 * Adds an attention block. x: [rows, hiddenSize] F32, same shape out; past and present: [1, numKeyValueHeads, capacity, headDim] F32.
 * Rotation is the half-split form of RoFormer (arXiv 2104.09864) as in Transformers; scores are scaled by 1/sqrt(headDim).
 *
 *     x ─┬─ q_proj ─ Reshape ─ (RotaryEmbedding) ─┐
 *        ├─ k_proj ─ Reshape ─ (RotaryEmbedding) ─┼─ GroupQueryAttention ─ Reshape ─ o_proj ── y
 *        └─ v_proj ─ Reshape ─────────────────────┘    │         │
 *                                                 past k, v   present k, v   (one buffer each)
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
    if (!rotated || positionOffset === null) return batched
    return addRotary(builder, { path: `${path}/${name}`, x: batched, numHeads, rotaryDim: spec.rope.dim, positionOffset, inputs })
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
    attributes: { num_heads: { int: numAttentionHeads }, kv_num_heads: { int: numKeyValueHeads }, do_rotary: { int: fused ? 1 : 0 } },
  })
  const width = numAttentionHeads * headDim
  const rows = builder.node({ path: `${path}/Reshape`, op: 'Reshape', inputs: [attended, builder.int64([-1, width])] })
  return addLinear(graph, rows, {
    path: `${path}/o_proj`,
    module: modules.output,
    inFeatures: width,
    outFeatures: hiddenSize,
    bias: spec.bias.output,
  })
}
