// Tokens of a reply: kept with the message, branched from, gone on with; the prompt as it was sent; and databases from before.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import fc from 'fast-check'
import { openDatabase } from '../../../main/chats/database'
import { migrations } from '../../../main/chats/migrations'
import { branchPrefix, packRecord, unpackRecord, wholePrefix } from '../../../main/chats/record'
import { openStore } from '../../../main/chats/store'
import type { ReplyToken, TokenChoice } from '../../../preload/contract'
import { samplingSchema } from '../../../preload/contract'
import * as v from 'valibot'
import { serviceCode } from '../support/service-code'
import { temporaryFolder } from '../../support/temporary-folder'
import { recordingLog } from '../support/recording-log'
import { steppingClock } from '../support/stepping-clock'
import { chatsHarness, finished } from './chats-harness'

const choice = (id: number, text: string, special = false): TokenChoice => ({ id, text, logprob: -0.5, special })
const token = (id: number, text: string, alternatives: readonly TokenChoice[] = []): ReplyToken => ({ ...choice(id, text), alternatives })
const TOKENS: readonly ReplyToken[] = [
  token(1, 'A'),
  token(2, ' cat', [choice(2, ' cat'), choice(3, ' dog'), choice(9, '</s>', true)]),
  token(4, ' sat'),
  { ...token(9, '</s>', [choice(9, '</s>', true), choice(5, ' down')]), special: true },
]
const PROMPT = {
  text: '<s>hi',
  tokens: [
    { id: 0, text: '<s>', special: true },
    { id: 7, text: 'hi', special: false },
  ],
}
const record = { prompt: PROMPT, tokens: TOKENS }

test('a record is read back as it was, in a fraction of its size', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 6 })
  const anyChoice = fc.record({
    id: fc.nat(200_000),
    text,
    logprob: fc.integer({ min: 1, max: 4000 }).map((hundredths) => -hundredths / 100),
    special: fc.boolean(),
  })
  const tokens = fc.array(
    anyChoice.chain((one) => fc.array(anyChoice, { maxLength: 3 }).map((alternatives) => ({ ...one, alternatives }))),
    { maxLength: 20 },
  )
  fc.assert(
    fc.property(tokens, (some) => {
      expect(unpackRecord(packRecord({ prompt: PROMPT, tokens: some }, []))).toEqual({ prompt: PROMPT, tokens: some })
    }),
    { numRuns: 50 },
  )
  const thousand = Array.from({ length: 1000 }, () => TOKENS[1] ?? token(0, ''))
  expect(packRecord({ prompt: PROMPT, tokens: thousand }, []).length).toBeLessThan(5000)
})

test('a damaged record is no record', () => {
  expect(unpackRecord(Uint8Array.of(1, 2, 3))).toBeNull()
  expect(unpackRecord(packRecord(record, []).subarray(0, 20))).toBeNull()
})

test('a branch begins with the tokens before and the alternative, never with the end of a turn', () => {
  expect(branchPrefix(TOKENS, { token: 1, alternative: 1 })?.prefix).toEqual({ text: 'A dog', ids: [1, 3] })
  expect(branchPrefix(TOKENS, { token: 3, alternative: 1 })?.prefix).toEqual({ text: 'A cat sat down', ids: [1, 2, 4, 5] })
  expect(branchPrefix(TOKENS, { token: 1, alternative: 2 })).toBeNull()
  expect(branchPrefix(TOKENS, { token: 7, alternative: 0 })).toBeNull()
  expect(wholePrefix('A cat sat', TOKENS).ids).toEqual([1, 2, 4])
  expect(wholePrefix('edited', TOKENS).ids).toEqual([])
})

test('tokens and prompt of a reply survive a restart', async () => {
  await using first = chatsHarness({ script: [{ pieces: ['A cat', ' sat'], end: 'stop', record }] })
  const chat = first.chats.create()
  const reply = finished(await first.ask(chat.id, { kind: 'send', content: 'hi' }))
  expect(reply.hasTokens).toBe(true)
  await first.chats.close()
  using store = openStore({ path: first.path, clock: steppingClock(), log: recordingLog() })
  expect(unpackRecord(store.record(reply.id) ?? new Uint8Array())).toEqual(record)
  expect(store.messages([reply.id])[0]?.hasTokens).toBe(true)
})

