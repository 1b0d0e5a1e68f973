// CRC-32C (Castagnoli, RFC 3720 appendix B.4) and the masked form that LevelDB and TensorFlow store.

/** The reflected Castagnoli polynomial. */
const POLYNOMIAL = 0x82f63b78

/** Bytes that one step takes. */
const STEP_BYTES = 4

/** 256 entries for each byte of a step, the last byte's first. Source: Kounavis and Berry, "A Systematic Approach to Building High Performance Software-Based CRC Generators" (2005). */
const TABLES = new Uint32Array(STEP_BYTES * 256)
for (let index = 0; index < 256; index++) {
  let value = index
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
  TABLES[index] = value
}
for (let index = 256; index < TABLES.length; index++) {
  const before = TABLES[index - 256] ?? 0
  TABLES[index] = (before >>> 8) ^ (TABLES[before & 0xff] ?? 0)
}

/** CRC-32C of bytes as an unsigned 32-bit number; `before` is that of what came in front of them. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  let crc = ~before
  const fastEnd = bytes.length - (bytes.length % STEP_BYTES)
  for (let at = 0; at < fastEnd; at += STEP_BYTES) {
    crc ^= (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)
    crc =
      (TABLES[768 + (crc & 0xff)] ?? 0) ^
      (TABLES[512 + ((crc >>> 8) & 0xff)] ?? 0) ^
      (TABLES[256 + ((crc >>> 16) & 0xff)] ?? 0) ^
      (TABLES[crc >>> 24] ?? 0)
  }
  for (let at = fastEnd; at < bytes.length; at++) crc = (TABLES[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8)
  return ~crc >>> 0
}

/** The stored form: a CRC of data that itself holds CRCs would be weak, so it is rotated by 15 bits and offset (leveldb/util/crc32c.h). */
export function maskCrc(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
