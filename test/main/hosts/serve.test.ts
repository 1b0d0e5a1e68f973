import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'libsql'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import type { ServerFrame } from '../../../preload/contract'
import { temporaryFolder } from '../../support/temporary-folder'
import type { TemporaryFolder } from '../../support/temporary-folder'
import { bundle } from '../support/bundle'
import type { Bundle } from '../support/bundle'
import { anyNumber } from '../support/matching'
import { collectFrames } from '../support/server-frames'

let built: Bundle
beforeAll(async () => {
  built = await bundle({ serve: fileURLToPath(new URL('./serve-entry.ts', import.meta.url)), 'engine-worker': 'main/engine/worker.ts' })
}, 120_000)
afterAll(() => built[Symbol.dispose]())

interface Served {
  readonly child: ChildProcess
  readonly output: () => string
  readonly exit: Promise<unknown[]>
  readonly socket: WebSocket
  readonly frames: readonly ServerFrame[]
  readonly send: (frame: unknown) => void
}

/** Starts the host as a process and opens its address as a browser would. */
async function start(folder: TemporaryFolder): Promise<Served> {
  const env = {
    ...process.env,
    WEIGHTROOM_DATA: join(folder.path, 'data'),
    HF_HUB_CACHE: join(folder.path, 'hub'),
    WEIGHTROOM_REPORT_STALLS: join(folder.path, 'stalls.json'),
  }
  const child = spawn(process.execPath, [built.file('serve')], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  await vi.waitFor(() => expect(output).toContain('/?token='), { timeout: 20_000 })
  const address = new URL(/http:\S+/.exec(output)?.[0] ?? '')
  const exchange = await fetch(address, { redirect: 'manual' })
  const cookie = exchange.headers.get('set-cookie')?.split(';')[0] ?? ''
  const socket = new WebSocket(`ws://${address.host}/socket`, { headers: { cookie, origin: address.origin } })
  await once(socket, 'open')
  const frames = collectFrames(socket)
  return { child, output: () => output, exit, socket, frames, send: (frame) => socket.send(JSON.stringify(frame)) }
}

test('it prints one address, chats over it, and on a request to stop stores the reply and ends everything', async () => {
  using folder = temporaryFolder()
  const { child, output, exit, frames, send } = await start(folder)
  expect(output()).toMatch(/^Weightroom is open at http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}\n/)
  const babble = { temperature: 5, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, seed: 1, maxNewTokens: null, stop: [] }
  send({ kind: 'call', id: 1, name: 'settings.set', input: { change: { sampling: babble } } })
  send({ kind: 'call', id: 2, name: 'chats.create', input: {} })
  const created = await vi.waitFor(() => {
    const frame = frames.find((each) => each.kind === 'result' && each.id === 2)
    if (frame?.kind !== 'result' || !frame.result.ok) throw new Error('not yet')
    return frame.result.value
  })
  const chatId = typeof created === 'object' && created !== null && 'id' in created ? created.id : ''
  send({ kind: 'open', id: 3, name: 'chats.reply', input: { chatId, action: { kind: 'send', content: 'What is safetensors?' } } })
  await vi.waitFor(() => expect(JSON.stringify(frames)).toContain('"type":"delta"'), { timeout: 60_000, interval: 5 })
  child.kill('SIGTERM')
  expect(await exit).toEqual([0, null])
  const log = join(folder.path, 'data', 'chats.db-wal')
  expect(existsSync(log) ? statSync(log).size : 0).toBe(0)
  const db = new Database(join(folder.path, 'data', 'chats.db'))
  const rows = db.prepare("select status, finish_reason, length(content) as chars from messages where role = 'assistant'").all()
  db.close()
  expect(rows).toMatchObject([{ status: 'complete', finish_reason: 'cancelled' }])
  const stalls: unknown = JSON.parse(readFileSync(join(folder.path, 'stalls.json'), 'utf8'))
  expect(stalls).toMatchObject({ maxGapMs: anyNumber(), observedMs: anyNumber() })
})

test.skipIf(process.platform !== 'linux')('a host that is killed takes its engine process with it', async () => {
  using folder = temporaryFolder()
  const { child, exit, frames, send } = await start(folder)
  send({ kind: 'open', id: 1, name: 'engine.watch', input: {} })
  await vi.waitFor(() => expect(JSON.stringify(frames)).toContain('"status":"ready"'), { timeout: 60_000 })
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ').map(Number)
  expect(children).toHaveLength(1)
  child.kill('SIGKILL')
  await exit
  await vi.waitFor(() => expect(() => process.kill(children[0] ?? 0, 0)).toThrow(), { timeout: 10_000 })
})
