import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import type { Dispatch, Sink } from '../../../main/dispatch'
import { CONNECTION_LIMITS } from '../../../main/hosts/web/frames'
import { startWebServer } from '../../../main/hosts/web/server'
import type { WebServer } from '../../../main/hosts/web/server'
import type { ServerFrame } from '../../../preload/contract'
import { temporaryFolder } from '../../support/temporary-folder'
import type { TemporaryFolder } from '../../support/temporary-folder'
import { recordingLog } from '../support/recording-log'
import { collectFrames } from '../support/server-frames'
import { serviceCode } from '../support/service-code'

/** An app that echoes calls, never answers 'wait', and keeps streams open until they are closed. */
function echoApp(): Dispatch & { readonly openStreams: Set<Sink> } {
  const openStreams = new Set<Sink>()
  return {
    openStreams,
    call: (name, input) => (name === 'wait' ? new Promise(() => undefined) : Promise.resolve({ ok: true, value: { name, input } })),
    open: (_, input, sink) => {
      openStreams.add(sink)
      sink.event(input)
      return () => {
        if (openStreams.delete(sink)) sink.end({ ok: true, value: null })
      }
    },
  }
}

let folder: TemporaryFolder
let server: WebServer
let cookie: string
let token: string
const app = echoApp()

beforeAll(async () => {
  folder = temporaryFolder()
  folder.write('secret.txt', 'secret')
  folder.write('renderer/index.html', '<!doctype html><title>Weightroom</title>')
  folder.write('renderer/assets/main-abc.js', 'export {}')
  folder.write('renderer/.hidden.js', 'hidden')
  folder.write('renderer/data.bin', 'unknown type')
  symlinkSync(join(folder.path, 'secret.txt'), join(folder.path, 'renderer/link.txt'))
  server = await startWebServer({ app, rendererFolder: join(folder.path, 'renderer'), hostname: '127.0.0.1', port: 0, log: recordingLog() })
  token = new URL(server.address).searchParams.get('token') ?? ''
  const { headers } = await get(`/?token=${token}`)
  cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? ''
})
afterAll(async () => {
  await server.close()
  folder[Symbol.dispose]()
})

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** One request as a browser on this machine would make it, unless `headers` say otherwise. `path` is sent as it is. */
async function get(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port: server.port, path, method, headers: { host: `127.0.0.1:${server.port}`, ...headers } },
      (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => (body += text))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
      },
    )
    sent.on('error', reject).end()
  })
}

async function open(headers: Readonly<Record<string, string>> = {}, path = '/socket'): Promise<WebSocket | number> {
  const host = `127.0.0.1:${server.port}`
  const socket = new WebSocket(`ws://${host}${path}`, { headers: { cookie, origin: `http://${host}`, ...headers } })
  return await new Promise((resolve, reject) => {
    socket.on('open', () => resolve(socket))
    socket.on('unexpected-response', (_, response) => {
      resolve(response.statusCode ?? 0)
      response.resume()
    })
    socket.on('error', reject)
  })
}

async function connected(): Promise<{
  readonly socket: WebSocket
  readonly frames: readonly ServerFrame[]
  readonly send: (frame: unknown) => void
}> {
  const socket = await open()
  if (typeof socket === 'number') throw new Error(`refused with ${socket}`)
  const frames = collectFrames(socket)
  return { socket, frames, send: (frame) => socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame)) }
}

test('the printed address gives the page, a cookie that scripts cannot read, and no token in the history', async () => {
  expect(server.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}$/)
  const exchange = await get(`/?token=${token}`)
  expect(exchange).toMatchObject({ status: 303, headers: { location: '/' } })
  expect(exchange.headers['set-cookie']?.[0]).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/)
  expect(cookie).not.toContain(token)
  const page = await get('/', { cookie })
  expect(page).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' } })
  expect(page.body).toContain('Weightroom')
})

