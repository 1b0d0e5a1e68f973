// The attention block: grouped-query attention with positions over a KV cache that is updated in place.
import type { LayerConfig, RopeConfig } from '../../config/decoder-config'
import type { Parts } from '../parts'
import { addRotary, cacheHeadDim, padHeads, rotatesInsideAttention, unpadHeads } from './heads'
import { addLatentProjections } from './latent-projections'
import { addLinear } from './linear'
import { addNorm } from './norm'
import { addProjections, moduleOf, type BlockPlace, type QueryKeyValue } from './projections'
import { addQueryKeyNorm } from './query-key-norm'

interface KeyValue {
  readonly key: string
  readonly value: string
}

/** An attention block of one layer; `past` and `present` are the cache's value names. */
export interface AttentionSpec extends BlockPlace {
  readonly layer: LayerConfig
  readonly past: KeyValue
  readonly present: KeyValue
}

type Named = 'query' | 'key'

function addClip(parts: Parts, rows: string, path: string): string {
  const { clip } = parts.config.attention
  if (clip === null) return rows
  const bounds = [parts.builder.float32(String(-clip), -clip), parts.builder.float32(String(clip), clip)]
  return parts.builder.node({ path: `${path}/Clip`, op: 'Clip', inputs: [rows, ...bounds] })
}

function addNormOf(parts: Parts, rows: string, spec: AttentionSpec, name: Named): string {
  const { config } = parts
  const { queryKeyNorm } = config.attention
  if (queryKeyNorm === null) return rows
  return addQueryKeyNorm(parts, rows, {
    path: `${spec.path}/${name}_norm`,
    module: moduleOf(spec.folder, name === 'query' ? config.names.queryNorm : config.names.keyNorm),
    numHeads: name === 'query' ? config.numAttentionHeads : config.numKeyValueHeads,
    headDim: config.headDim,
    config: queryKeyNorm,
  })
}

/** Rotates rows [rows, heads * headDim] in a node of its own. */
function addRotation(
  parts: Parts,
  rows: string,
  options: { readonly path: string; readonly numHeads: number; readonly rope: RopeConfig; readonly index: number },
): string {
  const { builder, config, inputs } = parts
  const { path, numHeads, rope, index } = options
  const tables = inputs.ropes[index]
  if (tables === undefined || inputs.positionOffset === null) return rows
  const width = numHeads * config.headDim
  const batched = builder.node({ path: `${path}/rotary/Reshape`, op: 'Reshape', inputs: [rows, builder.int64([1, -1, width])] })
  const rotated = addRotary(
    builder,
    { path, x: batched, numHeads, headDim: config.headDim },
    { rope, positionOffset: inputs.positionOffset, ...tables },
  )
  return builder.node({ path: `${path}/rotary/Reshape_1`, op: 'Reshape', inputs: [rotated, builder.int64([-1, width])] })
}

/** Queries, keys and values ready for attention, with norms and, where attention does not rotate itself, rotation. */
function addRows(parts: Parts, x: string, spec: AttentionSpec): QueryKeyValue {
  const { config } = parts
  if (config.attention.latent !== null)
    return addLatentProjections(parts, x, { ...spec, rope: spec.layer.rope, latent: config.attention.latent })
  const rows = addProjections(parts, x, spec)
  const afterRope = config.attention.queryKeyNorm?.afterRope === true
  const prepare = (name: Named): string => {
    const clipped = addClip(parts, afterRope ? rows[name] : addNormOf(parts, rows[name], spec, name), `${spec.path}/${name}`)
    const index = spec.layer.rope
    const scale = name === 'query' ? parts.inputs.queryScale : null
    const rope = index === null ? undefined : config.ropes[index]
    // Rotation does not change lengths, so that the scale may come first.
    const normed =
      scale === null ? clipped : parts.builder.node({ path: `${spec.path}/${name}/scale/Mul`, op: 'Mul', inputs: [clipped, scale] })
    if (index === null || rope === undefined || rotatesInsideAttention(config, rope)) return normed
    const numHeads = name === 'query' ? config.numAttentionHeads : config.numKeyValueHeads
    const rotated = addRotation(parts, normed, { path: `${spec.path}/${name}`, numHeads, rope, index })
    return afterRope ? addNormOf(parts, rotated, spec, name) : rotated
  }
  return { query: prepare('query'), key: prepare('key'), value: addClip(parts, rows.value, `${spec.path}/value`) }
}

