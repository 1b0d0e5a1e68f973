// Seeded random numbers, and damage to bytes whose structure nobody knows.

/** Mulberry32: the same numbers from 0 to 1 for the same seed on every machine. */
export function randomOf(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A whole number below `max`. */
export const below = (random, max) => Math.floor(random() * max)

/** One of a list. */
export const pick = (random, list) => list[below(random, list.length)]

/** Numbers at which counts, sizes and offsets break. */
export const INTERESTING = [
  0, 1, 2, 7, 8, 0x7f, 0x80, 0xfe, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
]

/** One to six small damages; half of them keep the length, so that what comes behind still stands where it did. */
export function damage(bytes, random) {
  let result = Buffer.from(bytes)
  for (let step = below(random, 6); step >= 0 && result.length > 0; step--) {
    const at = below(random, result.length)
    const kind = below(random, 12)
    if (kind < 3) result[at] = below(random, 256)
    else if (kind < 5) result[at] ^= 1 << below(random, 8)
    else if (kind < 8) {
      const width = pick(random, [1, 2, 4, 8])
      const value = BigInt(pick(random, INTERESTING)) * (random() < 0.25 ? 0x1_0000_0001n : 1n)
      const isBigEndian = random() < 0.25
      for (let index = 0; index < width && at + index < result.length; index++) {
        result[at + index] = Number((value >> BigInt(8 * (isBigEndian ? width - 1 - index : index))) & 0xffn)
      }
    } else if (kind === 8) result = result.subarray(0, at)
    else if (kind === 9)
      result = Buffer.concat([result.subarray(0, at), result.subarray(Math.min(result.length, at + 1 + below(random, 16)))])
    else if (kind === 10)
      result = Buffer.concat([result.subarray(0, at), Buffer.alloc(1 + below(random, 16), below(random, 256)), result.subarray(at)])
    else {
      const length = Math.min(1 + below(random, 64), result.length - at)
      const from = below(random, result.length - length + 1)
      result.copyWithin(at, from, from + length)
    }
  }
  return result
}
