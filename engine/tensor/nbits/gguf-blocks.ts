// GGUF blocks that MatMulNBits multiplies with as they are: Q4_0 and Q8_0 have one scale a block and the zero in the middle. Layouts follow ggml (ggml-common.h).
import type { BlockType } from '../blocks/formats'
import { halfFloatTable } from '../small-floats'
import type { MatrixShape, NBitsFormat, NBitsMatrix } from './layout'

const BLOCK_VALUES = 32
const HALF_BLOCK = BLOCK_VALUES / 2
const SCALE_BYTES = 2

const FORMATS: Partial<Record<BlockType, NBitsFormat>> = {
  Q4_0: { bits: 4, blockSize: BLOCK_VALUES, symmetric: true },
  Q8_0: { bits: 8, blockSize: BLOCK_VALUES, symmetric: true },
}

/** The format that holds such blocks exactly, or null: the other types have minimums, or scales of scales. */
export function nbitsFormatOfBlocks(type: BlockType): NBitsFormat | null {
  return FORMATS[type] ?? null
}

/** Bytes of a block. */
function blockBytes({ bits }: NBitsFormat): number {
  return SCALE_BYTES + (BLOCK_VALUES * bits) / 8
}

/** Bytes of one row of blocks. */
export function blockRowBytes(columns: number, format: NBitsFormat): number {
  return (columns / BLOCK_VALUES) * blockBytes(format)
}

/** Takes whole rows of Q4_0 or Q8_0 blocks apart: the same codes in MatMulNBits order, the same scales as F32. Not one value changes. */
export function repackBlocks(bytes: Uint8Array, options: { readonly shape: MatrixShape; readonly format: NBitsFormat }): NBitsMatrix {
  const { shape, format } = options
  const half = halfFloatTable()
  const blocks = (shape.rows * shape.columns) / BLOCK_VALUES
  const stored = blockBytes(format)
  const codeBytes = stored - SCALE_BYTES
  const codes = new Uint8Array(blocks * codeBytes)
  const scales = new Float32Array(blocks)
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += stored, to += codeBytes) {
    scales[block] = half[(bytes[from] ?? 0) | ((bytes[from + 1] ?? 0) << 8)] ?? 0
    if (format.bits === 8) {
      // Signed bytes become unsigned ones around 128.
      for (let i = 0; i < BLOCK_VALUES; i++) codes[to + i] = (bytes[from + SCALE_BYTES + i] ?? 0) ^ 0x80
      continue
    }
    // The low halves are the block's first 16 values, the high halves its last 16; here neighbours share a byte.
    for (let i = 0; i < HALF_BLOCK; i += 2) {
      const first = bytes[from + SCALE_BYTES + i] ?? 0
      const second = bytes[from + SCALE_BYTES + i + 1] ?? 0
      codes[to + i / 2] = (first & 15) | ((second & 15) << 4)
      codes[to + (HALF_BLOCK + i) / 2] = (first >> 4) | (second & 0xf0)
    }
  }
  return { codes, scales, zeroPoints: new Uint8Array() }
}
