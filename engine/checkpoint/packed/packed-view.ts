// A checkpoint of packed matrices as one of float tensors: `module.weight` stands for its parts, as values and, where ONNX Runtime multiplies with them, as codes.
import { engineError } from '../../errors'
import { note } from '../../notes'
import type { NBitsMatrix } from '../../tensor/nbits/layout'
import { dequantizeGroups, packGroups } from '../../tensor/packed/grouped-rows'
import type { Checkpoint, ComputedTensor, TensorInfo, TensorRange, TensorRows } from '../types'
import { findBitsandbytes } from './bitsandbytes'
import { findCompressed } from './compressed'
import { findAwq, findGptq } from './int32-words'
import { findMlx } from './mlx'
import { findMxfp4 } from './mxfp4'
import { findParts, type PackedMatrix, type PartFinder, type PartReader } from './packed-matrix'
import { findFp8 } from './scaled-floats'
import { describeScheme, schemeLabel, type QuantizationScheme } from './scheme'

/** Values decoded at once: bounds what a range needs in memory beside its result. */
const CHUNK_VALUES = 4 * 1024 * 1024
const F32_BYTES = 4

async function findMatrices(parts: PartFinder, scheme: QuantizationScheme): Promise<readonly PackedMatrix[]> {
  switch (scheme.method) {
    case 'gptq':
      return findGptq(parts, scheme)
    case 'awq':
      return findAwq(parts, scheme)
    case 'compressed-tensors':
      return findCompressed(parts, scheme)
    case 'fp8':
      return findFp8(parts, scheme.blockSize)
    case 'bitsandbytes':
      return findBitsandbytes(parts)
    case 'mxfp4':
      return findMxfp4(parts)
    case 'mlx':
      return findMlx(parts, scheme)
  }
}

function infoOf(matrix: PackedMatrix, file: string): ComputedTensor {
  const { name, shape, content, swapped } = matrix
  const blocks = content.kind === 'codes' ? content.blocks : null
  return {
    name,
    dtype: 'F32',
    shape,
    file,
    sizeBytes: shape.reduce((product, size) => product * size, F32_BYTES),
    storage: 'computed',
    computation: 'dequantized',
    ...(blocks && { quantized: blocks.format, ...(blocks.plan.order && { inputOrder: blocks.plan.order }) }),
    ...(swapped && { swapped }),
  }
}

/** Reads parts of the matrices; whole parts stay until another matrix is read. */
function createPartReader(checkpoint: Checkpoint): (matrix: PackedMatrix, signal: AbortSignal | undefined) => PartReader {
  let current: PackedMatrix | null = null
  let kept = new Map<string, Promise<Uint8Array>>()
  return (matrix, signal) => {
    if (current !== matrix) {
      current = matrix
      kept = new Map()
    }
    const mine = kept
    return {
      range: (name, offsetBytes, sizeBytes) => checkpoint.readRange({ name, offsetBytes, sizeBytes, ...(signal && { signal }) }),
      whole: (name) => {
        const known = mine.get(name)
        if (known !== undefined) return known
        const bytes = checkpoint.read(name, signal)
        mine.set(name, bytes)
        // A failed read must not stick.
        bytes.catch(() => mine.delete(name))
        return bytes
      },
    }
  }
}

/**
 * Shows a packed checkpoint as float tensors. Parts are checked here, before a weight is read; tensors that are no parts stay as they are. Disposing the view
 * disposes the checkpoint. Throws "checkpoint/packed-part-missing", "checkpoint/packed-part-dtype", "checkpoint/packed-part-shape", "checkpoint/packed-part-value".
 */
export async function openPacked(checkpoint: Checkpoint, scheme: QuantizationScheme): Promise<Checkpoint> {
  const matrices = await findMatrices(findParts(checkpoint, describeScheme(scheme)), scheme)
  const byName = new Map(matrices.map((matrix) => [matrix.name, matrix]))
  const parts = new Set(matrices.flatMap((matrix) => matrix.parts))
  const tensors = new Map<string, TensorInfo>()
  for (const tensor of checkpoint.tensors.values()) if (!parts.has(tensor.name)) tensors.set(tensor.name, tensor)
  for (const matrix of matrices) {
    const [first = ''] = matrix.parts
    tensors.set(matrix.name, infoOf(matrix, checkpoint.tensors.get(first)?.file ?? ''))
  }
  const readerFor = createPartReader(checkpoint)

  const valuesOf = async (matrix: PackedMatrix, range: { readonly firstRow: number; readonly rows: number }, signal?: AbortSignal) => {
    const reader = readerFor(matrix, signal)
    const { content } = matrix
    return content.kind === 'values'
      ? content.decode(reader, range)
      : dequantizeGroups(await content.decode(reader, range), content.groupOf)
  }

  const readRange = async (range: TensorRange): Promise<Uint8Array> => {
    const matrix = byName.get(range.name)
    if (matrix === undefined) return checkpoint.readRange(range)
    const { offsetBytes, sizeBytes, signal } = range
    const tensorBytes = matrix.shape.reduce((product, size) => product * size, F32_BYTES)
    if (offsetBytes < 0 || sizeBytes < 0 || offsetBytes + sizeBytes > tensorBytes)
      throw engineError('checkpoint/range-outside-tensor', { tensor: range.name, offsetBytes, sizeBytes, tensorBytes })
    const rowBytes = (matrix.shape.at(-1) ?? 1) * F32_BYTES
    const endBytes = offsetBytes + sizeBytes
    const chunkRows = Math.max(1, Math.floor(CHUNK_VALUES / (rowBytes / F32_BYTES)))
    const result = new Uint8Array(sizeBytes)
    for (let row = Math.floor(offsetBytes / rowBytes); row * rowBytes < endBytes; row += chunkRows) {
      const rows = Math.min(chunkRows, Math.ceil(endBytes / rowBytes) - row)
      const values = await valuesOf(matrix, { firstRow: row, rows }, signal)
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
      const start = row * rowBytes
      const from = Math.max(offsetBytes, start)
      result.set(bytes.subarray(from - start, Math.min(endBytes, start + rows * rowBytes) - start), from - offsetBytes)
    }
    return result
  }

  const readQuantized = async ({ name, signal, ...range }: TensorRows): Promise<NBitsMatrix> => {
    const matrix = byName.get(name)
    if (matrix?.content.kind === 'codes' && matrix.content.blocks !== null) {
      const { decode, blocks } = matrix.content
      return packGroups(await decode(readerFor(matrix, signal), range), blocks)
    }
    const stored = matrix === undefined ? await checkpoint.readQuantized?.({ name, ...range, ...(signal && { signal }) }) : undefined
    if (stored === undefined) throw engineError('checkpoint/not-quantized', { tensor: name })
    return stored
  }

  return {
    ...checkpoint,
    tensors,
    packing: { label: schemeLabel(scheme), description: describeScheme(scheme) },
    notes: [...checkpoint.notes, note('checkpoint/quantized', { scheme: describeScheme(scheme) }), ...scheme.notes],
    readRange,
    readQuantized,
    read: (name, signal) => {
      const matrix = byName.get(name)
      if (matrix === undefined) return checkpoint.read(name, signal)
      const sizeBytes = matrix.shape.reduce((product, size) => product * size, F32_BYTES)
      return readRange({ name, offsetBytes: 0, sizeBytes, ...(signal && { signal }) })
    },
    [Symbol.dispose]: () => checkpoint[Symbol.dispose](),
  }
}
