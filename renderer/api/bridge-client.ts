// The client over the preload bridge of the desktop window.
import type { Bridge, StreamEvent, StreamInput, StreamName } from '../../preload/contract'
import type { Client } from './client'
import { createEventQueue } from './event-queue'
import { unwrap } from './failure'

/** Client over `window.weightroom`; a bridge is always connected. */
export function createBridgeClient(bridge: Bridge): Client {
  return {
    async call(name, input) {
      return unwrap(await bridge.calls[name](input))
    },
    stream: (name, input, signal) => bridgeStream(bridge, { name, input, signal }),
    watchConnection(listener) {
      listener('connected')
      return () => undefined
    },
    pathForFile: (file) => bridge.pathForFile(file),
  }
}

async function* bridgeStream<N extends StreamName>(
  bridge: Bridge,
  options: { readonly name: N; readonly input: StreamInput<N>; readonly signal: AbortSignal },
): AsyncGenerator<StreamEvent<N>> {
  if (options.signal.aborted) return
  const queue = createEventQueue<StreamEvent<N>>()
  const close = bridge.streams[options.name](options.input, { event: queue.event, end: queue.end })
  const onAbort = (): void => queue.end({ ok: true, value: null })
  options.signal.addEventListener('abort', onAbort, { once: true })
  try {
    yield* queue
  } finally {
    options.signal.removeEventListener('abort', onAbort)
    close()
  }
}
