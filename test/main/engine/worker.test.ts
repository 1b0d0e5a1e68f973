import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { engineError } from '../../../engine/errors'
import { createFrameBatch } from '../../../main/engine/worker/frame-batch'
import { readModelCardSummary, summarizeCard } from '../../../main/engine/worker/model-card'
import { serveEngine } from '../../../main/engine/worker/serve'
import type { EngineHandlers } from '../../../main/engine/worker/serve'
import { createTurns } from '../../../main/engine/worker/turns'
import { temporaryFolder } from '../../support/temporary-folder'
import { serviceCode } from '../support/service-code'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('the first piece goes out at once, the others together per frame, and nothing is lost', () => {
  const sent: string[] = []
  const batch = createFrameBatch((text) => sent.push(text))
  batch.push('a')
  batch.push('b')
  batch.push('c')
  expect(sent).toEqual(['a'])
  vi.advanceTimersByTime(16)
  expect(sent).toEqual(['a', 'bc'])
  batch.push('d')
  batch.flush()
  batch.flush()
  vi.advanceTimersByTime(100)
  expect(sent).toEqual(['a', 'bc', 'd'])
})

test('pieces that come while the thread was held go out without a timer', () => {
  const sent: string[] = []
  const batch = createFrameBatch((text) => sent.push(text))
  batch.push('a')
  batch.push('b')
  vi.setSystemTime(Date.now() + 1_000)
  vi.advanceTimersByTime(0)
  batch.flush()
  expect(sent.join('')).toBe('ab')
})

test('turns do not overlap and keep their order, also past a failure', async () => {
  const { take } = createTurns()
  const seen: string[] = []
  const work =
    (name: string, fails = false) =>
    async (): Promise<void> => {
      seen.push(`${name} begins`)
      await Promise.resolve()
      seen.push(`${name} ends`)
      if (fails) throw new Error(name)
    }
  const { signal } = new AbortController()
  const all = await Promise.allSettled([take(work('one', true), signal), take(work('two'), signal), take(work('three'), signal)])
  expect(all.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
  expect(seen).toEqual(['one begins', 'one ends', 'two begins', 'two ends', 'three begins', 'three ends'])
})

test('a turn that is given up while waiting does nothing, and the next one comes', async () => {
  const { take } = createTurns()
  const giveUp = new AbortController()
  const first = take(() => Promise.resolve('first'), new AbortController().signal)
  const given = serviceCode(() => take(() => Promise.reject(new Error('ran')), giveUp.signal))
  giveUp.abort()
  expect(await first).toBe('first')
  expect(await given).toBe('engine/cancelled')
  expect(await take(() => Promise.resolve('next'), new AbortController().signal)).toBe('next')
})

test('only so many turns may wait', async () => {
  const { take } = createTurns()
  let end = (): void => undefined
  const { signal } = new AbortController()
  const running = take(() => new Promise<void>((resolve) => (end = resolve)), signal)
  await Promise.resolve()
  await Promise.resolve()
  const waiting = Array.from({ length: 16 }, () => take(() => Promise.resolve(), signal))
  expect(await serviceCode(() => take(() => Promise.resolve(), signal))).toBe('engine/busy')
  end()
  await Promise.all([running, ...waiting])
})

/** A worker over a channel in memory. */
function serve(handlers: Partial<EngineHandlers>) {
  const posted: unknown[] = []
  let receive: (message: unknown) => void = () => undefined
  const refuse = () => Promise.reject(new Error('not expected here'))
  const all: EngineHandlers = {
    load: refuse,
    unload: refuse,
    generate: refuse,
    countTokens: refuse,
    prompt: refuse,
    checkConstraint: refuse,
    plan: refuse,
    previewFormats: refuse,
    measureKernels: refuse,
    measureFormat: refuse,
    describe: refuse,
    tokenizerCode: refuse,
    listPrepared: refuse,
    clearPrepared: refuse,
    memory: refuse,
    ...handlers,
  }
  serveEngine({ post: (message) => posted.push(message), onMessage: (listener) => (receive = listener), onClose: () => undefined }, all)
  return { posted, receive: (message: unknown) => receive(message) }
}

test('the worker says hello, answers by id, and passes the engine’s code and details on as plain data', async () => {
  const { posted, receive } = serve({
    memory: () => Promise.resolve({ residentBytes: 5 }),
    describe: () => Promise.reject(engineError('config/missing', { directory: '/x', size: 5n })),
  })
  receive({ kind: 'request', id: 1, method: 'memory', params: {} })
  receive({ kind: 'request', id: 2, method: 'describe', params: { path: 'p' } })
  receive('nonsense')
  await vi.waitFor(() => expect(posted).toHaveLength(3))
  expect(posted).toEqual([
    { kind: 'hello' },
    { kind: 'done', id: 1, value: { residentBytes: 5 } },
    {
      kind: 'failed',
      id: 2,
      error: { code: 'config/missing', message: 'There is no config.json in /x.', details: { directory: '/x', size: '5' } },
    },
  ])
})

test('a cancel reaches the request of its id alone', async () => {
  const waitForAbort = ({ signal }: { readonly signal: AbortSignal }): Promise<never> =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))))
  const { posted, receive } = serve({ describe: waitForAbort, plan: waitForAbort })
  receive({ kind: 'request', id: 1, method: 'describe', params: { path: 'p' } })
  receive({ kind: 'request', id: 2, method: 'plan', params: { path: 'p', contextLength: null } })
  receive({ kind: 'cancel', id: 2 })
  receive({ kind: 'cancel', id: 77 })
  await vi.waitFor(() => expect(posted).toHaveLength(2))
  expect(posted[1]).toMatchObject({ kind: 'failed', id: 2, error: { code: 'engine/cancelled' } })
})

test('the summary of a model card is its first prose', () => {
  const card =
    '---\nlicense: mit\n---\n\n# Name\n\n[![badge](x.svg)](y)\n\n<p>html</p>\n\n| a | b |\n\n- list\n\nA **small** model for [`tests`](https://x).\nSecond line.\n\nMore.'
  expect(summarizeCard(card)).toBe('A small model for tests. Second line.')
  expect(summarizeCard('# Only a heading')).toBeNull()
  expect(summarizeCard('')).toBeNull()
  expect(summarizeCard(`x${'é'.repeat(500)}`)).toHaveLength(241)
})

test('a model without a card has no summary', async () => {
  using folder = temporaryFolder()
  expect(await readModelCardSummary(folder.path)).toBeNull()
  folder.write('README.md', Buffer.from([0xff, 0xfe, 0x00]))
  expect(await readModelCardSummary(folder.path)).not.toBe('')
})
