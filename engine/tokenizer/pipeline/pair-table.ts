// A hash table from two whole numbers to one, in typed arrays: a merge list of half a million pairs takes 12 MB in it, in a Map five times as much.

const EMPTY = -1

/** Values by pairs of whole numbers below 2^31; a later value of the same pair replaces the earlier one. */
export interface PairTable {
  readonly get: (first: number, second: number) => number | undefined
  readonly set: (first: number, second: number, value: number) => void
}

/** Makes a table for up to `capacity` pairs. */
export function createPairTable(capacity: number): PairTable {
  let size = 8
  while (size < capacity * 2) size *= 2
  const mask = size - 1
  const firsts = new Int32Array(size).fill(EMPTY)
  const seconds = new Int32Array(size)
  const values = new Int32Array(size)
  const slotOf = (first: number, second: number): number => {
    let slot = (Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b)) >>> 0
    slot = (slot ^ (slot >>> 15)) & mask
    for (;;) {
      const found = firsts[slot]
      if (found === EMPTY || (found === first && seconds[slot] === second)) return slot
      slot = (slot + 1) & mask
    }
  }
  return {
    get: (first, second) => {
      const slot = slotOf(first, second)
      return firsts[slot] === EMPTY ? undefined : values[slot]
    },
    set: (first, second, value) => {
      const slot = slotOf(first, second)
      firsts[slot] = first
      seconds[slot] = second
      values[slot] = value
    },
  }
}
