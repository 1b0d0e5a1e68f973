// Empties the trash in the background: chats deleted more than 30 days ago, a few messages at a time so that nothing waits.
import type { Clock, Log } from '../host'
import type { ChatStore } from './store'

/** How long a deleted chat can be taken back. */
const KEPT_MS = 30 * 24 * 60 * 60 * 1000
/** The app may stay open for weeks. */
const CHECK_MS = 6 * 60 * 60 * 1000
/** Removing a message also removes it from the search index; this many stay well under a frame or two. */
const MESSAGES_PER_STEP = 20
const STEP_PAUSE_MS = 20

/** Starts emptying now and then; returns the function that stops it. */
export function emptyTrash(options: { readonly store: ChatStore; readonly clock: Clock; readonly log: Log }): () => void {
  const { store, clock, log } = options
  let timer: NodeJS.Timeout | null = null

  function step(): void {
    let pauseMs = CHECK_MS
    try {
      if (store.purgeSome(clock.now() - KEPT_MS, MESSAGES_PER_STEP)) pauseMs = STEP_PAUSE_MS
    } catch (failure) {
      log.warn('the trash could not be emptied', { failure: String(failure) })
    }
    timer = setTimeout(step, pauseMs).unref()
  }

  timer = setTimeout(step, STEP_PAUSE_MS).unref()
  return () => {
    if (timer !== null) clearTimeout(timer)
  }
}
