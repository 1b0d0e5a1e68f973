// LEB128 integers inside SSTable blocks. Follows leveldb/util/coding.cc.

/** A decoded integer and the position after it. */
export interface Varint {
  readonly value: number
  readonly end: number
}

/** Reads an unsigned varint of at most ten bytes; null where it is cut off or above 2^53 - 1. */
export function readVarint(bytes: Uint8Array, start: number): Varint | null {
  let value = 0
  let scale = 1
  for (let position = start; position < start + 10; position++) {
    const byte = bytes[position]
    if (byte === undefined) return null
    value += (byte & 0x7f) * scale
    if (value > Number.MAX_SAFE_INTEGER) return null
    if (byte < 0x80) return { value, end: position + 1 }
    scale *= 128
  }
  return null
}
