// Four-bit codes into a table of 16 unevenly spaced levels: IQ4_NL and IQ4_XS. Layouts and levels follow ggml (pull requests 5590 and 5747).
import { halfAt, type BlockRun } from './block-run'

/** kvalues_iq4nl of ggml-common.h. */
const LEVELS = Float32Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113)

/** IQ4_NL: F16 scale, 32 codes of four bits. */
export function dequantizeIQ4_NL(run: BlockRun): void {
  const { source, target, blocks } = run
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 18, to += 32) {
    const scale = halfAt(run, from)
    for (let index = 0; index < 16; index++) {
      const byte = source.getUint8(from + 2 + index)
      target[to + index] = scale * (LEVELS[byte & 15] ?? NaN)
      target[to + 16 + index] = scale * (LEVELS[byte >> 4] ?? NaN)
    }
  }
}

/** IQ4_XS: F16 scale, eight six-bit scales around 32 (two high bits in a U16, four low bits in four bytes), 128 bytes of codes. */
export function dequantizeIQ4_XS(run: BlockRun): void {
  const { source, target, blocks } = run
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 136, to += 256) {
    const superScale = halfAt(run, from)
    const highs = source.getUint16(from + 2, true)
    for (let group = 0; group < 8; group++) {
      const low = (source.getUint8(from + 4 + (group >> 1)) >> (4 * (group & 1))) & 15
      const scale = superScale * ((low | (((highs >> (2 * group)) & 3) << 4)) - 32)
      const codes = from + 8 + group * 16
      const first = to + group * 32
      for (let index = 0; index < 16; index++) {
        const byte = source.getUint8(codes + index)
        target[first + index] = scale * (LEVELS[byte & 15] ?? NaN)
        target[first + 16 + index] = scale * (LEVELS[byte >> 4] ?? NaN)
      }
    }
  }
}
