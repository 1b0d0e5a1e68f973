// Numbers into ggml's simplest blocks: 32 values, one scale. Rounding follows quantize_row_q8_0_ref and quantize_row_q4_0_ref of ggml-quants.c.
import { BLOCK_FORMATS } from './formats'

/** Block formats that can be made. */
export type BlockTarget = 'Q8_0' | 'Q4_0'

const BLOCK_ELEMENTS = 32

/** Bits of one value, its share of the scale included. */
export const BLOCK_BITS: Readonly<Record<BlockTarget, number>> = { Q8_0: (34 * 8) / BLOCK_ELEMENTS, Q4_0: (18 * 8) / BLOCK_ELEMENTS }

/** Half away from zero, as C's roundf. */
const roundAway = (value: number): number => Math.sign(value) * Math.floor(Math.abs(value) + 0.5)

function quantizeQ8(
  values: Float32Array,
  start: number,
  target: { readonly view: DataView; readonly at: number; readonly toHalf: (value: number) => number },
): void {
  const { view, at, toHalf } = target
  let most = 0
  for (let index = 0; index < BLOCK_ELEMENTS; index++) most = Math.max(most, Math.abs(values[start + index] ?? 0))
  const scale = Math.fround(most / 127)
  const inverse = scale === 0 ? 0 : Math.fround(1 / scale)
  view.setUint16(at, toHalf(scale), true)
  for (let index = 0; index < BLOCK_ELEMENTS; index++)
    view.setInt8(at + 2 + index, roundAway(Math.fround((values[start + index] ?? 0) * inverse)))
}

function quantizeQ4(
  values: Float32Array,
  start: number,
  target: { readonly view: DataView; readonly at: number; readonly toHalf: (value: number) => number },
): void {
  const { view, at, toHalf } = target
  let extreme = 0
  for (let index = 0; index < BLOCK_ELEMENTS; index++) {
    const value = values[start + index] ?? 0
    if (Math.abs(value) > Math.abs(extreme)) extreme = value
  }
  const scale = Math.fround(extreme / -8)
  const inverse = scale === 0 ? 0 : Math.fround(1 / scale)
  view.setUint16(at, toHalf(scale), true)
  // The sum is a single too: it decides which way values half way between two codes go.
  const code = (index: number): number => Math.min(15, Math.trunc(Math.fround(Math.fround((values[start + index] ?? 0) * inverse) + 8.5)))
  for (let index = 0; index < BLOCK_ELEMENTS / 2; index++)
    view.setUint8(at + 2 + index, code(index) | (code(index + BLOCK_ELEMENTS / 2) << 4))
}

/** Quantizes whole blocks of `values`. `toHalf` gives the bits of the nearest F16. */
export function quantizeBlocks(
  values: Float32Array,
  options: { readonly type: BlockTarget; readonly toHalf: (value: number) => number },
): Uint8Array {
  const { type, toHalf } = options
  const { sizeBytes } = BLOCK_FORMATS[type]
  const bytes = new Uint8Array((values.length / BLOCK_ELEMENTS) * sizeBytes)
  const view = new DataView(bytes.buffer)
  const quantize = type === 'Q8_0' ? quantizeQ8 : quantizeQ4
  for (let block = 0; block * BLOCK_ELEMENTS < values.length; block++)
    quantize(values, block * BLOCK_ELEMENTS, { view, at: block * sizeBytes, toHalf })
  return bytes
}
