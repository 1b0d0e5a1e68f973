import { expect, test, vi } from 'vitest'
import { createDispatch } from '../../main/dispatch'
import type { CallHandlers, StreamHandlers } from '../../main/dispatch'
import { serviceError } from '../../main/service-error'
import { calls, streams } from '../../preload/contract'
import type { Result } from '../../preload/contract'
import { recordingLog } from './support/recording-log'

/** Handlers that refuse everything, with the given ones in their place. */
function handlers(
  own: Partial<CallHandlers>,
  ownStreams: Partial<StreamHandlers> = {},
): { readonly calls: CallHandlers; readonly streams: StreamHandlers } {
  const refuse = (): never => {
    throw new Error('not expected here')
  }
  const table = Object.fromEntries(Object.keys(calls).map((name) => [name, refuse]))
  const streamTable = Object.fromEntries(Object.keys(streams).map((name) => [name, () => Promise.reject(new Error('not expected here'))]))
  // Complete by construction: every name of the contract has an entry.
  return { calls: { ...table, ...own } as CallHandlers, streams: { ...streamTable, ...ownStreams } as StreamHandlers }
}

async function end(
  open: (sink: { event: (event: unknown) => void; end: (result: Result<null>) => void }) => () => void,
): Promise<Result<null>> {
  return await new Promise((resolve) => open({ event: () => undefined, end: resolve }))
}

test('a checked input reaches its handler and the answer comes back', async () => {
  const { call } = createDispatch({
    ...handlers({ 'chats.list': ({ query }) => [{ id: query, title: '', updatedAtMs: 0, messageCount: 0, snippet: null }] }),
    log: recordingLog(),
  })
  expect(await call('chats.list', { query: 'x' })).toMatchObject({ ok: true, value: [{ id: 'x' }] })
})

test.each([
  ['a missing field', 'chats.list', {}],
  ['a wrong type', 'chats.list', { query: 5 }],
  ['a field too many', 'chats.list', { query: '', more: 1 }],
  ['no object', 'chats.list', null],
  ['a text too long', 'chats.list', { query: 'x'.repeat(1001) }],
  ['an id of no length', 'chats.get', { chatId: '' }],
  ['a number out of range', 'settings.set', { change: { threads: 0 } }],
  ['not a number', 'plan.preview', { modelId: 'm', contextLength: Number.NaN }],
])('%s is refused with app/bad-input before any handler runs', async (_, name, input) => {
  const { call } = createDispatch({ ...handlers({}), log: recordingLog() })
  expect(await call(name, input)).toMatchObject({ ok: false, error: { code: 'app/bad-input', details: { name } } })
})

test('a refusal does not repeat what was sent', async () => {
  const { call } = createDispatch({ ...handlers({}), log: recordingLog() })
  expect(JSON.stringify(await call('chats.get', { chatId: 'private'.repeat(50) }))).not.toContain('private')
})

test.each(['', 'nowhere', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'chats.reply'])(
  'the unknown call %j is refused',
  async (name) => {
    const { call } = createDispatch({ ...handlers({}), log: recordingLog() })
    expect(await call(name, {})).toMatchObject({ ok: false, error: { code: 'app/unknown-call' } })
  },
)

test('an unknown stream ends with the refusal, once', async () => {
  const { open } = createDispatch({ ...handlers({}), log: recordingLog() })
  const ends = vi.fn()
  const close = open('chats.list', {}, { event: () => undefined, end: ends })
  close()
  await vi.waitFor(() => expect(ends).toHaveBeenCalled())
  close()
  expect(ends.mock.calls).toMatchObject([[{ ok: false, error: { code: 'app/unknown-call' } }]])
})

test('a service error keeps its code and details', async () => {
  const { call } = createDispatch({
    ...handlers({
      'chats.get': ({ chatId }) => {
        throw serviceError('chats/not-found', { chatId })
      },
    }),
    log: recordingLog(),
  })
  expect(await call('chats.get', { chatId: 'c' })).toMatchObject({
    ok: false,
    error: { code: 'chats/not-found', message: 'There is no chat c.', details: { chatId: 'c' } },
  })
})

test('an unexpected failure is logged with its stack and shown without it', async () => {
  const log = recordingLog()
  const { call } = createDispatch({ ...handlers({}), log })
  const result = await call('app.info', {})
  expect(result).toMatchObject({ ok: false, error: { code: 'app/internal', details: { name: 'app.info' } } })
  expect(JSON.stringify(result)).not.toContain('not expected here')
  expect(String(log.entries[0]?.fields['failure'])).toContain('not expected here\n    at ')
})

test('closing a stream aborts its handler, and its end still comes', async () => {
  const events: unknown[] = []
  const { open } = createDispatch({
    ...handlers(
      {},
      {
        'engine.watch': async ({ emit, signal }) => {
          emit({ status: 'idle' })
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        },
      },
    ),
    log: recordingLog(),
  })
  const result = await new Promise((resolve) => {
    const close = open('engine.watch', {}, { event: (event) => void events.push(event), end: resolve })
    setTimeout(close, 10)
  })
  expect(events).toEqual([{ status: 'idle' }])
  expect(result).toEqual({ ok: true, value: null })
})

test('a stream whose input is wrong ends with app/bad-input', async () => {
  const { open } = createDispatch({ ...handlers({}), log: recordingLog() })
  const input = { chatId: 'c', action: { kind: 'send', content: '' } }
  expect(await end((sink) => open('chats.reply', input, sink))).toMatchObject({
    ok: false,
    error: { code: 'app/bad-input', details: { where: 'action.content' } },
  })
})
