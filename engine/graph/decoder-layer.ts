// One decoder layer: how its blocks are joined by residuals and norms, and the layer's share of the KV cache.
import type { LayerConfig } from '../config/decoder-config'
import { addAttention } from './blocks/attention'
import { addExperts } from './blocks/experts'
import { addFeedForward } from './blocks/feed-forward'
import { cacheHeadDim } from './blocks/heads'
import { addNorm, addScale, addSum, addSumAndNorm, type NormSpec } from './blocks/norm'
import { addShortConvolution } from './blocks/short-convolution'
import { moduleOf } from './blocks/projections'
import { DECODER_IO } from './decoder-io'
import type { Parts } from './parts'

/** The running sum of a decoder: what the last block added, and the sum before it (null where there is nothing to add). */
export interface Residual {
  readonly x: string
  readonly sum: string | null
}

interface KeyValue {
  readonly key: string
  readonly value: string
}

/** A layer of the graph: its number, its node folder, its tensor folder. */
interface LayerPlace {
  readonly index: number
  readonly path: string
  readonly folder: string
  readonly layer: LayerConfig
}

function addCache(parts: Parts, layer: number): { readonly past: KeyValue; readonly present: KeyValue } {
  const { builder, config } = parts
  const border = (name: string) => ({
    name,
    dtype: 'F32' as const,
    shape: [1, config.numKeyValueHeads, 'capacity', cacheHeadDim(config)],
  })
  return {
    past: { key: builder.input(border(DECODER_IO.pastKey(layer))), value: builder.input(border(DECODER_IO.pastValue(layer))) },
    present: { key: builder.output(border(DECODER_IO.presentKey(layer))), value: builder.output(border(DECODER_IO.presentValue(layer))) },
  }
}

/** The spec of one of the layer's norms; null where the family has none of that name. */
function normSpec(parts: Parts, place: LayerPlace, name: string | null | undefined, label: string): NormSpec | null {
  if (name === null || name === undefined) return null
  return { path: `${place.path}/${label}`, module: moduleOf(place.folder, name), norm: parts.config.norm, size: parts.config.hiddenSize }
}

/** Adds the pending sum, and the norm after it where there is one. */
export function settle(
  parts: Parts,
  residual: Residual,
  options: { readonly spec: NormSpec | null; readonly path: string },
): { readonly normed: string; readonly sum: string } {
  const { spec, path } = options
  if (residual.sum === null) return { normed: spec === null ? residual.x : addNorm(parts, residual.x, spec), sum: residual.x }
  if (spec !== null) return addSumAndNorm(parts, { x: residual.x, residual: residual.sum }, spec)
  const sum = addSum(parts.builder, { path, a: residual.sum, b: residual.x })
  return { normed: sum, sum }
}

function addMixer(parts: Parts, x: string, place: LayerPlace): string {
  const { index, path, folder, layer } = place
  const { convolution } = parts.config
  if (layer.mixer === 'convolution' && convolution !== null)
    return addShortConvolution(parts, x, { path: `${path}/conv`, folder, index, convolution })
  return addAttention(parts, x, { path: `${path}/attn`, folder, layer, ...addCache(parts, index) })
}

function addFeed(parts: Parts, x: string, place: LayerPlace): string {
  const { config } = parts
  const { names } = config
  const path = `${place.path}/mlp`
  if (place.layer.feedForward === 'experts' && config.experts !== null) {
    return addExperts(parts, x, { path, folder: place.folder, experts: config.experts })
  }
  const modules = {
    gate: moduleOf(place.folder, names.gate),
    up: moduleOf(place.folder, names.up),
    gateUp: moduleOf(place.folder, names.gateUp),
    down: moduleOf(place.folder, names.down),
    activation: moduleOf(place.folder, names.activation),
    beforeDown: moduleOf(place.folder, names.beforeDown),
  }
  const { hiddenSize, intermediateSize, feedForward, matrixLayout, norm } = config
  return addFeedForward(parts, x, { path, modules, hiddenSize, intermediateSize, feedForward, norm, layout: matrixLayout })
}

