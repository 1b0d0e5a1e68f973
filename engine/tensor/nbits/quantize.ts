// Rows of floating-point values -> MatMulNBits blocks, in plain TypeScript: what the WebAssembly kernel computes, bit for bit, and its oracle in tests.
import { nbitsLayout, type MatrixShape, type NBitsFormat, type NBitsMatrix } from './layout'

/** The smallest normal F32: a smaller scale has no usable inverse, and its block becomes zeros. */
const MIN_SCALE = 2 ** -126
/** 2^23. */
const ROUNDING = 8388608
const { fround, min, max } = Math

/** What came out, and how many blocks hold a value that is no finite number (their codes mean nothing). */
export interface QuantizedRows extends NBitsMatrix {
  readonly brokenBlocks: number
}

/**
 * Quantizes a matrix, row by row. 4 bits: scale = (max - min) / 15 with 0 inside the range and a rounded zero point; 8 bits: scale = max |x| / 127 around 128.
 * Every step is rounded to F32, as in the kernel.
 */
export function quantizeRows(values: Float32Array, options: { readonly shape: MatrixShape; readonly format: NBitsFormat }): QuantizedRows {
  const { shape, format } = options
  const { bits, blockSize } = format
  const layout = nbitsLayout(shape, format)
  const codes = new Uint8Array(layout.codeBytes)
  const scales = new Float32Array(shape.rows * layout.blocksPerRow)
  const zeroPoints = new Uint8Array(layout.zeroPointBytes).fill(bits === 4 ? 0x88 : 0x80)
  let brokenBlocks = 0
  for (let row = 0; row < shape.rows; row++) {
    for (let index = 0; index < layout.blocksPerRow; index++) {
      const start = row * shape.columns + index * blockSize
      const end = min(start + blockSize, (row + 1) * shape.columns)
      const range = rangeOf(values, { start, end })
      const spread = bits === 4 ? fround(range.most - range.least) : max(-range.least, range.most)
      if (!(spread < Infinity)) brokenBlocks++
      const wanted = fround(spread / (bits === 4 ? 15 : 127))
      const scale = wanted < MIN_SCALE ? 0 : wanted
      const inverse = scale === 0 ? 0 : fround(1 / scale)
      const block = row * layout.blocksPerRow + index
      scales[block] = scale
      if (bits === 8) {
        for (let i = 0; i < blockSize; i++)
          codes[block * blockSize + i] = code(start + i < end ? values[start + i] : 0, { inverse, shift: 128, top: 255 })
        continue
      }
      const zero = scale === 0 ? 8 : nearest(min(max(fround(-range.least * inverse), 0), 15))
      const at = row * layout.zeroPointRowBytes + (index >> 1)
      const pair = zeroPoints[at] ?? 0
      zeroPoints[at] = index % 2 === 0 ? (pair & 0xf0) | zero : (pair & 0x0f) | (zero << 4)
      const shift = zero
      for (let i = 0; i < blockSize; i += 2) {
        const low = code(start + i < end ? values[start + i] : 0, { inverse, shift, top: 15 })
        const high = code(start + i + 1 < end ? values[start + i + 1] : 0, { inverse, shift, top: 15 })
        codes[(block * blockSize + i) / 2] = low | (high << 4)
      }
    }
  }
  return { codes, scales, zeroPoints, brokenBlocks }
}

/** Values of a quantized matrix, [rows, columns] F32. */
export function dequantizeRows(matrix: NBitsMatrix, options: { readonly shape: MatrixShape; readonly format: NBitsFormat }): Float32Array {
  const { shape, format } = options
  const { bits, blockSize, symmetric } = format
  const layout = nbitsLayout(shape, format)
  const values = new Float32Array(shape.rows * shape.columns)
  for (let row = 0; row < shape.rows; row++) {
    for (let column = 0; column < shape.columns; column++) {
      const index = Math.floor(column / blockSize)
      const at = row * layout.blocksPerRow * blockSize + column
      const zero = symmetric ? 1 << (bits - 1) : element(matrix.zeroPoints, { bits, rowBytes: layout.zeroPointRowBytes, row, index })
      const stored = bits === 8 ? (matrix.codes[at] ?? 0) : ((matrix.codes[at >> 1] ?? 0) >> (4 * (at & 1))) & 15
      values[row * shape.columns + column] = (stored - zero) * (matrix.scales[row * layout.blocksPerRow + index] ?? 0)
    }
  }
  return values
}

function element(
  bytes: Uint8Array,
  at: { readonly bits: number; readonly rowBytes: number; readonly row: number; readonly index: number },
): number {
  const { bits, rowBytes, row, index } = at
  if (bits === 8) return bytes[row * rowBytes + index] ?? 0
  return ((bytes[row * rowBytes + (index >> 1)] ?? 0) >> (4 * (index & 1))) & 15
}

function code(value: number | undefined, by: { readonly inverse: number; readonly shift: number; readonly top: number }): number {
  return nearest(min(max(fround(fround((value ?? 0) * by.inverse) + by.shift), 0), by.top))
}

/** The nearest whole number below 2^22, ties to even: F32 has no room for a fraction above 2^23. */
function nearest(value: number): number {
  return fround(value + ROUNDING) - ROUNDING
}

/** Least and most of the values, 0 included. */
function rangeOf(values: Float32Array, { start, end }: { readonly start: number; readonly end: number }) {
  let least = 0
  let most = 0
  for (let index = start; index < end; index++) {
    const value = values[index] ?? 0
    least = min(least, value)
    most = max(most, value)
  }
  return { least, most }
}
