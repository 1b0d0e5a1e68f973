// Starts Debian's Chromium and speaks the DevTools protocol with it over its browser socket.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { removeFolder } from '../remove-folder'
import { shortTemporaryPath } from '../temporary-path'

type Params = Readonly<Record<string, unknown>>
type Listener = (params: Record<string, unknown>) => void

/** A DevTools connection. `sessionId` '' is the browser itself. */
export interface Cdp {
  readonly endpoint: string
  readonly send: (sessionId: string, method: string, params?: Params) => Promise<Record<string, unknown>>
  readonly on: (sessionId: string, method: string, listener: Listener) => void
  readonly close: () => void
}

const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--hide-scrollbars',
  '--remote-debugging-port=0',
]
const START_LIMIT_MS = 30_000

async function readEndpoint(profile: string): Promise<string> {
  const deadline = Date.now() + START_LIMIT_MS
  while (Date.now() < deadline) {
    try {
      const [port, path] = readFileSync(join(profile, 'DevToolsActivePort'), 'utf8').split('\n')
      if (port && path) return `ws://127.0.0.1:${port}${path}`
    } catch {
      // The file appears when Chromium listens.
    }
    await delay(50)
  }
  throw new Error('Chromium did not open its DevTools port.')
}

/** Starts a browser with a fresh profile, which is removed when it ends. */
export async function startChromium(size: { readonly width: number; readonly height: number }): Promise<Cdp> {
  const profile = mkdtempSync(join(process.env['ELECTRON_DOUBLE_PROFILES'] ?? tmpdir(), 'weightroom-double-'))
  const temporary = shortTemporaryPath()
  mkdirSync(temporary)
  const binary = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
  const child = spawn(binary, [...FLAGS, `--window-size=${size.width},${size.height}`, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: 'ignore',
    env: { ...process.env, TMPDIR: temporary },
  })
  process.on('exit', () => {
    child.kill('SIGKILL')
    // Chromium's own children may still write for a moment; the suite removes its temporary folder in any case.
    try {
      removeFolder(temporary)
      removeFolder(profile)
    } catch {
      process.exitCode ??= 0
    }
  })
  const endpoint = await readEndpoint(profile)
  const socket = new WebSocket(endpoint, { perMessageDeflate: false, maxPayload: 256 * 1024 * 1024 })
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })

  const pending = new Map<number, { resolve: (value: Record<string, unknown>) => void; reject: (error: Error) => void }>()
  const listeners = new Map<string, Listener[]>()
  let lastId = 0
  socket.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString('utf8')) as {
      id?: number
      sessionId?: string
      method?: string
      params?: Record<string, unknown>
      result?: Record<string, unknown>
      error?: { message: string }
    }
    if (frame.id !== undefined) {
      const waiting = pending.get(frame.id)
      pending.delete(frame.id)
      if (frame.error) waiting?.reject(new Error(frame.error.message))
      else waiting?.resolve(frame.result ?? {})
    } else if (frame.method !== undefined) {
      for (const listener of listeners.get(`${frame.sessionId ?? ''} ${frame.method}`) ?? []) listener(frame.params ?? {})
    }
  })

  return {
    endpoint,
    send: (sessionId, method, params = {}) =>
      new Promise((resolve, reject) => {
        lastId += 1
        pending.set(lastId, { resolve, reject })
        socket.send(JSON.stringify({ id: lastId, method, params, ...(sessionId === '' ? {} : { sessionId }) }))
      }),
    on: (sessionId, method, listener) => {
      const key = `${sessionId} ${method}`
      listeners.set(key, [...(listeners.get(key) ?? []), listener])
    },
    close: () => {
      socket.close()
      child.kill('SIGTERM')
    },
  }
}
