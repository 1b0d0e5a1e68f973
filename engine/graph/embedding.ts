// The two ends of a decoder: embedding with its scale, norm and learned positions, and the head with its scale and cap.
import { addLinear } from './blocks/linear'
import { addNorm, addScale, addSoftCap, addSum } from './blocks/norm'
import { DECODER_IO } from './decoder-io'
import { settle, type Residual } from './decoder-layer'
import type { Parts } from './parts'

/**
 * The tensors that embed and unembed. With tied embeddings either one stands for both; where a checkpoint carries both all the same,
 * each is used, as Transformers does when they differ.
 */
export function embeddingTensors(parts: Pick<Parts, 'config' | 'prefix' | 'weights'>): {
  readonly embedding: string
  readonly head: string
} {
  const { config, weights } = parts
  const embedding = `${parts.prefix}${config.names.embedding}.weight`
  const head = `${config.names.head}.weight`
  if (!config.tieWordEmbeddings) return { embedding, head }
  return { embedding: weights.has(embedding) || !weights.has(head) ? embedding : head, head: weights.has(head) ? head : embedding }
}

function addLookup(
  parts: Parts,
  options: { readonly path: string; readonly tensor: string; readonly shape: readonly number[]; readonly rows: string },
): string {
  const { builder, weights } = parts
  const { path, tensor, shape, rows } = options
  const table = weights.table({ tensor, shape })
  if (table.kind === 'nbits') {
    const { codes, scales, zeroPoints, format } = table
    return builder.node({
      path: `${path}/GatherBlockQuantized`,
      op: 'GatherBlockQuantized',
      domain: 'com.microsoft',
      inputs: [codes, rows, scales, zeroPoints],
      attributes: { bits: { int: format.bits }, block_size: { int: format.blockSize }, gather_axis: { int: 0 }, quantize_axis: { int: 1 } },
    })
  }
  const found = builder.node({ path: `${path}/Gather`, op: 'Gather', inputs: [table.value, rows] })
  if (table.dtype === 'F32') return found
  return builder.node({ path: `${path}/Cast`, op: 'Cast', inputs: [found], attributes: { to: { cast: 'F32' } } })
}

/** Rows of the position table: offset of the table, first position, and the number of each row. */
function addPositions(parts: Parts, x: string): string {
  const { builder, config, inputs } = parts
  const { positions } = config.embedding
  if (positions === null || inputs.positionOffset === null) return x
  const path = '/model/embed_positions'
  const rows = builder.node({ path: `${path}/Shape`, op: 'Shape', inputs: [inputs.inputIds] })
  const count = builder.node({ path: `${path}/Squeeze`, op: 'Squeeze', inputs: [rows] })
  const zero = builder.node({ path: `${path}/zero/Squeeze`, op: 'Squeeze', inputs: [builder.int64([0])] })
  const one = builder.node({ path: `${path}/one/Squeeze`, op: 'Squeeze', inputs: [builder.int64([1])] })
  const range = builder.node({ path: `${path}/Range`, op: 'Range', inputs: [zero, count, one] })
  const first = builder.node({ path: `${path}/first/Add`, op: 'Add', inputs: [inputs.positionOffset, builder.int64([positions.offset])] })
  const indices = builder.node({ path: `${path}/indices/Add`, op: 'Add', inputs: [range, first] })
  const tensor = `${parts.prefix}${config.names.positions ?? ''}.weight`
  const learned = addLookup(parts, { path, tensor, shape: [positions.count, config.hiddenSize], rows: indices })
  return addSum(builder, { path, a: x, b: learned })
}

/**
 * Adds the embedding.
 *
 *     ids ── Gather ── (Cast) ── (project in) ── (scale) ── (+ learned positions) ── (norm) ── x
 */
export function addEmbedding(parts: Parts, tensor: string): Residual {
  const { builder, config, inputs, prefix } = parts
  const { names, embedding, hiddenSize } = config
  const path = '/model/embed_tokens'
  const rows = addLookup(parts, { path, tensor, shape: [config.vocabSize, embedding.size], rows: inputs.inputIds })
  const module = `${prefix}${names.projectIn ?? ''}`
  const wide =
    embedding.size === hiddenSize
      ? rows
      : addLinear(parts, rows, { path: '/model/project_in', module, inFeatures: embedding.size, outFeatures: hiddenSize, bias: false })
  const placed = addPositions(parts, addScale(builder, wide, { path: `${path}/scale`, scale: embedding.scale }))
  if (names.embeddingNorm === null || names.embeddingNorm === undefined) return { x: placed, sum: null }
  const normModule = `${prefix}${names.embeddingNorm}`
  return { x: addNorm(parts, placed, { path: '/model/embed_norm', module: normModule, norm: config.norm, size: hiddenSize }), sum: null }
}

/**
 * Adds the last norm and the head on the rows asked for.
 *
 *     x ───┐
 *     sum ─ Add ── Gather(rows) ── (norm) ── (project out) ── Gemm ── (scale) ── (cap) ── logits
 */
export function addHead(parts: Parts, residual: Residual, tensor: string): void {
  const { builder, config, inputs, prefix } = parts
  const { names, head, embedding, hiddenSize, vocabSize } = config
  const total = settle(parts, residual, { spec: null, path: '/model' }).sum
  const rows = builder.node({ path: '/model/Gather', op: 'Gather', inputs: [total, inputs.logitsRows] })
  const finalNorm = names.finalNorm ?? null
  const normed =
    finalNorm === null
      ? rows
      : addNorm(parts, rows, { path: '/model/norm', module: `${prefix}${finalNorm}`, norm: config.norm, size: hiddenSize })
  const narrow =
    embedding.size === hiddenSize
      ? normed
      : addLinear(parts, normed, {
          path: '/model/project_out',
          module: `${prefix}${names.projectOut ?? ''}`,
          inFeatures: hiddenSize,
          outFeatures: embedding.size,
          bias: false,
        })
  const plain = head.scale === 1 && head.softCap === null
  const scores = addLinear(parts, narrow, {
    path: '/lm_head',
    module: names.head,
    tensor,
    isHead: true,
    inFeatures: embedding.size,
    outFeatures: vocabSize,
    bias: head.bias,
    ...(plain ? { output: DECODER_IO.logits } : {}),
  })
  if (head.softCap !== null) {
    const scaled = addScale(builder, scores, { path: '/lm_head/scale', scale: head.scale })
    addSoftCap(builder, scaled, { path: '/lm_head/cap', cap: head.softCap, output: DECODER_IO.logits })
  } else if (!plain) {
    const factor = builder.float32(String(head.scale), head.scale)
    builder.node({ path: '/lm_head/scale/Mul', op: 'Mul', inputs: [scores, factor], outputs: [DECODER_IO.logits] })
  }
  builder.output({ name: DECODER_IO.logits, dtype: 'F32', shape: ['logits_count', vocabSize] })
}
