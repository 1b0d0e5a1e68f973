// Matrices that MLX quantized: rows of codes that follow each other from the lowest bit on, over the borders of bytes and words, a scale and a bias for each group of a row. Follows mlx.core.quantize, mode "affine".
import { decodeFloat32 } from '../../tensor/decode'
import type { Dtype } from '../../tensor/dtype'
import type { TensorInfo } from '../types'
import { badShape, requireShape, type PackedMatrix, type PartFinder, type PartReader, type RowRange } from './packed-matrix'
import type { MlxScheme } from './scheme'

const SCALE_DTYPES: readonly Dtype[] = ['F16', 'BF16', 'F32']
const WORD_BYTES = 4
const BITS = [2, 3, 4, 5, 6, 8] as const

interface Affine {
  readonly weight: TensorInfo
  readonly scales: TensorInfo
  readonly biases: TensorInfo
  readonly columns: number
  readonly groups: number
  readonly bits: number
}

/** Decodes value = code * scale + bias of the code's group, in F32. */
async function decodeAffine(
  reader: PartReader,
  { matrix, range }: { readonly matrix: Affine; readonly range: RowRange },
): Promise<Float32Array> {
  const { weight, scales, biases, columns, groups, bits } = matrix
  const rowBytes = (weight.shape.at(-1) ?? 0) * WORD_BYTES
  const floats = async (part: TensorInfo): Promise<Float32Array> => {
    const partRowBytes = part.sizeBytes / part.shape.slice(0, -1).reduce((product, size) => product * size, 1)
    return decodeFloat32(await reader.range(part.name, range.firstRow * partRowBytes, range.rows * partRowBytes), part.dtype)
  }
  const words = await reader.range(weight.name, range.firstRow * rowBytes, range.rows * rowBytes)
  const [scale, bias] = [await floats(scales), await floats(biases)]
  const mask = 2 ** bits - 1
  const groupSize = columns / groups
  const values = new Float32Array(range.rows * columns)
  for (let row = 0; row < range.rows; row++) {
    for (let column = 0, at = row * columns; column < columns; column++, at++) {
      const bit = column * bits
      const byte = row * rowBytes + (bit >> 3)
      const pair = (words[byte] ?? 0) | ((words[byte + 1] ?? 0) << 8)
      const group = row * groups + Math.floor(column / groupSize)
      values[at] = ((pair >>> (bit & 7)) & mask) * (scale[group] ?? NaN) + (bias[group] ?? NaN)
    }
  }
  return values
}

/** Finds the quantized matrices; the width of their codes follows from their shapes, since a model may have several. */
export function findMlx(parts: PartFinder, scheme: MlxScheme): readonly PackedMatrix[] {
  const ending = '.scales'
  return parts.names
    .filter((name) => name.endsWith(ending) && parts.has(`${name.slice(0, -ending.length)}.biases`))
    .map((name): PackedMatrix => {
      const module = name.slice(0, -ending.length)
      const weight = parts.part(`${module}.weight`, ['U32'])
      const scales = parts.part(name, SCALE_DTYPES)
      const biases = parts.part(`${module}.biases`, SCALE_DTYPES)
      const groups = scales.shape.at(-1) ?? 0
      const columns = groups * (scheme.groupSizes.get(module) ?? scheme.groupSize)
      const bits = ((weight.shape.at(-1) ?? 0) * WORD_BYTES * 8) / columns
      if (weight.shape.length < 2 || weight.sizeBytes === 0 || !BITS.some((width) => width === bits))
        throw badShape(weight, `rows of 32-bit words with 2, 3, 4, 5, 6 or 8 bits for each of ${columns} columns`)
      const outer = weight.shape.slice(0, -1)
      requireShape(scales, [...outer, groups])
      requireShape(biases, [...outer, groups])
      const matrix: Affine = { weight, scales, biases, columns, groups, bits }
      return {
        name: weight.name,
        shape: [...outer, columns],
        parts: [weight.name, scales.name, biases.name],
        content: { kind: 'values', decode: (reader, range) => decodeAffine(reader, { matrix, range }) },
      }
    })
}
