// Seeded random numbers: xoshiro128** 1.1 by David Blackman and Sebastiano Vigna (public domain, prng.di.unimi.it), seeded by their splitmix64 as they advise.

/** A stream of uniform numbers in [0, 1) with 32 random bits each. */
export type RandomStream = () => number

const U64 = (1n << 64n) - 1n

/** Next output of splitmix64 for `state` (the state itself grows by the golden gamma each step). */
export function splitmix64(state: bigint): bigint {
  let z = (state + 0x9e3779b97f4a7c15n) & U64
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & U64
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & U64
  return z ^ (z >> 31n)
}

/** 32-bit outputs of xoshiro128** from a state of four words, not all zero. */
export function createXoshiro128(state: readonly [number, number, number, number]): () => number {
  let [s0, s1, s2, s3] = state
  return () => {
    const scaled = Math.imul(s1, 5)
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9) >>> 0
    const shifted = s1 << 9
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = (s3 << 11) | (s3 >>> 21)
    return result
  }
}

/** The stream that belongs to `seed` (an integer from 0 to 2^32 - 1): the same on every machine. */
export function createRandomStream(seed: number): RandomStream {
  const first = splitmix64(BigInt(seed))
  const second = splitmix64((BigInt(seed) + 0x9e3779b97f4a7c15n) & U64)
  const low = (word: bigint): number => Number(word & 0xffffffffn)
  const high = (word: bigint): number => Number(word >> 32n)
  const next = createXoshiro128([low(first), high(first), low(second), high(second)])
  return () => next() / 4_294_967_296
}
