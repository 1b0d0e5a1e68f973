// Ternary super-blocks: TQ1_0 (five values in a byte) and TQ2_0 (four). Layouts follow ggml (pull request 8151).
import { halfAt, type BlockRun } from './block-run'

const POWERS_OF_THREE = [1, 3, 9, 27, 81] as const

/** Bytes of a TQ1_0 block that share a stride: `count` bytes at `offset` hold `powers` values each, the first value at `first`. */
const TQ1_0_PARTS = [
  { offset: 0, count: 32, powers: POWERS_OF_THREE, first: 0 },
  { offset: 32, count: 16, powers: POWERS_OF_THREE, first: 160 },
  { offset: 48, count: 4, powers: POWERS_OF_THREE.slice(0, 4), first: 240 },
] as const

/** TQ1_0: 52 bytes of base-3 fixed-point fractions, F16 scale. Multiplying by a power of three moves a digit to the top. */
export function dequantizeTQ1_0(run: BlockRun): void {
  const { source, target, blocks } = run
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 54, to += 256) {
    const scale = halfAt(run, from + 52)
    for (const { offset, count, powers, first } of TQ1_0_PARTS) {
      let start = to + first
      for (const power of powers) {
        for (let index = 0; index < count; index++) {
          const fraction = (source.getUint8(from + offset + index) * power) & 255
          target[start + index] = scale * (((fraction * 3) >> 8) - 1)
        }
        start += count
      }
    }
  }
}

/** TQ2_0: 64 bytes of two-bit codes around 1, F16 scale. */
export function dequantizeTQ2_0(run: BlockRun): void {
  const { source, target, blocks } = run
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 66, to += 256) {
    const scale = halfAt(run, from + 64)
    for (let row = 0; row < 8; row++) {
      const codes = from + (row >> 2) * 32
      const shift = 2 * (row & 3)
      const first = to + row * 32
      for (let index = 0; index < 32; index++) {
        target[first + index] = scale * (((source.getUint8(codes + index) >> shift) & 3) - 1)
      }
    }
  }
}
