// The client over the web host's socket: frames, order, loss and return.
import { describe, expect, it } from 'vitest'
import type { ClientFrame, ServerFrame } from '../../../preload/contract'
import { createEventQueue } from '../../../renderer/api/event-queue'
import { createSocketClient } from '../../../renderer/api/socket-client'
import { settle } from '../../support/renderer-client'

class FakeSocket extends EventTarget {
  readyState = 0
  readonly sent: ClientFrame[] = []

  send(text: string): void {
    this.sent.push(JSON.parse(text) as ClientFrame)
  }

  accept(): void {
    this.readyState = 1
    this.dispatchEvent(new Event('open'))
  }

  lose(): void {
    this.readyState = 3
    this.dispatchEvent(new Event('close'))
  }

  answer(frame: ServerFrame): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(frame) }))
  }
}

function start() {
  const sockets: FakeSocket[] = []
  const waits: { callback: () => void; pauseMs: number }[] = []
  const client = createSocketClient({
    open: () => {
      const socket = new FakeSocket()
      sockets.push(socket)
      return socket as unknown as WebSocket
    },
    wait: (callback, pauseMs) => void waits.push({ callback, pauseMs }),
  })
  const last = (): FakeSocket => sockets.at(-1) ?? new FakeSocket()
  return { client, sockets, waits, last }
}

describe('socket client', () => {
  it('holds calls until the socket is open, then matches answers by id', async () => {
    const { client, last } = start()
    const first = client.call('chats.create', {})
    const second = client.call('settings.get', {})
    expect(last().sent).toEqual([])
    last().accept()
    expect(last().sent.map((frame) => frame.kind)).toEqual(['call', 'call'])
    const [one, two] = last().sent
    last().answer({ kind: 'result', id: two?.id ?? 0, result: { ok: true, value: 'settings' } })
    last().answer({
      kind: 'result',
      id: one?.id ?? 0,
      result: { ok: false, error: { code: 'chats/disk-full', message: 'full', details: {} } },
    })
    expect(await second).toBe('settings')
    await expect(first).rejects.toMatchObject({ code: 'chats/disk-full', message: 'full' })
  })

  it('gives events in order and closes the stream at the host when it is left', async () => {
    const { client, last } = start()
    last().accept()
    const abort = new AbortController()
    const seen: unknown[] = []
    const reading = (async () => {
      for await (const state of client.stream('engine.watch', {}, abort.signal)) {
        seen.push(state)
        if (seen.length === 2) break
      }
    })()
    await settle()
    const id = last().sent[0]?.id ?? 0
    last().answer({ kind: 'event', id, event: { status: 'starting' } })
    last().answer({ kind: 'event', id, event: { status: 'idle' } })
    await reading
    expect(seen).toEqual([{ status: 'starting' }, { status: 'idle' }])
    expect(last().sent.at(-1)).toEqual({ kind: 'close', id })
  })

  it('ends a stream that was aborted, and tells the host', async () => {
    const { client, last } = start()
    last().accept()
    const abort = new AbortController()
    const reading = (async () => {
      for await (const state of client.stream('engine.watch', {}, abort.signal)) expect(state).toBeDefined()
    })()
    await settle()
    abort.abort()
    await reading
    expect(last().sent.map((frame) => frame.kind)).toEqual(['open', 'close'])
  })

  it('fails what was under way when the connection is lost, and what is called meanwhile', async () => {
    const { client, last } = start()
    const states: string[] = []
    client.watchConnection((state) => states.push(state))
    last().accept()
    const call = client.call('settings.get', {})
    const stream = (async () => {
      for await (const state of client.stream('engine.watch', {}, new AbortController().signal)) expect(state).toBeDefined()
    })()
    await settle()
    last().lose()
    await expect(call).rejects.toMatchObject({ code: 'app/connection-lost' })
    await expect(stream).rejects.toMatchObject({ code: 'app/connection-lost' })
    await expect(client.call('app.info', {})).rejects.toMatchObject({ code: 'app/connection-lost' })
    expect(states).toEqual(['connecting', 'connected', 'lost'])
  })

  it('tries again with longer and longer pauses, up to a limit, and works once it is back', async () => {
    const { client, sockets, waits, last } = start()
    last().accept()
    for (let round = 0; round < 8; round += 1) {
      last().lose()
      waits.at(-1)?.callback()
    }
    expect(waits.map(({ pauseMs }) => pauseMs)).toEqual([300, 600, 1200, 2400, 4800, 5000, 5000, 5000])
    expect(sockets).toHaveLength(9)
    last().accept()
    const call = client.call('settings.get', {})
    last().answer({ kind: 'result', id: last().sent[0]?.id ?? 0, result: { ok: true, value: 'back' } })
    expect(await call).toBe('back')
  })
})

describe('event queue', () => {
  it('gives what was queued before the end, and nothing that came after it', async () => {
    const queue = createEventQueue<number>()
    queue.event(1)
    queue.event(2)
    queue.end({ ok: true, value: null })
    queue.event(3)
    const seen: number[] = []
    for await (const event of queue) seen.push(event)
    expect(seen).toEqual([1, 2])
  })
})
