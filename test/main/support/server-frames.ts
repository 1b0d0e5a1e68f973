// The frames that the browser host sends, as tests read them.
import type { RawData, WebSocket } from 'ws'
import type { ServerFrame } from '../../../preload/contract'

/** Everything that arrives on a socket from now on, in order. */
export function collectFrames(socket: WebSocket): readonly ServerFrame[] {
  const frames: ServerFrame[] = []
  socket.on('message', (data) => {
    const frame: unknown = JSON.parse(textOf(data))
    if (!isServerFrame(frame)) throw new Error(`not a frame: ${textOf(data)}`)
    frames.push(frame)
  })
  return frames
}

function textOf(data: RawData): string {
  if (!Buffer.isBuffer(data)) throw new Error('the host sends text in one piece')
  return data.toString('utf8')
}

function isServerFrame(value: unknown): value is ServerFrame {
  return typeof value === 'object' && value !== null && 'kind' in value && 'id' in value && typeof value.id === 'number'
}
