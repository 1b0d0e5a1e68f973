// Ranges of code points as sequences of byte ranges of their UTF-8 (RFC 3629), as regular expression engines split them.
import type { CodePointRanges } from './nodes'

/** One to four byte ranges, one after the other. */
export type ByteRangeSequence = readonly (readonly [from: number, to: number])[]

/** Code points at which the number of bytes changes; surrogates have no UTF-8. */
const SAME_LENGTH: CodePointRanges = [
  [0, 0x7f],
  [0x80, 0x7ff],
  [0x800, 0xd7ff],
  [0xe000, 0xffff],
  [0x10000, 0x10ffff],
]

/** Byte sequences that spell exactly the code points of `ranges`. */
export function utf8Sequences(ranges: CodePointRanges): ByteRangeSequence[] {
  const sequences: ByteRangeSequence[] = []
  for (const [from, to] of ranges)
    for (const [lowest, highest] of SAME_LENGTH) {
      const [start, end] = [Math.max(from, lowest), Math.min(to, highest)]
      if (start <= end) split(start, end, sequences)
    }
  return sequences
}

/** Splits until every byte but the first differing one runs through all its values. */
function split(from: number, to: number, into: ByteRangeSequence[]): void {
  const sizeBytes = from < 0x80 ? 1 : from < 0x800 ? 2 : from < 0x10000 ? 3 : 4
  for (let tail = 1; tail < sizeBytes; tail++) {
    const mask = (1 << (6 * tail)) - 1
    if ((from & ~mask) === (to & ~mask)) continue
    if ((from & mask) !== 0) {
      split(from, from | mask, into)
      split((from | mask) + 1, to, into)
      return
    }
    if ((to & mask) !== mask) {
      split(from, (to & ~mask) - 1, into)
      split(to & ~mask, to, into)
      return
    }
  }
  const [first, last] = [encode(from, sizeBytes), encode(to, sizeBytes)]
  into.push(first.map((byte, index) => [byte, last[index] ?? byte] as const))
}

function encode(codePoint: number, sizeBytes: number): number[] {
  if (sizeBytes === 1) return [codePoint]
  const bytes: number[] = []
  let rest = codePoint
  for (let index = 1; index < sizeBytes; index++) {
    bytes.unshift(0x80 | (rest & 0x3f))
    rest >>= 6
  }
  return [([0, 0, 0xc0, 0xe0, 0xf0][sizeBytes] ?? 0) | rest, ...bytes]
}
