// Snappy blocks of an SSTable. Follows google/snappy format_description.txt; every element is checked before snappyjs runs.
import { uncompress } from 'snappyjs'
import { readVarint } from './varint'

/** Why a block is refused: `too-large` where the announced size is above the limit, `malformed` otherwise. */
export type SnappyFailure = { readonly failure: 'malformed' } | { readonly failure: 'too-large'; readonly sizeBytes: number }

interface Element {
  readonly next: number
  readonly sizeBytes: number
  /** How far back a copy reaches; 0 for a literal. */
  readonly distance: number
}

function readLittleEndian(bytes: Uint8Array, position: number, count: number): number {
  let value = 0
  for (let index = 0; index < count; index++) value += (bytes[position + index] ?? 0) * 256 ** index
  return value
}

function readElement(bytes: Uint8Array, position: number): Element {
  const tag = bytes[position] ?? 0
  const upper = tag >> 2
  switch (tag & 3) {
    case 0: {
      const extraBytes = Math.max(0, upper - 59)
      const sizeBytes = (extraBytes > 0 ? readLittleEndian(bytes, position + 1, extraBytes) : upper) + 1
      return { next: position + 1 + extraBytes + sizeBytes, sizeBytes, distance: 0 }
    }
    case 1:
      return { next: position + 2, sizeBytes: (upper & 7) + 4, distance: ((tag >> 5) << 8) + (bytes[position + 1] ?? 0) }
    case 2:
      return { next: position + 3, sizeBytes: upper + 1, distance: readLittleEndian(bytes, position + 1, 2) }
    default:
      return { next: position + 5, sizeBytes: upper + 1, distance: readLittleEndian(bytes, position + 1, 4) }
  }
}

/** snappyjs loops forever on a literal longer than 2^31 and ignores a wrong total, so the whole stream is walked first. */
function isWellFormed(bytes: Uint8Array, start: number, sizeBytes: number): boolean {
  let position = start
  let written = 0
  while (position < bytes.length) {
    const literal = ((bytes[position] ?? 0) & 3) === 0
    const element = readElement(bytes, position)
    if (element.next > bytes.length) return false
    if (!literal && (element.distance === 0 || element.distance > written)) return false
    written += element.sizeBytes
    if (written > sizeBytes) return false
    position = element.next
  }
  return written === sizeBytes
}

/** Decompresses one block to at most `maxBytes` bytes; a failure is returned, not thrown, since only the caller knows the file. */
export function decompressSnappy(bytes: Uint8Array, maxBytes: number): Uint8Array | SnappyFailure {
  const length = readVarint(bytes, 0)
  if (!length) return { failure: 'malformed' }
  if (length.value > maxBytes) return { failure: 'too-large', sizeBytes: length.value }
  if (!isWellFormed(bytes, length.end, length.value)) return { failure: 'malformed' }
  try {
    return uncompress(bytes, maxBytes)
  } catch {
    return { failure: 'malformed' }
  }
}
