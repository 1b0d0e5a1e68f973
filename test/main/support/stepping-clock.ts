// A clock that tests move.
import type { Clock } from '../../../main/host'

/** Starts at `startMs`; every look moves it on by one millisecond, so that no two moments are equal. */
export function steppingClock(startMs = 1_700_000_000_000): Clock & { readonly advance: (byMs: number) => void } {
  let nowMs = startMs
  return {
    now: () => nowMs++,
    advance: (byMs) => {
      nowMs += byMs
    },
  }
}
