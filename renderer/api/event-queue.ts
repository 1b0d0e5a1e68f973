// A queue between a callback source and one async iterator.
import type { Result } from '../../preload/contract'
import { ContractFailure } from './failure'

/** Collects events until the iterator takes them; `end` closes it after what is queued, with an error when the result is one. */
export interface EventQueue<E> extends AsyncIterable<E> {
  readonly event: (event: E) => void
  readonly end: (result: Result<null>) => void
}

/** Makes an empty queue for one consumer. */
export function createEventQueue<E>(): EventQueue<E> {
  const waiting: E[] = []
  let ended: Result<null> | null = null
  let wake: (() => void) | null = null
  const notify = (): void => {
    wake?.()
    wake = null
  }

  return {
    event(event) {
      if (ended !== null) return
      waiting.push(event)
      notify()
    },
    end(result) {
      ended ??= result
      notify()
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        while (waiting.length > 0) {
          const [event] = waiting.splice(0, 1)
          if (event !== undefined) yield event
        }
        if (ended !== null) {
          if (!ended.ok) throw new ContractFailure(ended.error)
          return
        }
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}
