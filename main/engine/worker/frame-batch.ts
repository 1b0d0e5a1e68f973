// Joins the text of a reply per frame: a fast model makes hundreds of tokens a second, a window draws sixty times.

/** One frame at 60 Hz. */
const FRAME_MS = 16

/** Collects text and sends it at most once a frame. */
export interface FrameBatch {
  readonly push: (text: string) => void
  /** Sends what is held. */
  readonly flush: () => void
}

/** The first piece goes out at once, the following ones together at the end of each frame. */
export function createFrameBatch(send: (text: string) => void): FrameBatch {
  let held = ''
  let lastSentMs = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | null = null

  function flush(): void {
    if (timer !== null) clearTimeout(timer)
    timer = null
    if (held === '') return
    const text = held
    held = ''
    lastSentMs = performance.now()
    send(text)
  }

  return {
    push: (text) => {
      held += text
      // Looked at here too: a binding that holds the thread lets no timer fire.
      if (performance.now() - lastSentMs >= FRAME_MS) flush()
      else timer ??= setTimeout(flush, FRAME_MS)
    },
    flush,
  }
}
