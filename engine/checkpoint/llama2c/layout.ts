// Where each tensor of a llama2.c export lies. Order and names follow karpathy/llama2.c export.py and model.py.
import type { Llama2cHeader } from './header'

/** A tensor of the file: `scaled` are int8 values followed by one scale for each group. */
export interface Llama2cTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly offsetBytes: number
  readonly scaled: boolean
}

/** All tensors, and the size that the file must have. `rotation` is where version 0 keeps cosines and sines, each [seqLen, headDim / 2] F32. */
export interface Llama2cLayout {
  readonly tensors: readonly Llama2cTensor[]
  readonly rotation: { readonly cosOffsetBytes: number; readonly sinOffsetBytes: number } | null
  readonly sizeBytes: number
}

/** A kind of tensor: one in every layer, or one alone. */
interface Part {
  readonly name: string
  readonly shape: readonly number[]
  readonly perLayer: boolean
}

function partsOf({ dim, hiddenDim, heads, keyValueHeads, vocabSize }: Llama2cHeader) {
  const keyRows = (dim / heads) * keyValueHeads
  const layer = (name: string, ...shape: readonly number[]): Part => ({ name, shape, perLayer: true })
  const single = (name: string, ...shape: readonly number[]): Part => ({ name, shape, perLayer: false })
  return {
    embedding: single('tok_embeddings', vocabSize, dim),
    attentionNorm: layer('attention_norm', dim),
    attention: [
      layer('attention.wq', dim, dim),
      layer('attention.wk', keyRows, dim),
      layer('attention.wv', keyRows, dim),
      layer('attention.wo', dim, dim),
    ],
    feedForwardNorm: layer('ffn_norm', dim),
    feedForward: [
      layer('feed_forward.w1', hiddenDim, dim),
      layer('feed_forward.w2', dim, hiddenDim),
      layer('feed_forward.w3', hiddenDim, dim),
    ],
    norm: single('norm', dim),
    head: single('output', vocabSize, dim),
  }
}

/** Kinds in the order of the file; `rotation` marks the tables of version 0. */
function orderOf(header: Llama2cHeader): readonly (Part | 'rotation')[] {
  const { embedding, attentionNorm, attention, feedForwardNorm, feedForward, norm, head } = partsOf(header)
  const last = header.sharedClassifier ? [] : [head]
  if (header.version === 0) return [embedding, attentionNorm, ...attention, feedForwardNorm, ...feedForward, norm, 'rotation', ...last]
  return [attentionNorm, feedForwardNorm, norm, embedding, ...attention, ...feedForward, ...last]
}

/** Bytes of one tensor: F32, or int8 values with an F32 scale for each group. */
function storedBytes(shape: readonly number[], groupSize: number | null): number {
  const elements = shape.reduce((product, size) => product * size, 1)
  return groupSize === null ? 4 * elements : elements + 4 * (elements / groupSize)
}

/** Lays the file out. The header's counts are within their limits, so that every size is an exact number. */
export function layOutLlama2c(header: Llama2cHeader): Llama2cLayout {
  const tensors: Llama2cTensor[] = []
  let rotation: Llama2cLayout['rotation'] = null
  let offsetBytes = header.headerBytes
  const tableBytes = 4 * header.seqLen * (header.dim / header.heads / 2)
  for (const part of orderOf(header)) {
    if (part === 'rotation') {
      rotation = { cosOffsetBytes: offsetBytes, sinOffsetBytes: offsetBytes + tableBytes }
      offsetBytes += 2 * tableBytes
      continue
    }
    const { name, shape, perLayer } = part
    const scaled = header.groupSize !== null && shape.length === 2
    const sizeBytes = storedBytes(shape, scaled ? header.groupSize : null)
    for (let layer = 0; layer < (perLayer ? header.layers : 1); layer++) {
      tensors.push({ name: `${perLayer ? `layers.${layer}.` : ''}${name}.weight`, shape, offsetBytes, scaled })
      offsetBytes += sizeBytes
    }
  }
  return { tensors, rotation, sizeBytes: offsetBytes }
}

/** Whether a file without magic is such an export: its size is exactly what the counts in front of it make. */
export function hasLegacySize(header: Llama2cHeader, fileSizeBytes: number): boolean {
  return layOutLlama2c(header).sizeBytes === fileSizeBytes
}
