// One decoder layer: how the row's blocks are joined by residuals, and the layer's share of the KV cache.
import type { DecoderConfig } from '../config/decoder-config'
import type { ArchitectureRow } from './architectures/types'
import { addAttention, type AttentionInputs } from './blocks/attention'
import { addGatedFeedForward } from './blocks/feed-forward'
import { paddedHeadDim } from './blocks/heads'
import { addRmsNorm, addSkipRmsNorm } from './blocks/norm'
import type { GraphBuilder } from './builder'
import { DECODER_IO } from './decoder-io'
import type { WeightStore } from './weights'

/** What every part of one decoder graph is added to and read from. `prefix` is the folder of the body in this checkpoint. */
export interface Parts {
  readonly builder: GraphBuilder
  readonly weights: WeightStore
  readonly config: DecoderConfig
  readonly row: ArchitectureRow
  readonly prefix: string
}

/** The running sum of a sequential-residual decoder: what the last block added, and the sum before it (null before the first block). */
export interface Residual {
  readonly x: string
  readonly sum: string | null
}

interface KeyValue {
  readonly key: string
  readonly value: string
}

function addCache(parts: Parts, layer: number): { readonly past: KeyValue; readonly present: KeyValue } {
  const { builder, config } = parts
  const border = (name: string) => ({
    name,
    dtype: 'F32' as const,
    shape: [1, config.numKeyValueHeads, 'capacity', paddedHeadDim(config.headDim)],
  })
  return {
    past: { key: builder.input(border(DECODER_IO.pastKey(layer))), value: builder.input(border(DECODER_IO.pastValue(layer))) },
    present: { key: builder.output(border(DECODER_IO.presentKey(layer))), value: builder.output(border(DECODER_IO.presentValue(layer))) },
  }
}

/** Adds the norm of a running sum: fused with the addition where there is one. */
export function addNorm(
  parts: Parts,
  residual: Residual,
  spec: { readonly path: string; readonly module: string },
): { readonly normed: string; readonly sum: string } {
  const { builder, weights, config } = parts
  const weight = weights.vector({ tensor: `${spec.module}.weight`, shape: [config.hiddenSize] })
  const common = { path: spec.path, x: residual.x, weight, epsilon: config.normEps }
  if (residual.sum !== null) return addSkipRmsNorm(builder, { ...common, residual: residual.sum })
  return { normed: addRmsNorm(builder, common), sum: residual.x }
}

/**
 * Adds one layer with sequential residuals.
 *
 *     residual ── norm ── attention ── + ── norm ── feed-forward ── (added by the next norm)
 *         └────────────────────────────┘ └─ sum
 */
export function addLayer(parts: Parts, residual: Residual, layer: { readonly index: number; readonly inputs: AttentionInputs }): Residual {
  const { config, row } = parts
  const { names } = row
  const path = `/model/layers.${layer.index}`
  const folder = `${parts.prefix}${names.layer.replace('{i}', String(layer.index))}`
  const before = addNorm(parts, residual, { path: `${path}/input_layernorm`, module: `${folder}.${names.attentionNorm}` })
  const attended = addAttention(parts, before.normed, {
    path: `${path}/attn`,
    modules: {
      query: `${folder}.${names.query}`,
      key: `${folder}.${names.key}`,
      value: `${folder}.${names.value}`,
      output: `${folder}.${names.attentionOutput}`,
    },
    hiddenSize: config.hiddenSize,
    numAttentionHeads: config.numAttentionHeads,
    numKeyValueHeads: config.numKeyValueHeads,
    headDim: config.headDim,
    rope: config.rope,
    bias: config.attentionBias,
    inputs: layer.inputs,
    ...addCache(parts, layer.index),
  })
  const between = addNorm(
    parts,
    { x: attended, sum: before.sum },
    { path: `${path}/post_attention_layernorm`, module: `${folder}.${names.feedForwardNorm}` },
  )
  const fed = addGatedFeedForward(parts, between.normed, {
    path: `${path}/mlp`,
    modules: { gate: `${folder}.${names.gate}`, up: `${folder}.${names.up}`, down: `${folder}.${names.down}` },
    hiddenSize: config.hiddenSize,
    intermediateSize: config.intermediateSize,
    activation: config.hiddenAct,
    bias: config.mlpBias,
  })
  return { x: fed, sum: between.sum }
}