/** What a block adds to the residual: its result, normed and scaled as the family does. */
function addBlockEnd(parts: Parts, result: string, options: { readonly spec: NormSpec | null; readonly path: string }): string {
  const normed = options.spec === null ? result : addNorm(parts, result, options.spec)
  return addScale(parts.builder, normed, { path: `${options.path}/residual_multiplier`, scale: parts.config.residual.multiplier })
}

/** A norm after the sum (OPT's older form) replaces the sum itself. */
function afterSum(parts: Parts, residual: Residual, options: { readonly spec: NormSpec | null; readonly path: string }): Residual {
  if (options.spec === null) return residual
  return { x: settle(parts, residual, options).normed, sum: null }
}

/**
 * Attention and feed-forward side by side.
 *
 *     x ─┬─ norm ─┬─ attention ──────────── + ── + ── y
 *        │        └─ (own norm) ─ feed-forward ┘    │
 *        └──────────────────────────────────────────┘
 */
function addParallelLayer(parts: Parts, residual: Residual, place: LayerPlace): Residual {
  const { builder, config } = parts
  const { names } = config
  const { path } = place
  const before = settle(parts, residual, { spec: normSpec(parts, place, names.beforeAttention, 'input_layernorm'), path: `${path}/input` })
  const own = normSpec(parts, place, names.beforeFeedForward, 'post_attention_layernorm')
  const attended = addMixer(parts, before.normed, place)
  const fed = addFeed(parts, own === null ? before.normed : addNorm(parts, before.sum, own), place)
  const both = addSum(builder, { path: `${path}/parallel`, a: attended, b: fed })
  return { x: addBlockEnd(parts, both, { spec: null, path }), sum: before.sum }
}

/**
 * Attention, then feed-forward; every norm is where the family has one.
 *
 *     residual ── (norm) ── attention ── (norm) ── + ── (norm) ── feed-forward ── (norm) ── (added by the next norm)
 *         └──────────────────────────────────────┘ └─ sum
 */
function addSequentialLayer(parts: Parts, residual: Residual, place: LayerPlace): Residual {
  const { config } = parts
  const { names } = config
  const { path } = place
  const norm = (name: string | null | undefined, label: string): NormSpec | null => normSpec(parts, place, name, label)
  const kept = (state: { readonly normed: string; readonly sum: string }): string =>
    config.residual.takes === 'normed' ? state.normed : state.sum

  const before = settle(parts, residual, { spec: norm(names.beforeAttention, 'input_layernorm'), path: `${path}/input` })
  const attended = addBlockEnd(parts, addMixer(parts, before.normed, place), {
    spec: norm(names.afterAttention, 'post_self_attn_norm'),
    path: `${path}/attn`,
  })
  const middle = afterSum(
    parts,
    { x: attended, sum: kept(before) },
    { spec: norm(names.afterAttentionSum, 'attn_sum_norm'), path: `${path}/attn_sum` },
  )
  const between = settle(parts, middle, { spec: norm(names.beforeFeedForward, 'post_attention_layernorm'), path: `${path}/middle` })
  const fed = addBlockEnd(parts, addFeed(parts, between.normed, place), {
    spec: norm(names.afterFeedForward, 'post_feedforward_norm'),
    path: `${path}/mlp`,
  })
  return afterSum(parts, { x: fed, sum: kept(between) }, { spec: norm(names.afterFeedForwardSum, 'mlp_sum_norm'), path: `${path}/mlp_sum` })
}

/** Adds one layer. */
export function addLayer(parts: Parts, residual: Residual, index: number): Residual {
  const { config } = parts
  const layer = config.layers[index]
  if (layer === undefined) return residual
  const folder = `${parts.prefix}${config.names.layer.replace('{i}', String(index))}`
  const place = { index, path: `/model/layers.${index}`, folder, layer }
  return config.residual.kind === 'parallel' ? addParallelLayer(parts, residual, place) : addSequentialLayer(parts, residual, place)
}
