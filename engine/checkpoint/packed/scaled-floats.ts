// Float8 matrices with scales for blocks, rows or the whole matrix: DeepSeek's weight_scale_inv, compressed-tensors' float-quantized, FBGEMM. Follows Transformers 5.18 (finegrained_fp8).
import { decodeFloat32 } from '../../tensor/decode'
import type { Dtype } from '../../tensor/dtype'
import { badShape, matrixSizes, type PackedMatrix, type PartFinder, type PartReader, type RowRange } from './packed-matrix'

const FLOAT8_DTYPES: readonly Dtype[] = ['F8_E4M3', 'F8_E5M2']
const SCALE_DTYPES: readonly Dtype[] = ['F32', 'BF16', 'F16', 'F8_E8M0', 'U8']

interface ScaleGrid {
  readonly rows: number
  readonly columns: number
  readonly blockRows: number
  readonly blockColumns: number
}

/** The grid of scales over a matrix: blocks of the configured size, or equal parts where the configuration names none. */
function gridOf(
  shape: readonly number[],
  matrix: { readonly rows: number; readonly columns: number; readonly blockSize: readonly [number, number] | null },
): ScaleGrid | null {
  const { rows, columns, blockSize } = matrix
  const [gridRows = 1, gridColumns = 1] = shape
  if (shape.length > 2 || gridRows < 1 || gridColumns < 1) return null
  if (blockSize !== null) {
    const [blockRows, blockColumns] = blockSize
    if (gridRows === Math.ceil(rows / blockRows) && gridColumns === Math.ceil(columns / blockColumns))
      return { rows: gridRows, columns: gridColumns, blockRows, blockColumns }
  }
  if (rows % gridRows !== 0 || columns % gridColumns !== 0) return null
  return { rows: gridRows, columns: gridColumns, blockRows: rows / gridRows, blockColumns: columns / gridColumns }
}

/** A float8 matrix with its scales: value = weight * scale of its block, rounded once to F32. */
export function findScaledFloats(
  parts: PartFinder,
  options: { readonly module: string; readonly scale: string; readonly blockSize: readonly [number, number] | null },
): PackedMatrix {
  const weight = parts.part(`${options.module}.weight`, FLOAT8_DTYPES)
  const scale = parts.part(options.scale, SCALE_DTYPES)
  const [rows, columns] = matrixSizes(weight)
  const grid = gridOf(scale.shape, { rows, columns, blockSize: options.blockSize })
  if (grid === null) throw badShape(scale, `a grid over ${rows} x ${columns} values`)
  // Bytes without a type are exponents, as in MXFP8.
  const scaleDtype = scale.dtype === 'U8' ? 'F8_E8M0' : scale.dtype
  const decode = async (reader: PartReader, range: RowRange): Promise<Float32Array> => {
    const values = decodeFloat32(await reader.range(weight.name, range.firstRow * columns, range.rows * columns), weight.dtype)
    const scales = decodeFloat32(await reader.whole(scale.name), scaleDtype)
    for (let row = 0; row < range.rows; row++) {
      const gridRow = Math.floor((range.firstRow + row) / grid.blockRows) * grid.columns
      for (let column = 0, at = row * columns; column < columns; column++, at++) {
        values[at] = (values[at] ?? NaN) * (scales[gridRow + Math.floor(column / grid.blockColumns)] ?? NaN)
      }
    }
    return values
  }
  return { name: weight.name, shape: [rows, columns], parts: [weight.name, scale.name], content: { kind: 'values', decode } }
}

/** Finds the matrices of a float8 checkpoint, whose scales are called `weight_scale_inv`. */
export function findFp8(parts: PartFinder, blockSize: readonly [number, number] | null): readonly PackedMatrix[] {
  const ending = '.weight_scale_inv'
  return parts.names
    .filter((name) => name.endsWith(ending))
    .map((scale) => findScaledFloats(parts, { module: scale.slice(0, -ending.length), scale, blockSize }))
}
