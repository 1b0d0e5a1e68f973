// Latent attention's projections (DeepSeek-V2, arXiv 2405.04434), expanded to plain heads. Follows Transformers 5.18 modeling_deepseek_v2.py and modeling_deepseek_v3.py.
import type { LatentConfig, NormConfig } from '../../config/decoder-config'
import type { Parts } from '../parts'
import { addRotary } from './heads'
import { addLinear } from './linear'
import { addNorm } from './norm'
import { moduleOf, type BlockPlace, type QueryKeyValue } from './projections'

interface LatentSpec extends BlockPlace {
  readonly rope: number | null
  readonly latent: LatentConfig
}

/** Epsilon of the norms of latent vectors, whatever `rms_norm_eps` says of the others. Source: the class's default, which DeepSeek's own code and Transformers 5.18 leave as it is. */
const LATENT_EPS = 1e-6

function latentNorm(norm: NormConfig): NormConfig {
  return { ...norm, kind: 'rms', bias: false, eps: LATENT_EPS }
}

function splitLast(
  parts: Parts,
  x: string,
  spec: { readonly path: string; readonly sizes: readonly [number, number] },
): readonly [string, string] {
  const { builder } = parts
  const second = `${spec.path}/Split/output_1`
  const first = builder.node({
    path: `${spec.path}/Split`,
    op: 'Split',
    inputs: [x, builder.int64(spec.sizes)],
    outputs: [`${spec.path}/Split/output_0`, second],
    attributes: { axis: { int: -1 } },
  })
  return [first, second]
}

/** Rotates [rows, heads * dim] whole heads; the tables are those of the layer. */
function rotate(parts: Parts, x: string, spec: { readonly path: string; readonly numHeads: number; readonly rope: number | null }): string {
  const { builder, config, inputs } = parts
  const rope = spec.rope === null ? undefined : config.ropes[spec.rope]
  const tables = spec.rope === null ? undefined : inputs.ropes[spec.rope]
  if (rope === undefined || tables === undefined || inputs.positionOffset === null) return x
  const width = spec.numHeads * rope.dim
  const batched = builder.node({ path: `${spec.path}/rotary/Reshape`, op: 'Reshape', inputs: [x, builder.int64([1, -1, width])] })
  // A head of nothing but rotated dimensions: the node then takes every dimension.
  const heads = { path: spec.path, x: batched, numHeads: spec.numHeads, headDim: rope.dim }
  return addRotary(builder, heads, { rope, positionOffset: inputs.positionOffset, ...tables })
}

function addQuery(parts: Parts, x: string, spec: LatentSpec): string {
  const { config } = parts
  const { latent } = spec
  const { names, attention, hiddenSize, numAttentionHeads, headDim } = config
  const outFeatures = numAttentionHeads * headDim
  if (latent.queryRank === null) {
    const module = moduleOf(spec.folder, names.query)
    return addLinear(parts, x, { path: `${spec.path}/q_proj`, module, inFeatures: hiddenSize, outFeatures, bias: false })
  }
  const path = `${spec.path}/q_a_proj`
  const down = addLinear(parts, x, {
    path,
    module: moduleOf(spec.folder, names.latent?.queryDown),
    inFeatures: hiddenSize,
    outFeatures: latent.queryRank,
    bias: attention.bias.qkv,
  })
  const module = moduleOf(spec.folder, names.latent?.queryNorm)
  const normed = addNorm(parts, down, { path: `${spec.path}/q_a_layernorm`, module, norm: latentNorm(config.norm), size: latent.queryRank })
  return addLinear(parts, normed, {
    path: `${spec.path}/q_b_proj`,
    module: moduleOf(spec.folder, names.latent?.queryUp),
    inFeatures: latent.queryRank,
    outFeatures,
    bias: false,
  })
}

/**
 * Adds the projections: queries and keys are plain dimensions and then rotated ones, which all heads of the keys share.
 *
 *     x ─┬─ (q_a ─ norm ─ q_b | q_proj) ─ heads apart ─ Split ─┬─ plain ─────────────── Concat ── query
 *        │                                                     └─ rotated ─ Rotary ───────┘
 *        └─ kv_a ─ Split ─┬─ norm ─ kv_b ─ heads apart ─ Split ─┬─ plain ─────────────── Concat ── key
 *                         │                                     └─ value                  │
 *                         └─ rotated ─ Rotary ─ Expand(to every head) ────────────────────┘
 */
export function addLatentProjections(parts: Parts, x: string, spec: LatentSpec): QueryKeyValue {
  const { builder, config } = parts
  const { path, latent } = spec
  const { names, numAttentionHeads: heads, headDim } = config
  const rotated = headDim - latent.plainDim
  const apart = (name: string, value: string, width: number): string =>
    builder.node({ path: `${path}/${name}/apart/Reshape`, op: 'Reshape', inputs: [value, builder.int64([-1, heads, width])] })
  const flat = (name: string, value: string, width: number): string =>
    builder.node({ path: `${path}/${name}/flat/Reshape`, op: 'Reshape', inputs: [value, builder.int64([-1, heads * width])] })
  const joined = (name: string, plain: string, turned: string): string =>
    builder.node({ path: `${path}/${name}/Concat`, op: 'Concat', inputs: [plain, turned], attributes: { axis: { int: -1 } } })

  const [queryPlain, queryTurning] = splitLast(parts, apart('query', addQuery(parts, x, spec), headDim), {
    path: `${path}/query`,
    sizes: [latent.plainDim, rotated],
  })
  const queryTurned = rotate(parts, flat('query_rotary', queryTurning, rotated), {
    path: `${path}/query_rotary`,
    numHeads: heads,
    rope: spec.rope,
  })
  const query = joined('query', queryPlain, apart('query_rotary', queryTurned, rotated))

  const down = addLinear(parts, x, {
    path: `${path}/kv_a_proj`,
    module: moduleOf(spec.folder, names.latent?.keyValueDown),
    inFeatures: config.hiddenSize,
    outFeatures: latent.keyValueRank + rotated,
    bias: config.attention.bias.qkv,
  })
  const [compressed, keyTurning] = splitLast(parts, down, { path: `${path}/kv_a`, sizes: [latent.keyValueRank, rotated] })
  const normModule = moduleOf(spec.folder, names.latent?.keyValueNorm)
  const normed = addNorm(parts, compressed, {
    path: `${path}/kv_a_layernorm`,
    module: normModule,
    norm: latentNorm(config.norm),
    size: latent.keyValueRank,
  })
  const up = addLinear(parts, normed, {
    path: `${path}/kv_b_proj`,
    module: moduleOf(spec.folder, names.latent?.keyValueUp),
    inFeatures: latent.keyValueRank,
    outFeatures: heads * (latent.plainDim + latent.valueDim),
    bias: false,
  })
  const [keyPlain, value] = splitLast(parts, apart('kv', up, latent.plainDim + latent.valueDim), {
    path: `${path}/kv`,
    sizes: [latent.plainDim, latent.valueDim],
  })
  const keyTurned = rotate(parts, keyTurning, { path: `${path}/key_rotary`, numHeads: 1, rope: spec.rope })
  const oneHead = builder.node({ path: `${path}/key_rotary/Reshape`, op: 'Reshape', inputs: [keyTurned, builder.int64([-1, 1, rotated])] })
  const everyHead = builder.node({ path: `${path}/key_rotary/Expand`, op: 'Expand', inputs: [oneHead, builder.int64([1, heads, 1])] })
  const key = joined('key', keyPlain, everyHead)
  return { query: flat('query', query, headDim), key: flat('key', key, headDim), value: flat('value', value, latent.valueDim) }
}