test('every answer carries the policies', async () => {
  for (const answer of [await get('/', { cookie }), await get('/'), await get('/nowhere.js', { cookie })]) {
    expect(answer.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
    })
    const policy = String(answer.headers['content-security-policy'])
    for (const part of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"])
      expect(policy).toContain(part)
    expect(policy).not.toMatch(/unsafe-eval|script-src[^;]*unsafe-inline|\*/)
  }
})

test('without the cookie nothing is given, whatever the path', async () => {
  const wrong = `${cookie.split('=')[0]}=${'A'.repeat(43)}`
  for (const path of ['/', '/assets/main-abc.js', '/?token=', `/?token=${token.slice(1)}`, `/?token=${token}x`]) {
    expect(await get(path), path).toMatchObject({ status: 401 })
    expect(await get(path, { cookie: wrong }), path).toMatchObject({ status: 401 })
  }
})

test('a foreign name that leads here is refused, with and without the cookie', async () => {
  for (const host of [
    'evil.example',
    `evil.example:${server.port}`,
    `127.0.0.1:${server.port + 1}`,
    '127.0.0.1',
    `127.0.0.1.evil.example:${server.port}`,
  ]) {
    expect(await get('/', { host, cookie }), host).toMatchObject({ status: 403 })
    expect(await get(`/?token=${token}`, { host }), host).toMatchObject({ status: 403 })
  }
  expect(await get('/', { host: `localhost:${server.port}`, cookie })).toMatchObject({ status: 200 })
})

test('nothing outside the folder is served', async () => {
  const paths = [
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/../../secret.txt',
    '/%2e%2e%2fsecret.txt',
    '/..\\secret.txt',
    '/%5c..%5csecret.txt',
    '//etc/passwd',
  ]
  for (const path of [
    ...paths,
    '/link.txt',
    '/.hidden.js',
    '/data.bin',
    '/assets',
    '/assets/',
    '/%00',
    '/%',
    '/index.html%00.js',
    '/C:/secret.txt',
  ]) {
    const answer = await get(path, { cookie })
    expect([400, 404], `${path} gave ${answer.status}`).toContain(answer.status)
    expect(answer.body).not.toContain('secret')
  }
})

test('only reading is possible', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])
    expect(await get('/', { cookie }, method), method).toMatchObject({ status: 405 })
  expect(await get('/', { cookie }, 'HEAD')).toMatchObject({ status: 200, body: '' })
})

test('files named by their content may be kept, others not', async () => {
  expect((await get('/assets/main-abc.js', { cookie })).headers['cache-control']).toContain('immutable')
})

test('the socket is for our page only', async () => {
  const host = `127.0.0.1:${server.port}`
  expect(await open({ origin: 'null' })).toBe(403)
  expect(await open({ origin: 'http://evil.example' })).toBe(403)
  expect(await open({ origin: `https://${host}` })).toBe(403)
  expect(await open({ origin: `http://localhost:${server.port}` })).toBe(403)
  expect(await open({ origin: '' })).toBe(403)
  expect(await open({ host: 'evil.example', origin: 'http://evil.example' })).toBe(403)
  expect(await open({ cookie: '' })).toBe(401)
  expect(await open({}, '/socket/')).toBe(404)
  expect(await open({}, '/other')).toBe(404)
})

