// The client over the web host's WebSocket: ClientFrame out, ServerFrame in, reconnecting with growing pauses.
import type { ClientFrame, Result, ServerFrame, StreamEvent, StreamInput, StreamName } from '../../preload/contract'
import type { Client, ConnectionState } from './client'
import { createEventQueue } from './event-queue'
import { connectionLost, ContractFailure, toContractError, unwrap } from './failure'

const FIRST_PAUSE_MS = 300
const LONGEST_PAUSE_MS = 5_000

/** What the client needs of the browser, given by tests as stand-ins. */
export interface SocketEnvironment {
  readonly open: () => WebSocket
  readonly wait: (callback: () => void, pauseMs: number) => void
}

interface Listener {
  readonly event: (event: unknown) => void
  readonly settle: (result: Result<unknown>) => void
}

/** Client over the socket that `environment.open` makes; calls made before the first connection wait for it, calls made while it is lost fail at once. */
export function createSocketClient(environment: SocketEnvironment): Client {
  const listeners = new Map<number, Listener>()
  const watchers = new Set<(state: ConnectionState) => void>()
  const unsent: ClientFrame[] = []
  let state: ConnectionState = 'connecting'
  let socket: WebSocket | null = null
  let pauseMs = FIRST_PAUSE_MS
  let lastId = 0

  const setState = (next: ConnectionState): void => {
    if (state === next) return
    state = next
    for (const watcher of watchers) watcher(next)
  }

  const connect = (): void => {
    const current = environment.open()
    socket = current
    current.addEventListener('open', () => {
      pauseMs = FIRST_PAUSE_MS
      for (const frame of unsent.splice(0)) current.send(JSON.stringify(frame))
      setState('connected')
    })
    current.addEventListener('message', (message) => receive(message.data, listeners))
    current.addEventListener('close', () => {
      const lost = toContractError(connectionLost())
      unsent.length = 0
      if (state === 'connected' || listeners.size > 0) setState('lost')
      for (const [id, listener] of [...listeners]) {
        listeners.delete(id)
        listener.settle({ ok: false, error: lost })
      }
      environment.wait(connect, pauseMs)
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
    })
  }

  const send = (frame: ClientFrame): void => {
    if (socket?.readyState === 1) socket.send(JSON.stringify(frame))
    else if (frame.kind !== 'close') unsent.push(frame)
  }

  const openStream = async function* <N extends StreamName>(
    name: N,
    input: StreamInput<N>,
    signal: AbortSignal,
  ): AsyncGenerator<StreamEvent<N>> {
    if (signal.aborted) return
    if (state === 'lost') throw connectionLost()
    const id = ++lastId
    const queue = createEventQueue<StreamEvent<N>>()
    listeners.set(id, {
      // The frame answers a stream opened under this name; the server validates and types what it sends by the same contract.
      event: (event) => queue.event(event as StreamEvent<N>),
      settle: (result) => queue.end(result.ok ? { ok: true, value: null } : result),
    })
    const onAbort = (): void => queue.end({ ok: true, value: null })
    signal.addEventListener('abort', onAbort, { once: true })
    send({ kind: 'open', id, name, input })
    try {
      yield* queue
    } finally {
      signal.removeEventListener('abort', onAbort)
      if (listeners.delete(id)) send({ kind: 'close', id })
    }
  }

  connect()
  return {
    call(name, input) {
      if (state === 'lost') return Promise.reject(connectionLost())
      const id = ++lastId
      return new Promise((resolve, reject) => {
        listeners.set(id, {
          event: () => undefined,
          settle(result) {
            try {
              // The result answers a call made under this name; see openStream.
              resolve(unwrap(result) as never)
            } catch (failure) {
              reject(failure instanceof Error ? failure : new ContractFailure(toContractError(failure)))
            }
          },
        })
        send({ kind: 'call', id, name, input })
      })
    },
    stream: openStream,
    watchConnection(listener) {
      watchers.add(listener)
      listener(state)
      return () => watchers.delete(listener)
    },
    pathForFile: () => '',
  }
}

function receive(data: unknown, listeners: Map<number, Listener>): void {
  if (typeof data !== 'string') return
  const frame = JSON.parse(data) as ServerFrame
  const listener = listeners.get(frame.id)
  if (listener === undefined) return
  if (frame.kind === 'event') {
    listener.event(frame.event)
    return
  }
  listeners.delete(frame.id)
  listener.settle(frame.result)
}

/** The browser's own socket to this page's origin; the session's cookie travels along. */
export function browserSocketEnvironment(): SocketEnvironment {
  const address = new URL('/socket', window.location.href)
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:'
  return {
    open: () => new WebSocket(address),
    wait: (callback, pauseMs) => void window.setTimeout(callback, pauseMs),
  }
}
