// Work that must not overlap, one after the other: loading and generating share one decoder.
import { serviceError } from '../../service-error'

/** Replies that may wait; a person has a handful of chats open. */
const MAX_WAITING = 16

/** Runs one piece of work at a time, in the order asked for. */
export interface Turns {
  /** Throws "engine/busy" when too many wait, "engine/cancelled" when `signal` aborts before the turn comes. */
  readonly take: <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>
}

/** Makes an empty line. */
export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0

  async function take<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (waiting >= MAX_WAITING) throw serviceError('engine/busy', { waiting })
    const before = last
    let leave = (): void => undefined
    last = new Promise<void>((resolve) => (leave = resolve))
    waiting += 1
    try {
      await before
    } finally {
      waiting -= 1
    }
    try {
      if (signal.aborted) throw serviceError('engine/cancelled', {})
      return await work()
    } finally {
      leave()
    }
  }

  return { take }
}
