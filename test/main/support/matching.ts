// Asymmetric matchers whose type says nothing more than they know.
import { expect } from 'vitest'

/** Matches any text that fits the pattern. */
export function textLike(pattern: RegExp): unknown {
  return expect.stringMatching(pattern)
}

/** Matches any number. */
export function anyNumber(): unknown {
  return expect.any(Number)
}