test('a branch is a sibling that begins with what was chosen', async () => {
  await using harness = chatsHarness({
    script: [
      { pieces: ['A cat sat'], end: 'stop', record },
      { pieces: [' barks'], end: 'stop', record: { prompt: PROMPT, tokens: [token(8, ' barks')] } },
    ],
  })
  const chat = harness.chats.create()
  const reply = finished(await harness.ask(chat.id, { kind: 'send', content: 'hi' }))
  const events = await harness.ask(chat.id, { kind: 'branch', messageId: reply.id, token: 1, alternative: 1 })
  const started = events.find((event) => event.type === 'started')
  expect(started?.message).toMatchObject({ content: 'A dog', status: 'streaming' })
  const branch = finished(events)
  expect(branch).toMatchObject({ content: 'A dog barks', siblingIds: [reply.id, branch.id] })
  expect(harness.engine.asked[1]?.prefix).toEqual({ text: 'A dog', ids: [1, 3] })
  expect(harness.chats.tokens(chat.id, branch.id)?.map(({ text }) => text)).toEqual(['A', ' dog', ' barks'])
  expect(() => harness.chats.tokens(chat.id, 'none')).toThrow()
  const none = { kind: 'branch', messageId: branch.id, token: 0, alternative: 5 } as const
  expect(await serviceCode(() => harness.ask(chat.id, none))).toBe('chats/no-such-token')
})

test('a reply that goes on stays one message', async () => {
  await using harness = chatsHarness({
    script: [
      { pieces: ['A cat sat'], end: 'stop', record },
      { pieces: [' down.'], end: 'stop', record: { prompt: PROMPT, tokens: [token(6, ' down.')] } },
    ],
  })
  const chat = harness.chats.create()
  const reply = finished(await harness.ask(chat.id, { kind: 'send', content: 'hi' }))
  const longer = finished(await harness.ask(chat.id, { kind: 'continue', messageId: reply.id }))
  expect(longer).toMatchObject({ id: reply.id, content: 'A cat sat down.', siblingIds: [reply.id], status: 'complete' })
  expect(harness.engine.asked[1]?.prefix?.ids).toEqual([1, 2, 4])
  expect(
    harness.chats
      .tokens(chat.id, reply.id)
      ?.map(({ text }) => text)
      .join(''),
  ).toBe('A cat sat down.')
  expect(harness.chats.get(chat.id).messages).toHaveLength(2)
})

test('the prompt of a reply is the one that was sent; that of a draft is made now', async () => {
  await using harness = chatsHarness({ script: [{ pieces: ['x'], end: 'stop', record }] })
  const chat = harness.chats.create()
  const reply = finished(await harness.ask(chat.id, { kind: 'send', content: 'hi' }))
  expect(await harness.chats.prompt({ chatId: chat.id, messageId: reply.id, draft: '' })).toEqual({ ...PROMPT, asSent: true })
  expect(await harness.chats.prompt({ chatId: chat.id, messageId: null, draft: 'more' })).toMatchObject({
    text: 'hi\nx\nmore',
    asSent: false,
  })
})

test('a database of the first version opens with its chats and their settings', () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'chats.db')
  const old = openDatabase({ path, log: recordingLog(), clock: steppingClock() })
  old.exec('alter table messages drop column record; pragma user_version = 1')
  const before = { temperature: 0.5, topK: 7, topP: 0.9, minP: 0, repetitionPenalty: 1.1, seed: 3, maxNewTokens: null, stop: ['x'] }
  old
    .prepare('insert into chats(id, title, created_at_ms, updated_at_ms, sampling) values (?, ?, 1, 1, ?)')
    .run('c', 'old', JSON.stringify(before))
  old
    .prepare(
      "insert into messages(id, chat_id, role, content, created_at_ms, status) values ('m', 'c', 'assistant', 'said', 1, 'complete')",
    )
    .run()
  old.close()
  using store = openStore({ path, clock: steppingClock(), log: recordingLog() })
  expect(store.chat('c')?.sampling).toMatchObject({ ...before, mirostat: false, dryMultiplier: 0, constraint: null })
  expect(store.messages(['m'])[0]).toMatchObject({ content: 'said', hasTokens: false })
  expect(migrations).toHaveLength(2)
})

test('sampling settings of before are filled up with what is off', () => {
  const before = { temperature: 0.5, topK: 7, topP: 0.9, minP: 0, repetitionPenalty: 1.1, seed: 3, maxNewTokens: null, stop: [] }
  expect(v.safeParse(samplingSchema, before)).toMatchObject({ success: true, output: { ...before, xtcProbability: 0 } })
  expect(v.safeParse(samplingSchema, { ...before, xtcProbability: 2 }).success).toBe(false)
  expect(v.safeParse(samplingSchema, [before]).success).toBe(false)
})
