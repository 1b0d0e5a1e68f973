// Blocks with one scale, and at most one minimum, in F16: Q1_0, Q2_0, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q8_1, and Q8_K with its F32 scale. Layouts follow ggml (ggml-common.h).
import { halfAt, type BlockRun } from './block-run'

/** Q1_0: F16 scale, 128 bits; a set bit is the scale, a clear one its negative. */
export function dequantizeQ1_0(run: BlockRun): void {
  const { source, target, blocks } = run
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 18, to += 128) {
    const scale = halfAt(run, from)
    for (let index = 0; index < 128; index++) {
      target[to + index] = (source.getUint8(from + 2 + (index >> 3)) >> (index & 7)) & 1 ? scale : -scale
    }
  }
}

/** Q2_0: F16 scale, 64 codes of two bits that mean -1, 0, 1, 2. */
export function dequantizeQ2_0(run: BlockRun): void {
  const { source, target, blocks } = run
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 18, to += 64) {
    const scale = halfAt(run, from)
    for (let index = 0; index < 64; index++) {
      const code = (source.getUint8(from + 2 + (index >> 2)) >> (2 * (index & 3))) & 3
      target[to + index] = scale * (code - 1)
    }
  }
}

/** Q4_0: F16 scale, 32 codes of four bits around 8; low halves of the bytes first. */
export function dequantizeQ4_0(run: BlockRun): void {
  const { source, target, blocks } = run
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 18, to += 32) {
    const scale = halfAt(run, from)
    for (let index = 0; index < 16; index++) {
      const byte = source.getUint8(from + 2 + index)
      target[to + index] = scale * ((byte & 15) - 8)
      target[to + 16 + index] = scale * ((byte >> 4) - 8)
    }
  }
}

/** Q4_1: F16 scale and minimum, 32 codes of four bits. */
export function dequantizeQ4_1(run: BlockRun): void {
  const { source, target, blocks } = run
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 20, to += 32) {
    const scale = halfAt(run, from)
    const minimum = halfAt(run, from + 2)
    for (let index = 0; index < 16; index++) {
      const byte = source.getUint8(from + 4 + index)
      target[to + index] = scale * (byte & 15) + minimum
      target[to + 16 + index] = scale * (byte >> 4) + minimum
    }
  }
}

/** Q5_0: F16 scale, 32 fifth bits, 32 codes of four bits; the joined codes lie around 16. */
export function dequantizeQ5_0(run: BlockRun): void {
  const { source, target, blocks } = run
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 22, to += 32) {
    const scale = halfAt(run, from)
    const high = source.getUint32(from + 2, true)
    for (let index = 0; index < 16; index++) {
      const byte = source.getUint8(from + 6 + index)
      target[to + index] = scale * (((byte & 15) | (((high >>> index) & 1) << 4)) - 16)
      target[to + 16 + index] = scale * (((byte >> 4) | (((high >>> (index + 16)) & 1) << 4)) - 16)
    }
  }
}

/** Q5_1: F16 scale and minimum, 32 fifth bits, 32 codes of four bits. */
export function dequantizeQ5_1(run: BlockRun): void {
  const { source, target, blocks } = run
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 24, to += 32) {
    const scale = halfAt(run, from)
    const minimum = halfAt(run, from + 2)
    const high = source.getUint32(from + 4, true)
    for (let index = 0; index < 16; index++) {
      const byte = source.getUint8(from + 8 + index)
      target[to + index] = scale * ((byte & 15) | (((high >>> index) & 1) << 4)) + minimum
      target[to + 16 + index] = scale * ((byte >> 4) | (((high >>> (index + 16)) & 1) << 4)) + minimum
    }
  }
}

function dequantizeBytes(run: BlockRun, layout: { readonly blockBytes: number; readonly codesOffset: number }): void {
  const { source, target, blocks } = run
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += layout.blockBytes, to += 32) {
    const scale = halfAt(run, from)
    for (let index = 0; index < 32; index++) target[to + index] = scale * source.getInt8(from + layout.codesOffset + index)
  }
}

/** Q8_0: F16 scale, 32 signed bytes. */
export function dequantizeQ8_0(run: BlockRun): void {
  dequantizeBytes(run, { blockBytes: 34, codesOffset: 2 })
}

/** Q8_1: F16 scale, F16 sum that only dot products use, 32 signed bytes. */
export function dequantizeQ8_1(run: BlockRun): void {
  dequantizeBytes(run, { blockBytes: 36, codesOffset: 4 })
}

/** Q8_K: F32 scale, 256 signed bytes, 16 sums that only dot products use. */
export function dequantizeQ8_K({ source, target, blocks }: BlockRun): void {
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 292, to += 256) {
    const scale = source.getFloat32(from, true)
    for (let index = 0; index < 256; index++) target[to + index] = scale * source.getInt8(from + 4 + index)
  }
}