function addGroupQueryAttention(parts: Parts, rows: QueryKeyValue, spec: AttentionSpec): string {
  const { builder, config, inputs, weights } = parts
  const { path, layer } = spec
  const { attention, names } = config
  const width = cacheHeadDim(config)
  const heads = (name: keyof QueryKeyValue, numHeads: number, headDim: number): string => {
    const batched = builder.node({
      path: `${path}/${name}/Reshape`,
      op: 'Reshape',
      inputs: [rows[name], builder.int64([1, -1, numHeads * headDim])],
    })
    return padHeads(builder, { path: `${path}/${name}`, x: batched, numHeads, headDim }, width)
  }
  const rope = layer.rope === null ? undefined : config.ropes[layer.rope]
  const tables = layer.rope === null ? undefined : inputs.ropes[layer.rope]
  const fused = rope !== undefined && tables !== undefined && rotatesInsideAttention(config, rope)
  const sinks = attention.sinks ? weights.vector({ tensor: moduleOf(spec.folder, names.sinks), shape: [config.numAttentionHeads] }) : null
  const optional = [fused ? tables.cos : null, fused ? tables.sin : null, null, inputs.attentionBias, sinks]
  return builder.node({
    path: `${path}/GroupQueryAttention`,
    op: 'GroupQueryAttention',
    domain: 'com.microsoft',
    inputs: [
      heads('query', config.numAttentionHeads, config.headDim),
      heads('key', config.numKeyValueHeads, config.headDim),
      heads('value', config.numKeyValueHeads, attention.latent?.valueDim ?? config.headDim),
      spec.past.key,
      spec.past.value,
      inputs.seqlensK,
      inputs.totalSequenceLength,
      ...optional.slice(0, optional.findLastIndex((input) => input !== null) + 1),
    ],
    outputs: [`${path}/GroupQueryAttention/output_0`, spec.present.key, spec.present.value],
    attributes: {
      num_heads: { int: config.numAttentionHeads },
      kv_num_heads: { int: config.numKeyValueHeads },
      do_rotary: { int: fused ? 1 : 0 },
      ...(fused && rope.interleaved ? { rotary_interleaved: { int: 1 } } : {}),
      scale: { float: layer.scale },
      ...(attention.softCap === null ? {} : { softcap: { float: attention.softCap } }),
      ...(layer.window === null ? {} : { local_window_size: { int: layer.window } }),
    },
  })
}

/**
 * Adds an attention block. x: [rows, hiddenSize] F32, same shape out; past and present: [1, numKeyValueHeads, capacity, cacheHeadDim] F32.
 *
 *     x ── projections ─┬─ query ─ (norm, clip) ─ (RotaryEmbedding) ─ (pad) ─┐
 *                       ├─ key ─── (norm, clip) ─ (RotaryEmbedding) ─ (pad) ─┼─ GroupQueryAttention ─ (unpad) ─ o_proj ── y
 *                       └─ value ─ (clip) ────────────────────────── (pad) ─┘    │         │
 *                                                                      past k, v   present k, v   (one buffer each)
 */
export function addAttention(parts: Parts, x: string, spec: AttentionSpec): string {
  const { builder, config } = parts
  const attended = addGroupQueryAttention(parts, addRows(parts, x, spec), spec)
  const valueDim = config.attention.latent?.valueDim ?? config.headDim
  const heads = { path: spec.path, x: attended, numHeads: config.numAttentionHeads, headDim: valueDim }
  const rows = unpadHeads(builder, heads, cacheHeadDim(config))
  const { beforeOutput } = config.names
  const width = config.numAttentionHeads * valueDim
  const normed =
    beforeOutput === null || beforeOutput === undefined
      ? rows
      : addNorm(parts, rows, { path: `${spec.path}/sub_norm`, module: moduleOf(spec.folder, beforeOutput), norm: config.norm, size: width })
  return addLinear(parts, normed, {
    path: `${spec.path}/o_proj`,
    module: moduleOf(spec.folder, config.names.attentionOutput),
    inFeatures: width,
    outFeatures: config.hiddenSize,
    bias: config.attention.bias.output,
    layout: config.matrixLayout,
  })
}
