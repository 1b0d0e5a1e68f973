// Keys under which the parts of a partitioned variable are stored. Follows tensorflow/core/util/saved_tensor_slice_util.cc and lib/strings/ordered_code.cc (2.21).
import type { SliceExtent } from './bundle-entry'

/** Length of a part that spans its dimension (TensorSlice::kFullExtent). */
const FULL_EXTENT = -1

/** First byte of every such key: the ordered code of 0. No variable's name starts with it. */
export const SLICE_KEY_PREFIX = 0

/** A zero and a 0xff are escaped so that the terminator 00 01 sorts before every longer string. */
function encodeString(bytes: Uint8Array, target: number[]): void {
  for (const byte of bytes) {
    target.push(byte)
    if (byte === 0) target.push(0xff)
    else if (byte === 0xff) target.push(0)
  }
  target.push(0, 1)
}

/** Length byte, then the bytes from the highest that is not zero. */
function encodeUnsigned(value: number, target: number[]): void {
  const bytes: number[] = []
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  target.push(bytes.length, ...bytes)
}

/** As many leading bits as there are bytes are set (cleared below zero); the sign bit follows. */
function encodeSigned(value: number, target: number[]): void {
  const magnitude = BigInt(value < 0 ? -value - 1 : value)
  const bits = magnitude === 0n ? 0 : magnitude.toString(2).length
  const length = Math.floor(bits / 7) + 1
  // 8 bits a byte, of which `length` bits carry the length: exactly representable in 80 bits two's complement.
  const header = ((1n << BigInt(length)) - 1n) << BigInt(8 * length - length)
  let code = BigInt.asUintN(8 * length, BigInt(value)) ^ header
  const bytes: number[] = []
  for (let index = 0; index < length; index++) {
    bytes.unshift(Number(code & 0xffn))
    code >>= 8n
  }
  target.push(...bytes)
}

/** The key of one part of the variable `name` (its UTF-8 bytes). */
export function sliceKey(name: Uint8Array, slice: readonly SliceExtent[]): Uint8Array {
  const target: number[] = []
  encodeUnsigned(0, target)
  encodeString(name, target)
  encodeUnsigned(slice.length, target)
  for (const { start, length } of slice) {
    encodeSigned(length === null ? 0 : start, target)
    encodeSigned(length ?? FULL_EXTENT, target)
  }
  return Uint8Array.from(target)
}
