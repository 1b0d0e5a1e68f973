// Opens a GGUF file, or the whole set that a split file belongs to, as named lazy tensors. Follows the GGUF specification (ggml, docs/gguf.md).
import { engineError } from '../../errors'
import type { BlockType } from '../../tensor/blocks/formats'
import { nbitsFormatOfBlocks } from '../../tensor/nbits/gguf-blocks'
import { DTYPE_BITS } from '../../tensor/dtype'
import { createCheckpoint, type ComputeRange } from '../tensor-files'
import type { CheckpointReader, TensorInfo } from '../types'
import { BIG_ENDIAN_FIELDS, dequantizedRange, swappedRange } from './compute-range'
import type { GgufHeader } from './header'
import { locateTensors, type GgufTensor } from './layout'
import { metadataText } from './metadata-text'
import { readGgufParts } from './split'
import type { GgufValue } from './values'
import { note, type Note } from '../../notes'

interface OpenedTensor {
  readonly info: TensorInfo
  readonly compute: ComputeRange | null
}

function openTensor(tensor: GgufTensor, header: GgufHeader): OpenedTensor {
  const { name, shape, elements, stored, offsetBytes, sizeBytes } = tensor
  const { path: file, littleEndian } = header
  if (stored.kind === 'blocks') {
    const { type } = stored
    if (!littleEndian && !BIG_ENDIAN_FIELDS[type])
      throw engineError('checkpoint/gguf-big-endian-blocks', { path: file, tensor: name, type })
    const block = { type, offsetBytes, sizeBytes }
    const format = littleEndian && shape.length > 1 ? nbitsFormatOfBlocks(type) : null
    const quantized = format === null ? {} : { quantized: format }
    return {
      info: {
        name,
        dtype: 'F32',
        shape,
        file,
        sizeBytes: elements * 4,
        storage: 'computed',
        computation: 'dequantized',
        block,
        ...quantized,
      },
      compute: dequantizedRange({ file, offsetBytes, type, littleEndian }),
    }
  }
  const { dtype } = stored
  const elementBytes = DTYPE_BITS[dtype] / 8
  if (littleEndian || elementBytes === 1) return { info: { name, dtype, shape, file, offsetBytes, sizeBytes }, compute: null }
  return {
    info: { name, dtype, shape, file, sizeBytes, storage: 'computed', computation: 'big-endian' },
    compute: swappedRange({ file, offsetBytes, elementBytes }),
  }
}

/** How many tensors are stored in which blocks, for people. */
function describeBlocks(tensors: Iterable<TensorInfo>): readonly Note[] {
  const counts = new Map<BlockType, number>()
  for (const tensor of tensors) {
    if (tensor.storage === 'computed' && tensor.block) counts.set(tensor.block.type, (counts.get(tensor.block.type) ?? 0) + 1)
  }
  if (counts.size === 0) return []
  const blocks = [...counts].map(([type, count]) => `${type} (${count})`).join(', ')
  return [note('checkpoint/blocks-as-float32', { blocks })]
}

/** The first part holds what describes the model; what the later ones repeat is about the split itself. */
function mergeMetadata(headers: readonly GgufHeader[]): Readonly<Record<string, string>> {
  const merged = new Map<string, GgufValue>()
  for (const { metadata } of headers) {
    for (const [key, value] of metadata) if (!merged.has(key)) merged.set(key, value)
  }
  return metadataText(merged)
}

/**
 * Opens the GGUF file at `path`. Quantized tensors are computed as F32 (`block` says where and how they are stored), others keep their dtype. Shapes are row-major: ggml's dimensions reversed.
 * Throws what readGgufParts and locateTensors throw, "checkpoint/tensor-in-two-shards", "checkpoint/gguf-big-endian-blocks".
 */
export const openGguf: CheckpointReader = async (path, options) => {
  const { headers, notes } = await readGgufParts(path, options)
  const tensors = new Map<string, TensorInfo>()
  const computed = new Map<string, ComputeRange>()
  for (const header of headers) {
    for (const tensor of locateTensors(header)) {
      const { info, compute } = openTensor(tensor, header)
      const other = tensors.get(info.name)
      if (other) throw engineError('checkpoint/tensor-in-two-shards', { tensor: info.name, shards: [other.file, info.file] })
      tensors.set(info.name, info)
      if (compute) computed.set(info.name, compute)
    }
  }
  return createCheckpoint({
    format: 'gguf',
    files: headers.map(({ path: file, fileSizeBytes }) => ({ path: file, sizeBytes: fileSizeBytes })),
    tensors,
    computed,
    metadata: mergeMetadata(headers),
    notes: [...notes, ...describeBlocks(tensors.values())],
  })
}
