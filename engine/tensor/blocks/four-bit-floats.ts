// Blocks of E2M1 floats under a shared scale: MXFP4 and NVFP4. Layouts follow ggml (pull requests 15091 and 19769), the numbers OCP Microscaling 1.0.
import { SMALL_FLOAT_TABLES } from '../small-floats'
import type { BlockRun } from './block-run'

/** E2M1 by code, as ggml has it: -0 (code 8) counts as 0. */
const E2M1 = SMALL_FLOAT_TABLES.F4.map((value) => (value === 0 ? 0 : value))

/** NVFP4's scales are E4M3 without a sign: the top bit is ignored, and code 0x7f, a NaN in E4M3, means 0. */
const UNSIGNED_E4M3 = Float32Array.from({ length: 256 }, (_, code) => {
  if (code === 0x7f) return 0
  const exponent = (code >> 3) & 15
  const mantissa = code & 7
  return exponent === 0 ? mantissa * 2 ** -9 : (1 + mantissa / 8) * 2 ** (exponent - 7)
})

/** MXFP4's scales are E8M0 where 255, a NaN in the specification, counts as 2^128: beyond F32, so kept as F64 until it is multiplied. */
const POWERS_OF_TWO = Float64Array.from({ length: 256 }, (_, code) => 2 ** (code - 127))

/** MXFP4: a power of two, 32 codes of four bits. */
export function dequantizeMXFP4({ source, target, blocks }: BlockRun): void {
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 17, to += 32) {
    const scale = POWERS_OF_TWO[source.getUint8(from)] ?? NaN
    for (let index = 0; index < 16; index++) {
      const byte = source.getUint8(from + 1 + index)
      target[to + index] = scale * (E2M1[byte & 15] ?? NaN)
      target[to + 16 + index] = scale * (E2M1[byte >> 4] ?? NaN)
    }
  }
}

/** NVFP4: four unsigned E4M3 scales, each for 16 codes of four bits. */
export function dequantizeNVFP4({ source, target, blocks }: BlockRun): void {
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 36, to += 64) {
    for (let group = 0; group < 4; group++) {
      const scale = UNSIGNED_E4M3[source.getUint8(from + group)] ?? NaN
      const codes = from + 4 + group * 8
      const first = to + group * 16
      for (let index = 0; index < 8; index++) {
        const byte = source.getUint8(codes + index)
        target[first + index] = scale * (E2M1[byte & 15] ?? NaN)
        target[first + 8 + index] = scale * (E2M1[byte >> 4] ?? NaN)
      }
    }
  }
}
