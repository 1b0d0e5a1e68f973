// Super-blocks of 256 values with scales of their own for 16 or 32 of them: Q2_K to Q6_K. Layouts follow ggml (ggml-common.h, pull request 1684).
import { halfAt, type BlockRun } from './block-run'

/** Q2_K: 16 bytes of scale and minimum (four bits each), 64 bytes of two-bit codes, F16 scale and minimum of the super-block. */
export function dequantizeQ2_K(run: BlockRun): void {
  const { source, target, blocks } = run
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 84, to += 256) {
    const superScale = halfAt(run, from + 80)
    const superMinimum = halfAt(run, from + 82)
    for (let group = 0; group < 16; group++) {
      const packed = source.getUint8(from + group)
      const scale = superScale * (packed & 15)
      const minimum = superMinimum * (packed >> 4)
      // Group pairs of 32 values share 32 bytes, four pairs by two bits each.
      const codes = from + 16 + (group >> 3) * 32 + (group & 1) * 16
      const shift = 2 * ((group >> 1) & 3)
      const first = to + group * 16
      for (let index = 0; index < 16; index++) {
        target[first + index] = scale * ((source.getUint8(codes + index) >> shift) & 3) - minimum
      }
    }
  }
}

/** Q3_K: 32 bytes of third bits, 64 bytes of two-bit codes, sixteen six-bit scales in 12 bytes, F16 scale. A clear third bit subtracts 4. */
export function dequantizeQ3_K(run: BlockRun): void {
  const { source, target, blocks } = run
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 110, to += 256) {
    const superScale = halfAt(run, from + 108)
    for (let group = 0; group < 16; group++) {
      const low = source.getUint8(from + 96 + (group & 7)) >> (group < 8 ? 0 : 4)
      const high = source.getUint8(from + 104 + (group & 3)) >> (2 * (group >> 2))
      const scale = superScale * (((low & 15) | ((high & 3) << 4)) - 32)
      const lane = (group & 1) * 16
      const codes = from + 32 + (group >> 3) * 32 + lane
      const shift = 2 * ((group >> 1) & 3)
      const bit = group >> 1
      const first = to + group * 16
      for (let index = 0; index < 16; index++) {
        const third = (source.getUint8(from + lane + index) >> bit) & 1
        target[first + index] = scale * (((source.getUint8(codes + index) >> shift) & 3) + 4 * third - 4)
      }
    }
  }
}

/** Six-bit scale of `group` (0 to 7) in the 12 bytes of Q4_K and Q5_K; the minimum lies the same way four bytes and four bits further. */
function groupScale(source: DataView, place: { readonly scales: number; readonly group: number }): number {
  const { scales, group } = place
  if (group < 4) return source.getUint8(scales + group) & 63
  return (source.getUint8(scales + group + 4) & 15) | ((source.getUint8(scales + group - 4) >> 6) << 4)
}

function groupMinimum(source: DataView, place: { readonly scales: number; readonly group: number }): number {
  const { scales, group } = place
  if (group < 4) return source.getUint8(scales + group + 4) & 63
  return (source.getUint8(scales + group + 4) >> 4) | ((source.getUint8(scales + group) >> 6) << 4)
}

/** Q4_K: F16 scale and minimum, eight six-bit pairs of them, 128 bytes of four-bit codes. */
export function dequantizeQ4_K(run: BlockRun): void {
  const { source, target, blocks } = run
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 144, to += 256) {
    const superScale = halfAt(run, from)
    const superMinimum = halfAt(run, from + 2)
    for (let group = 0; group < 8; group++) {
      const scale = superScale * groupScale(source, { scales: from + 4, group })
      const minimum = superMinimum * groupMinimum(source, { scales: from + 4, group })
      const codes = from + 16 + (group >> 1) * 32
      const shift = 4 * (group & 1)
      const first = to + group * 32
      for (let index = 0; index < 32; index++) {
        target[first + index] = scale * ((source.getUint8(codes + index) >> shift) & 15) - minimum
      }
    }
  }
}

/** Q5_K: as Q4_K, with 32 bytes of fifth bits before the codes. */
export function dequantizeQ5_K(run: BlockRun): void {
  const { source, target, blocks } = run
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 176, to += 256) {
    const superScale = halfAt(run, from)
    const superMinimum = halfAt(run, from + 2)
    for (let group = 0; group < 8; group++) {
      const scale = superScale * groupScale(source, { scales: from + 4, group })
      const minimum = superMinimum * groupMinimum(source, { scales: from + 4, group })
      const codes = from + 48 + (group >> 1) * 32
      const shift = 4 * (group & 1)
      const first = to + group * 32
      for (let index = 0; index < 32; index++) {
        const fifth = (source.getUint8(from + 16 + index) >> group) & 1
        target[first + index] = scale * (((source.getUint8(codes + index) >> shift) & 15) | (fifth << 4)) - minimum
      }
    }
  }
}

/** Q6_K: 128 bytes of low four bits, 64 bytes of high two bits, 16 signed scales, F16 scale. Codes lie around 32. */
export function dequantizeQ6_K(run: BlockRun): void {
  const { source, target, blocks } = run
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 210, to += 256) {
    const superScale = halfAt(run, from + 208)
    for (let group = 0; group < 16; group++) {
      const scale = superScale * source.getInt8(from + 192 + group)
      const half = group >> 3
      const row = (group >> 1) & 3
      const lane = (group & 1) * 16
      const lows = from + half * 64 + (row & 1) * 32 + lane
      const highs = from + 128 + half * 32 + lane
      const lowShift = 4 * (row >> 1)
      const highShift = 2 * row
      const first = to + group * 16
      for (let index = 0; index < 16; index++) {
        const low = (source.getUint8(lows + index) >> lowShift) & 15
        const high = (source.getUint8(highs + index) >> highShift) & 3
        target[first + index] = scale * ((low | (high << 4)) - 32)
      }
    }
  }
}
