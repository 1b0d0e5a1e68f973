// Queries, keys and values from hidden states, in every layout that checkpoints store the projections in.
import type { Parts } from '../parts'
import { addLinear } from './linear'

/** Rows of heads lying side by side, [rows, heads * headDim] F32 each. */
export interface QueryKeyValue {
  readonly query: string
  readonly key: string
  readonly value: string
}

/** Where an attention block lies: node folder and tensor folder of its layer. */
export interface BlockPlace {
  readonly path: string
  readonly folder: string
}

/** The module folder of a name of the family. */
export function moduleOf(folder: string, name: string | null | undefined): string {
  return name === null || name === undefined ? '' : `${folder}.${name}`
}

function addSeparate(parts: Parts, x: string, { path, folder }: BlockPlace): QueryKeyValue {
  const { config } = parts
  const { names, hiddenSize, headDim } = config
  const project = (name: string, module: string, numHeads: number): string =>
    addLinear(parts, x, {
      path: `${path}/${name}`,
      module,
      inFeatures: hiddenSize,
      outFeatures: numHeads * headDim,
      bias: config.attention.bias.qkv,
      layout: config.matrixLayout,
    })
  return {
    query: project('q_proj', moduleOf(folder, names.query), config.numAttentionHeads),
    key: project('k_proj', moduleOf(folder, names.key), config.numKeyValueHeads),
    value: project('v_proj', moduleOf(folder, names.value), config.numKeyValueHeads),
  }
}

function addJoined(parts: Parts, x: string, { path, folder }: BlockPlace): string {
  const { config } = parts
  return addLinear(parts, x, {
    path: `${path}/qkv_proj`,
    module: moduleOf(folder, config.names.queryKeyValue),
    inFeatures: config.hiddenSize,
    outFeatures: (config.numAttentionHeads + 2 * config.numKeyValueHeads) * config.headDim,
    bias: config.attention.bias.qkv,
    layout: config.matrixLayout,
  })
}

function addSplit(
  parts: Parts,
  x: string,
  spec: { readonly path: string; readonly sizes: readonly number[]; readonly axis: number },
): QueryKeyValue {
  const { builder } = parts
  const name = (index: number): string => `${spec.path}/Split/output_${index}`
  const query = builder.node({
    path: `${spec.path}/Split`,
    op: 'Split',
    inputs: [x, builder.int64(spec.sizes)],
    outputs: [name(0), name(1), name(2)],
    attributes: { axis: { int: spec.axis } },
  })
  return { query, key: name(1), value: name(2) }
}

/** Four parts of [queries, values, keys] of a quarter of the heads each, as CodeGen was trained on four cores. */
const QUARTERS = 4

function addQuarters(parts: Parts, joined: string, path: string): QueryKeyValue {
  const { builder, config } = parts
  const width = config.numAttentionHeads * config.headDim
  const shape = builder.int64([-1, QUARTERS, 3, width / QUARTERS])
  const apart = builder.node({ path: `${path}/Reshape`, op: 'Reshape', inputs: [joined, shape] })
  // The middle third holds values, the last one keys.
  const { query, key: value, value: key } = addSplit(parts, apart, { path, sizes: [1, 1, 1], axis: 2 })
  const flat = (name: string, rows: string): string =>
    builder.node({ path: `${path}/${name}/Reshape`, op: 'Reshape', inputs: [rows, builder.int64([-1, width])] })
  return { query: flat('query', query), key: flat('key', key), value: flat('value', value) }
}

/**
 * Adds the projections.
 *
 *     separate:      x ─┬─ q_proj ── query      concatenated: x ── qkv_proj ── Split(q | k | v)
 *                       ├─ k_proj ── key        grouped:      x ── qkv_proj ── Reshape(key heads apart) ── Split(queries of the head, its key, its value) ── Reshape
 *                       └─ v_proj ── value
 */
export function addProjections(parts: Parts, x: string, place: BlockPlace): QueryKeyValue {
  const { builder, config } = parts
  const { numAttentionHeads, numKeyValueHeads, headDim } = config
  const path = `${place.path}/qkv_proj`
  if (config.attention.projection === 'separate') return addSeparate(parts, x, place)
  const joined = addJoined(parts, x, place)
  if (config.attention.projection === 'concatenated') {
    const sizes = [numAttentionHeads * headDim, numKeyValueHeads * headDim, numKeyValueHeads * headDim]
    return addSplit(parts, joined, { path, sizes, axis: -1 })
  }
  if (config.attention.projection === 'quarters') return addQuarters(parts, joined, path)
  const share = numAttentionHeads / numKeyValueHeads
  const apart = builder.node({
    path: `${path}/Reshape`,
    op: 'Reshape',
    inputs: [joined, builder.int64([-1, numKeyValueHeads, share + 2, headDim])],
  })
  const split = addSplit(parts, apart, { path, sizes: [share, 1, 1], axis: 2 })
  const sideBySide = (name: string, value: string, numHeads: number): string =>
    builder.node({ path: `${path}/${name}/Reshape`, op: 'Reshape', inputs: [value, builder.int64([-1, numHeads * headDim])] })
  return {
    query: sideBySide('query', split.query, numAttentionHeads),
    key: sideBySide('key', split.key, numKeyValueHeads),
    value: sideBySide('value', split.value, numKeyValueHeads),
  }
}
