// The layout of a quantized matrix as ONNX Runtime's MatMulNBits reads it (com.microsoft, 1.30): codes [rows, blocks, block bytes], one F32 scale and at most one zero point a block.

/** Bits of one code. */
export type CodeBits = 4 | 8

/**
 * How a matrix is quantized: value = (code - zero point) * scale, a scale for every `blockSize` values of a row.
 * Symmetric ones have no zero points: every one of them is 2^(bits - 1).
 */
export interface NBitsFormat {
  readonly bits: CodeBits
  readonly blockSize: number
  readonly symmetric: boolean
}

/** A matrix of `rows` (outputs) times `columns` (inputs). */
export interface MatrixShape {
  readonly rows: number
  readonly columns: number
}

/** Bytes of the parts of a quantized matrix; `zeroPointBytes` is 0 for symmetric ones. */
export interface NBitsLayout {
  /** Blocks of one row; the last may be filled up with zeros. */
  readonly blocksPerRow: number
  readonly codeRowBytes: number
  readonly scaleRowBytes: number
  readonly zeroPointRowBytes: number
  readonly codeBytes: number
  readonly scaleBytes: number
  readonly zeroPointBytes: number
}

/** A quantized matrix in memory. Two 4-bit codes (and zero points of one row) share a byte, the first in its low half. */
export interface NBitsMatrix {
  readonly codes: Uint8Array
  readonly scales: Float32Array
  readonly zeroPoints: Uint8Array
}

/** Block sizes that ONNX Runtime's processor kernels take (SQNBitGemm in mlas). */
const BLOCK_SIZES = [256, 128, 64, 32, 16] as const

/** Sizes of a matrix's parts. */
export function nbitsLayout({ rows, columns }: MatrixShape, { bits, blockSize, symmetric }: NBitsFormat): NBitsLayout {
  const blocksPerRow = Math.ceil(columns / blockSize)
  const codeRowBytes = (blocksPerRow * blockSize * bits) / 8
  const scaleRowBytes = blocksPerRow * 4
  const zeroPointRowBytes = symmetric ? 0 : Math.ceil((blocksPerRow * bits) / 8)
  return {
    blocksPerRow,
    codeRowBytes,
    scaleRowBytes,
    zeroPointRowBytes,
    codeBytes: rows * codeRowBytes,
    scaleBytes: rows * scaleRowBytes,
    zeroPointBytes: rows * zeroPointRowBytes,
  }
}

/** The block size for rows of `columns` values: the wanted one where it divides them, else the largest smaller one that does, else 32 with a filled-up end. */
export function fittingBlockSize(columns: number, wanted: number): number {
  return BLOCK_SIZES.find((size) => size <= wanted && columns % size === 0) ?? 32
}