test('an upgrade without any Origin is refused', async () => {
  const socket = connect(server.port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(
    `GET /socket HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nCookie: ${cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
  )
  const [data] = (await once(socket, 'data')) as [Buffer]
  expect(data.toString()).toMatch(/^HTTP\/1\.1 403/)
  socket.destroy()
})

test('calls and streams run over one socket', async () => {
  const { socket, frames, send } = await connected()
  send({ kind: 'call', id: 1, name: 'echo', input: { a: 1 } })
  send({ kind: 'open', id: 2, name: 'watch', input: 'first' })
  await vi.waitFor(() => expect(frames).toHaveLength(2))
  expect(frames).toEqual(
    expect.arrayContaining([
      { kind: 'result', id: 1, result: { ok: true, value: { name: 'echo', input: { a: 1 } } } },
      { kind: 'event', id: 2, event: 'first' },
    ]),
  )
  send({ kind: 'close', id: 2 })
  await vi.waitFor(() => expect(frames.at(-1)).toEqual({ kind: 'end', id: 2, result: { ok: true, value: null } }))
  socket.close()
})

test('a window that goes away closes its streams', async () => {
  const { socket, send, frames } = await connected()
  send({ kind: 'open', id: 1, name: 'watch', input: 'x' })
  await vi.waitFor(() => expect(frames).toHaveLength(1))
  expect(app.openStreams.size).toBe(1)
  socket.terminate()
  await vi.waitFor(() => expect(app.openStreams.size).toBe(0))
})

test.each([
  ['no JSON', 'hello'],
  ['a frame of no kind', { id: 1 }],
  ['an unknown kind', { kind: 'eval', id: 1 }],
  ['an id that is no number', { kind: 'call', id: '1', name: 'x', input: {} }],
  ['a field too many', { kind: 'close', id: 1, more: 1 }],
  ['an array', []],
  ['null', null],
])('%s ends the connection', async (_, frame) => {
  const { socket, send } = await connected()
  send(frame === null ? 'null' : frame)
  expect((await once(socket, 'close'))[0]).toBe(1008)
})

test('a binary frame ends the connection', async () => {
  const { socket } = await connected()
  socket.send(Buffer.from('{}'))
  expect((await once(socket, 'close'))[0]).toBe(1003)
})

test('a frame over the limit ends the connection before it is held', async () => {
  const { socket } = await connected()
  socket.on('error', () => undefined)
  socket.send('x'.repeat(CONNECTION_LIMITS.frameBytes + 1))
  expect((await once(socket, 'close'))[0]).toBe(1009)
  expect(await get('/', { cookie })).toMatchObject({ status: 200 })
})

test('only so many requests may wait on one connection', async () => {
  const { socket, frames, send } = await connected()
  for (let id = 0; id <= CONNECTION_LIMITS.calls; id++) send({ kind: 'call', id, name: 'wait', input: {} })
  for (let id = 1_000; id <= 1_000 + CONNECTION_LIMITS.streams; id++) send({ kind: 'open', id, name: 'watch', input: 'x' })
  await vi.waitFor(() => expect(frames.filter(({ kind }) => kind === 'end')).toHaveLength(1))
  const refused = { ok: false, error: { code: 'app/too-many-requests' } }
  expect(frames.filter(({ kind }) => kind === 'result')).toMatchObject([{ id: CONNECTION_LIMITS.calls, result: refused }])
  expect(frames.find(({ kind }) => kind === 'end')).toMatchObject({ id: 1_000 + CONNECTION_LIMITS.streams, result: refused })
  socket.terminate()
})

test('an id that is in use ends the connection', async () => {
  for (const frame of [
    { kind: 'open', id: 1, name: 'watch', input: 'x' },
    { kind: 'call', id: 1, name: 'wait', input: {} },
  ]) {
    const { socket, send } = await connected()
    send(frame)
    send(frame)
    expect((await once(socket, 'close'))[0]).toBe(1008)
  }
  await vi.waitFor(() => expect(app.openStreams.size).toBe(0))
})

test('a taken port is answered with another one', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const address = other.address()
  const taken = typeof address === 'object' && address !== null ? address.port : 0
  const second = await startWebServer({ app, rendererFolder: folder.path, hostname: '127.0.0.1', port: taken, log: recordingLog() })
  expect(second).toMatchObject({ takenPort: taken })
  expect(second.port).not.toBe(taken)
  await second.close()
  other.close()
})

test('an address beyond this machine is refused', async () => {
  for (const hostname of ['0.0.0.0', '::', '192.168.0.1', 'example.org']) {
    expect(
      await serviceCode(() => startWebServer({ app, rendererFolder: folder.path, hostname, port: 0, log: recordingLog() })),
      hostname,
    ).toBe('web/not-loopback')
  }
})
