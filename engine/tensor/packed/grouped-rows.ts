// Rows of integer codes whose columns share scales and zero points in groups: what GPTQ, AWQ, compressed-tensors and the like store, taken out of their packing.
import { nbitsLayout, type NBitsFormat, type NBitsMatrix } from '../nbits/layout'

/** value[row, column] = (code - zero point of the column's group) * scale of the column's group. */
export interface GroupedRows {
  readonly rows: number
  readonly columns: number
  readonly groups: number
  /** [rows, columns], one code a byte. */
  readonly codes: Uint8Array
  /** [rows, groups] */
  readonly scales: Float32Array
  /** [rows, groups] */
  readonly zeroPoints: Uint8Array
}

/** How grouped columns become MatMulNBits blocks: a group is one block or several with the same scale, so that no value changes. */
export interface BlockPlan {
  readonly blockSize: number
  /** The columns in the order in which groups lie side by side; null where they do already. */
  readonly order: Int32Array | null
  readonly groupOfBlock: Int32Array
}

/** Block sizes of ONNX Runtime's processor kernels, the fastest first. */
const BLOCK_SIZES = [256, 128, 64, 32, 16] as const

/** The group of every column where groups of one size follow each other; the last may be shorter. */
export function evenGroups(columns: number, groupSize: number): Int32Array {
  return Int32Array.from({ length: columns }, (_, column) => Math.floor(column / groupSize))
}

/** The values, [rows, columns] F32: one rounding, of the product. */
export function dequantizeGroups(matrix: GroupedRows, groupOf: Int32Array): Float32Array {
  const { rows, columns, groups, codes, scales, zeroPoints } = matrix
  const values = new Float32Array(rows * columns)
  for (let row = 0; row < rows; row++) {
    const firstGroup = row * groups
    for (let column = 0, at = row * columns; column < columns; column++, at++) {
      const group = firstGroup + (groupOf[column] ?? 0)
      values[at] = ((codes[at] ?? 0) - (zeroPoints[group] ?? 0)) * (scales[group] ?? 0)
    }
  }
  return values
}

/** Finds blocks for columns in groups, or null where some group is no whole number of 16 columns. */
export function planBlocks(groupOf: Int32Array): BlockPlan | null {
  const columns = groupOf.length
  const sorted = groupOf.every((group, column) => column === 0 || group >= (groupOf[column - 1] ?? 0))
  // A stable sort keeps the columns of a group in their order.
  const order = sorted ? null : Int32Array.from(Array.from(groupOf.keys()).sort((a, b) => (groupOf[a] ?? 0) - (groupOf[b] ?? 0) || a - b))
  const groupAt = (place: number): number => groupOf[order === null ? place : (order[place] ?? 0)] ?? 0
  const starts = [columns]
  for (let place = 1; place < columns; place++) if (groupAt(place) !== groupAt(place - 1)) starts.push(place)
  const blockSize = BLOCK_SIZES.find((size) => starts.every((start) => start % size === 0))
  if (blockSize === undefined) return null
  return { blockSize, order, groupOfBlock: Int32Array.from({ length: columns / blockSize }, (_, block) => groupAt(block * blockSize)) }
}

/** Puts the same codes, scales and zero points into MatMulNBits order. `format` has the plan's block size; symmetric ones leave the zero points out. */
export function packGroups(matrix: GroupedRows, { plan, format }: { readonly plan: BlockPlan; readonly format: NBitsFormat }): NBitsMatrix {
  const { rows, columns, groups, codes, scales, zeroPoints } = matrix
  const { order, groupOfBlock, blockSize } = plan
  const layout = nbitsLayout(matrix, format)
  const packed = {
    codes: new Uint8Array(layout.codeBytes),
    scales: new Float32Array(rows * groupOfBlock.length),
    zeroPoints: new Uint8Array(layout.zeroPointBytes).fill(format.bits === 4 ? 0x88 : 0x80),
  }
  const perByte = 8 / format.bits
  for (let row = 0; row < rows; row++) {
    const from = row * columns
    const to = row * layout.codeRowBytes
    for (let place = 0; place < columns; place++) {
      const code = codes[from + (order === null ? place : (order[place] ?? 0))] ?? 0
      if (perByte === 1) packed.codes[to + place] = code
      else packed.codes[to + (place >> 1)] = (packed.codes[to + (place >> 1)] ?? 0) | (code << (4 * (place & 1)))
    }
    for (let block = 0; block * blockSize < columns; block++) {
      const group = row * groups + (groupOfBlock[block] ?? 0)
      packed.scales[row * groupOfBlock.length + block] = scales[group] ?? 0
      if (format.symmetric) continue
      const zero = zeroPoints[group] ?? 0
      const at = row * layout.zeroPointRowBytes + (perByte === 1 ? block : block >> 1)
      if (perByte === 1) packed.zeroPoints[at] = zero
      else {
        const pair = packed.zeroPoints[at] ?? 0
        packed.zeroPoints[at] = block % 2 === 0 ? (pair & 0xf0) | zero : (pair & 0x0f) | (zero << 4)
      }
    }
  }
  return packed
}
