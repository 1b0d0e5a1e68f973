// The decoder graph: token ids and a KV cache in, logits of chosen positions out; assembled from an architecture row and a config.
import type { TensorInfo } from '../checkpoint/types'
import type { DecoderConfig } from '../config/decoder-config'
import type { ArchitectureRow } from './architectures/types'
import type { AttentionInputs } from './blocks/attention'
import { paddedHeadDim, rotatesInsideAttention } from './blocks/heads'
import { createGraphBuilder } from './builder'
import { DECODER_IO } from './decoder-io'
import { addLayer, addNorm, type Parts, type Residual } from './decoder-layer'
import { createWeightStore, type WeightStore } from './weights'
import type { Widening } from './widening'

/** A decoder as a serialized ONNX model, with what the runtime must know to run it. */
export interface DecoderGraph {
  readonly model: Uint8Array
  /** Whether `position_offset` is an input: rotation is then a node of its own. */
  readonly usesPositionOffset: boolean
  /** Size of the last axis of the KV cache. */
  readonly cacheHeadDim: number
  /** Bytes of the placed weights, as stored. */
  readonly weightBytes: number
  /** Remarks for people: tensors that the family does not use. */
  readonly notes: readonly string[]
}

/** What a decoder graph is built from. `locate` turns a checkpoint file into a location relative to the session's external-data folder. */
export interface DecoderGraphOptions {
  readonly config: DecoderConfig
  readonly row: ArchitectureRow
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly locate: (file: string) => string
  readonly widening: Widening
}

/** More names than this in one remark help nobody. */
const MAX_NAMED_TENSORS = 5

function findPrefix(row: ArchitectureRow, weights: WeightStore): string {
  const marker = row.names.layer.replace('{i}', '0')
  const present = row.prefixes.find((prefix) => weights.has(`${prefix}${marker}.${row.names.attentionNorm}.weight`))
  return present ?? row.prefixes[0] ?? ''
}

function addInputs(parts: Parts): AttentionInputs & { readonly inputIds: string; readonly logitsRows: string } {
  const { builder, config } = parts
  const half = config.rope.dim / 2
  return {
    inputIds: builder.input({ name: DECODER_IO.inputIds, dtype: 'I64', shape: ['rows'] }),
    logitsRows: builder.input({ name: DECODER_IO.logitsRows, dtype: 'I64', shape: ['logits_count'] }),
    seqlensK: builder.input({ name: DECODER_IO.seqlensK, dtype: 'I32', shape: [1] }),
    totalSequenceLength: builder.input({ name: DECODER_IO.totalSequenceLength, dtype: 'I32', shape: [] }),
    cosCache: builder.input({ name: DECODER_IO.cosCache, dtype: 'F32', shape: ['positions', half] }),
    sinCache: builder.input({ name: DECODER_IO.sinCache, dtype: 'F32', shape: ['positions', half] }),
    positionOffset: rotatesInsideAttention(config) ? null : builder.input({ name: DECODER_IO.positionOffset, dtype: 'I64', shape: [1] }),
  }
}

/**
 * The tensors that embed and unembed. With tied embeddings either one stands for both; where a checkpoint carries both all the same,
 * each is used, as Transformers does when they differ.
 */
function embeddingTensors(parts: Parts): { readonly embedding: string; readonly head: string } {
  const { config, row, weights } = parts
  const embedding = `${parts.prefix}${row.names.embedding}.weight`
  const head = `${row.names.head}.weight`
  if (!config.tieWordEmbeddings) return { embedding, head }
  return { embedding: weights.has(embedding) || !weights.has(head) ? embedding : head, head: weights.has(head) ? head : embedding }
}

function addEmbedding(parts: Parts, options: { readonly inputIds: string; readonly tensor: string }): string {
  const { builder, config, weights } = parts
  const table = weights.table({ tensor: options.tensor, shape: [config.vocabSize, config.hiddenSize] })
  const rows = builder.node({ path: '/model/embed_tokens/Gather', op: 'Gather', inputs: [table.value, options.inputIds] })
  if (table.dtype === 'F32') return rows
  return builder.node({ path: '/model/embed_tokens/Cast', op: 'Cast', inputs: [rows], attributes: { to: { cast: 'F32' } } })
}

/**
 * Adds the last norm and the head on the rows asked for.
 *
 *     x ───┐
 *     sum ─ Add ── Gather(rows) ── norm ── Gemm ── logits
 */
function addHead(parts: Parts, residual: Residual, options: { readonly logitsRows: string; readonly tensor: string }): void {
  const { builder, config, row, weights } = parts
  const total = residual.sum === null ? residual.x : builder.node({ path: '/model/Add', op: 'Add', inputs: [residual.x, residual.sum] })
  const rows = builder.node({ path: '/model/Gather', op: 'Gather', inputs: [total, options.logitsRows] })
  const { normed } = addNorm(parts, { x: rows, sum: null }, { path: '/model/norm', module: `${parts.prefix}${row.names.finalNorm}` })
  const head = weights.linear({ tensor: options.tensor, shape: [config.vocabSize, config.hiddenSize] }, normed)
  builder.node({
    path: '/lm_head/Gemm',
    op: 'Gemm',
    inputs: [normed, head.value],
    outputs: [DECODER_IO.logits],
    attributes: { transB: { int: 1 } },
  })
  builder.output({ name: DECODER_IO.logits, dtype: 'F32', shape: ['logits_count', config.vocabSize] })
}

function describeUnexpected(names: readonly string[], family: string): readonly string[] {
  if (names.length === 0) return []
  const named = names.slice(0, MAX_NAMED_TENSORS).join(', ')
  const more = names.length > MAX_NAMED_TENSORS ? ` and ${names.length - MAX_NAMED_TENSORS} more` : ''
  return [`A ${family} decoder does not use ${named}${more}.`]
}

/**
 * Builds the decoder of a checkpoint: embedding, layers, norm, head; every weight stays in its file.
 * Throws "graph/weight-missing", "graph/weight-shape", "graph/weight-dtype".
 */
export function buildDecoderGraph(options: DecoderGraphOptions): DecoderGraph {
  const { config, row, tensors, locate, widening } = options
  const builder = createGraphBuilder({ name: `${row.family} decoder` })
  const weights = createWeightStore({ builder, tensors, row, locate, widening })
  const parts: Parts = { builder, weights, config, row, prefix: findPrefix(row, weights) }

  const inputs = addInputs(parts)
  const tensor = embeddingTensors(parts)
  let residual: Residual = { x: addEmbedding(parts, { inputIds: inputs.inputIds, tensor: tensor.embedding }), sum: null }
  for (let index = 0; index < config.numHiddenLayers; index++) residual = addLayer(parts, residual, { index, inputs })
  addHead(parts, residual, { logitsRows: inputs.logitsRows, tensor: tensor.head })

  return {
    model: builder.finish(),
    usesPositionOffset: inputs.positionOffset !== null,
    cacheHeadDim: paddedHeadDim(config.headDim),
    weightBytes: weights.placedBytes(),
    notes: describeUnexpected(weights.unexpected(), row.family),
  }
}
