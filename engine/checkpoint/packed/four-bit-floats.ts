// E2M1 codes as integers: twice the value is a whole number of 8 bits, so that MatMulNBits multiplies with exactly these weights. Follows OCP Microscaling 1.0.
import { SMALL_FLOAT_TABLES } from '../../tensor/small-floats'

/** Zero of the 8-bit codes. */
export const MIDDLE = 128

/** Twice the value of every E2M1 code, around the middle; -0 is 0. */
const DOUBLED = Uint8Array.from(SMALL_FLOAT_TABLES.F4, (value) => MIDDLE + 2 * value)

/** Two E2M1 codes a byte, the first in the low half, as 8-bit codes. The scale that belongs to them is half of the stored one. */
export function doubledFourBitFloats(bytes: Uint8Array): Uint8Array {
  const codes = new Uint8Array(2 * bytes.length)
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0
    codes[2 * index] = DOUBLED[byte & 15] ?? 0
    codes[2 * index + 1] = DOUBLED[byte >> 4] ?? 0
  }
  return codes
}

/** Half of each power of two that E8M0 bytes stand for. */
export function halvedPowersOfTwo(bytes: Uint8Array): Float32Array {
  return Float32Array.from(bytes, (byte) => (SMALL_FLOAT_TABLES.F8_E8M0[byte] ?? NaN) / 2)
}
