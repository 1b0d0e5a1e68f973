// One connection of the browser host: the contract's frames over a WebSocket, with limits on size, number and backlog.
import * as v from 'valibot'
import type { RawData, WebSocket } from 'ws'
import type { Result, ServerFrame } from '../../../preload/contract'
import type { Dispatch } from '../../dispatch'
import { serviceError } from '../../service-error'

/** Limits of one connection. A page makes a handful of calls and holds two or three streams. */
export const CONNECTION_LIMITS = {
  /** The longest message the contract allows, as JSON with every character escaped, and room for the frame. */
  frameBytes: 8 * 1024 * 1024,
  calls: 64,
  streams: 32,
  /** Unsent bytes beyond which the page no longer listens. */
  backlogBytes: 64 * 1024 * 1024,
} as const

/** Close codes of RFC 6455 that a refused frame ends with. */
const CLOSE_UNSUPPORTED = 1003
const CLOSE_POLICY = 1008

const frameId = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const frameName = v.pipe(v.string(), v.maxLength(100))
const clientFrame = v.variant('kind', [
  v.strictObject({ kind: v.literal('call'), id: frameId, name: frameName, input: v.unknown() }),
  v.strictObject({ kind: v.literal('open'), id: frameId, name: frameName, input: v.unknown() }),
  v.strictObject({ kind: v.literal('close'), id: frameId }),
])

/** Serves the contract to one socket until it closes; its streams are closed with it. */
export function serveConnection(socket: WebSocket, app: Dispatch): void {
  const closers = new Map<number, () => void>()
  const callIds = new Set<number>()

  function send(frame: ServerFrame): void {
    if (socket.readyState !== socket.OPEN) return
    if (socket.bufferedAmount > CONNECTION_LIMITS.backlogBytes) socket.terminate()
    else socket.send(JSON.stringify(frame))
  }

  function runCall(id: number, name: string, input: unknown): void {
    if (callIds.size >= CONNECTION_LIMITS.calls) {
      send({ kind: 'result', id, result: tooMany(CONNECTION_LIMITS.calls) })
      return
    }
    callIds.add(id)
    void app.call(name, input).then((result) => {
      callIds.delete(id)
      send({ kind: 'result', id, result })
    })
  }

  function openStream(id: number, name: string, input: unknown): void {
    if (closers.size >= CONNECTION_LIMITS.streams) {
      send({ kind: 'end', id, result: tooMany(CONNECTION_LIMITS.streams) })
      return
    }
    // Held from the start: the stream may end before open returns.
    closers.set(id, () => undefined)
    const close = app.open(name, input, {
      event: (event) => send({ kind: 'event', id, event }),
      end: (result) => {
        closers.delete(id)
        send({ kind: 'end', id, result })
      },
    })
    if (closers.has(id)) closers.set(id, close)
  }

  socket.on('message', (data, isBinary) => {
    const frame = isBinary ? null : readFrame(data)
    const isReused = (frame?.kind === 'call' && callIds.has(frame.id)) || (frame?.kind === 'open' && closers.has(frame.id))
    if (frame === null || isReused) {
      socket.close(isBinary ? CLOSE_UNSUPPORTED : CLOSE_POLICY, 'not a frame of the contract')
      return
    }
    if (frame.kind === 'call') runCall(frame.id, frame.name, frame.input)
    else if (frame.kind === 'open') openStream(frame.id, frame.name, frame.input)
    else closers.get(frame.id)?.()
  })
  socket.on('close', () => {
    for (const close of [...closers.values()]) close()
  })
}

function readFrame(data: RawData): v.InferOutput<typeof clientFrame> | null {
  try {
    const text = Array.isArray(data) ? Buffer.concat(data).toString('utf8') : Buffer.from(data as Buffer).toString('utf8')
    const result = v.safeParse(clientFrame, JSON.parse(text))
    return result.success ? result.output : null
  } catch {
    return null
  }
}

function tooMany(limit: number): Result<never> {
  const { code, message, details } = serviceError('app/too-many-requests', { limit })
  return { ok: false, error: { code, message, details } }
}
