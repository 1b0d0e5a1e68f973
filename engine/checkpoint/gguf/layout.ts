// Where the tensors of a GGUF file lie: shapes, sizes and offsets, checked against each other and against the file.
import { engineError } from '../../errors'
import { BLOCK_FORMATS, type BlockType } from '../../tensor/blocks/formats'
import { countElements, tensorSizeBytes } from '../../tensor/shape'
import type { Dtype } from '../../tensor/dtype'
import type { GgufHeader, GgufTensorEntry } from './header'
import { GGML_TYPES } from './tensor-types'

/** A checked tensor: `shape` is row-major (ggml's dimensions reversed), `sizeBytes` its stored size, `offsetBytes` counts from the start of the file. */
export interface GgufTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly elements: number
  readonly stored: { readonly kind: 'dtype'; readonly dtype: Dtype } | { readonly kind: 'blocks'; readonly type: BlockType }
  readonly offsetBytes: number
  readonly sizeBytes: number
}

interface TensorPlace {
  readonly path: string
  readonly tensor: string
}

function readShape(entry: GgufTensorEntry, place: TensorPlace): { readonly shape: readonly number[]; readonly elements: number } {
  const shape = entry.dimensions.map(Number).reverse()
  const elements = countElements(shape)
  if (elements === null || shape.some((dimension) => !Number.isSafeInteger(dimension)))
    throw engineError('checkpoint/shape-overflow', { ...place, shape })
  return { shape, elements }
}

/** Blocks do not cross rows: a row that is not whole blocks has no defined layout. */
function blockBytes(
  type: BlockType,
  tensor: { readonly shape: readonly number[]; readonly elements: number; readonly place: TensorPlace },
): number {
  const { shape, elements, place } = tensor
  const format = BLOCK_FORMATS[type]
  const rowElements = shape.at(-1) ?? 1
  if (rowElements % format.elements !== 0)
    throw engineError('checkpoint/gguf-partial-block', { ...place, type, rowElements, blockElements: format.elements })
  return (elements / format.elements) * format.sizeBytes
}

function locateTensor(entry: GgufTensorEntry, header: GgufHeader): GgufTensor {
  const { path, fileSizeBytes, alignmentBytes, dataStartBytes } = header
  const place = { path, tensor: entry.name }
  const stored = GGML_TYPES.get(entry.typeNumber)
  if (!stored) throw engineError('checkpoint/gguf-unknown-tensor-type', { ...place, type: entry.typeNumber })
  const { shape, elements } = readShape(entry, place)
  const sizeBytes = stored.kind === 'dtype' ? tensorSizeBytes(stored.dtype, shape) : blockBytes(stored.type, { shape, elements, place })
  if (sizeBytes === null) throw engineError('checkpoint/shape-overflow', { ...place, shape })
  if (entry.offset % BigInt(alignmentBytes) !== 0n)
    throw engineError('checkpoint/gguf-unaligned-tensor', { ...place, offsetBytes: entry.offset.toString(), alignmentBytes })
  const endBytes = BigInt(dataStartBytes) + entry.offset + BigInt(Math.round(sizeBytes))
  if (endBytes > BigInt(fileSizeBytes))
    throw engineError('checkpoint/truncated-file', { ...place, endBytes: Number(endBytes), fileSizeBytes })
  return { name: entry.name, shape, elements, stored, offsetBytes: dataStartBytes + Number(entry.offset), sizeBytes }
}

/** No writer shares data between tensors; two names for the same bytes would be a way to make a small file unfold into a large model. */
function checkOverlap(tensors: readonly GgufTensor[], header: GgufHeader): void {
  let previous: GgufTensor | null = null
  for (const tensor of tensors) {
    if (tensor.sizeBytes === 0) continue
    if (previous && tensor.offsetBytes < previous.offsetBytes + previous.sizeBytes) {
      throw engineError('checkpoint/overlapping-tensors', {
        path: header.path,
        tensor: tensor.name,
        otherTensor: previous.name,
        startBytes: tensor.offsetBytes - header.dataStartBytes,
        otherEndBytes: previous.offsetBytes + previous.sizeBytes - header.dataStartBytes,
      })
    }
    previous = tensor
  }
}

/**
 * Checks a header's tensors and says where they lie, in the order of their data.
 * Throws "checkpoint/gguf-unknown-tensor-type", "checkpoint/shape-overflow", "checkpoint/gguf-partial-block", "checkpoint/gguf-unaligned-tensor",
 * "checkpoint/truncated-file", "checkpoint/overlapping-tensors".
 */
export function locateTensors(header: GgufHeader): readonly GgufTensor[] {
  const tensors = header.tensors
    .map((entry) => locateTensor(entry, header))
    .sort((a, b) => a.offsetBytes - b.offsetBytes || a.sizeBytes - b.sizeBytes)
  checkOverlap(tensors, header)
  return tensors
}
