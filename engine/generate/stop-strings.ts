// Stop strings over a stream of text: text that may be the beginning of a stop string is held back, so that no part of one is ever shown.

/** What a push lets through, and the stop string that ended the text, if one did. */
interface StopResult {
  readonly text: string
  readonly stopString: string | null
}

/** Watches a text stream for stop strings. */
export interface StopWatcher {
  /** Adds text; after a stop string was found everything later is dropped. */
  readonly push: (text: string) => StopResult
  /** What was held back, when the text ended for another reason. */
  readonly flush: () => string
}

/**
 * Watches for the stop string that is complete first (the longest of those that end at the same character; empty ones are ignored).
 * The outcome does not depend on how the text is cut into pushes.
 */
export function createStopWatcher(stopStrings: readonly string[]): StopWatcher {
  const stops = stopStrings.filter((stop) => stop.length > 0)
  let held = ''
  let stopped = false
  return {
    push: (text) => {
      if (stopped) return { text: '', stopString: null }
      held += text
      const found = firstStop(held, stops)
      if (found !== null) {
        stopped = true
        const shown = held.slice(0, found.start)
        held = ''
        return { text: shown, stopString: found.stop }
      }
      const keep = longestStart(held, stops)
      const shown = held.slice(0, held.length - keep)
      held = held.slice(held.length - keep)
      return { text: shown, stopString: null }
    },
    flush: () => {
      const rest = held
      held = ''
      return rest
    },
  }
}

/** The stop string that is complete first in `text`. */
function firstStop(text: string, stops: readonly string[]): { readonly start: number; readonly stop: string } | null {
  let first: { start: number; end: number; stop: string } | null = null
  for (const stop of stops) {
    const start = text.indexOf(stop)
    if (start < 0) continue
    const end = start + stop.length
    if (first === null || end < first.end || (end === first.end && start < first.start)) first = { start, end, stop }
  }
  return first
}

/** Length of the longest end of `text` that is a beginning of a stop string. */
function longestStart(text: string, stops: readonly string[]): number {
  let longest = 0
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(stop.slice(0, length))) {
        longest = length
        break
      }
    }
  }
  return longest
}
