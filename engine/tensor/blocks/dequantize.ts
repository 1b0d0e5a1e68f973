// Whole blocks of any format -> F32 values.
import { halfFloatTable } from '../small-floats'
import { BLOCK_FORMATS, type BlockType } from './formats'

/**
 * Dequantizes the whole blocks in `bytes` into `target`, which holds at least their values (a trailing part of a block is left out). Returns the number of values written.
 * The values are ggml's, bit for bit.
 */
export function dequantizeBlocks(bytes: Uint8Array, into: { readonly type: BlockType; readonly target: Float32Array }): number {
  const { elements, sizeBytes, dequantize } = BLOCK_FORMATS[into.type]
  const blocks = Math.min(Math.floor(bytes.length / sizeBytes), Math.floor(into.target.length / elements))
  const source = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  dequantize({ source, target: into.target, blocks, half: halfFloatTable() })
  return blocks * elements
}
