import { SAMPLING_OFF } from '../../preload/contract-sampling-off'
import { cpSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { measureEventLoop } from '../../main/hosts/event-loop-gap'
import type { EngineState, ReplyEvent } from '../../preload/contract'
import { temporaryFolder } from '../support/temporary-folder'
import { engineBundle } from './support/app-harness'
import type { AppHarness } from './support/app-harness'
import { anyNumber, textLike } from './support/matching'

let engine: Awaited<ReturnType<typeof engineBundle>>
beforeAll(async () => {
  engine = await engineBundle()
}, 120_000)
afterAll(() => engine[Symbol.dispose]())

const READY_MS = 60_000

async function ready(harness: AppHarness): Promise<void> {
  const watch = harness.open('engine.watch', {})
  await vi.waitFor(() => expect(watch.events.at(-1)).toMatchObject({ status: 'ready' }), { timeout: READY_MS })
  watch.close()
}

async function reply(harness: AppHarness, chatId: string, content: string): Promise<readonly ReplyEvent[]> {
  const stream = harness.open('chats.reply', { chatId, action: { kind: 'send', content } })
  expect(await stream.ended).toEqual({ ok: true, value: null })
  return stream.events
}

function finished(events: readonly ReplyEvent[]) {
  const last = events.at(-1)
  if (last?.type !== 'finished') throw new Error(`the reply ended with ${last?.type ?? 'nothing'}`)
  return last.message
}

test('the built-in model loads at start, answers, and remembers the conversation in its cache', async () => {
  await using harness = await engine.start()
  const watch = harness.open('engine.watch', {})
  await vi.waitFor(() => expect(watch.events.at(-1)).toMatchObject({ status: 'ready' }), { timeout: READY_MS })
  const states = watch.events.map(({ status }) => status)
  expect(states).toContain('loading')
  expect(watch.events.at(-1)).toMatchObject({
    model: { modelId: 'guide', name: 'guide', modelType: 'llama', executionProvider: 'CPUExecutionProvider', weightFormat: 'quality' },
  })
  const chat = await harness.value('chats.create', {})
  const events = await reply(harness, chat.id, 'What is safetensors?')
  const first = finished(events)
  expect(first).toMatchObject({ status: 'complete', finishReason: 'stop', error: null, modelName: 'guide' })
  expect(first.content.toLowerCase()).toContain('safetensors')
  const deltas = events.flatMap((event) => (event.type === 'delta' ? [event.text] : []))
  expect(deltas.join('')).toBe(first.content)
  const second = finished(await reply(harness, chat.id, 'And what is a shard?'))
  expect(second.stats?.cachedTokens).toBeGreaterThan(0)
  expect((await harness.value('chats.get', { chatId: chat.id })).messages).toHaveLength(4)
  const use = await harness.value('chats.contextUse', { chatId: chat.id, draft: '' })
  expect(use.usedTokens).toBeGreaterThan(20)
  const longer = await harness.value('chats.contextUse', { chatId: chat.id, draft: 'some more words' })
  expect(longer.usedTokens).toBeGreaterThan(use.usedTokens)
  watch.close()
  expect(await watch.ended).toEqual({ ok: true, value: null })
})

test('another weight format in the settings loads the model again in it', async () => {
  await using harness = await engine.start()
  await ready(harness)
  await harness.value('settings.set', { change: { weightFormat: 'balanced' } })
  expect(await harness.value('engine.load', { modelId: 'guide' })).toMatchObject({ weightFormat: 'balanced' })
  expect((await harness.value('prepared.list', {})).files.map(({ format }) => format)).toEqual(['balanced', 'quality'])
  await harness.value('settings.set', { change: { weightFormat: 'f32' } })
  expect(await harness.value('engine.load', { modelId: 'guide' })).toMatchObject({ weightFormat: 'f32' })
})

test('the prepared weights of a loaded model are listed, and cleared without harm to it', async () => {
  await using harness = await engine.start()
  await ready(harness)
  const { files, totalBytes } = await harness.value('prepared.list', {})
  expect(files).toMatchObject([{ model: 'guide', format: 'quality', sizeBytes: anyNumber(), lastUsedMs: anyNumber() }])
  expect(totalBytes).toBeGreaterThanOrEqual(files[0]?.sizeBytes ?? Infinity)
  expect((await harness.value('prepared.clear', { name: '../settings.json' })).freedBytes).toBe(0)
  expect((await harness.value('prepared.clear', {})).freedBytes).toBe(totalBytes)
  expect(await harness.value('prepared.list', {})).toEqual({ files: [], totalBytes: 0 })
  const chat = await harness.value('chats.create', {})
  expect(finished(await reply(harness, chat.id, 'What is safetensors?'))).toMatchObject({ finishReason: 'stop', error: null })
})

test('killing the engine mid-answer keeps the text, gives the reason, and the next question works', async () => {
  await using harness = await engine.start()
  await ready(harness)
  const chat = await harness.value('chats.create', {})
  const stream = harness.open('chats.reply', { chatId: chat.id, action: { kind: 'send', content: 'What is config.json?' } })
  await vi.waitFor(() => expect(stream.events.some(({ type }) => type === 'delta')).toBe(true), { timeout: READY_MS, interval: 1 })
  process.kill(harness.app.enginePid() ?? 0, 'SIGKILL')
  await stream.ended
  const broken = finished(stream.events)
  expect(broken).toMatchObject({
    status: 'interrupted',
    finishReason: 'error',
    error: { code: 'engine/crashed', details: { reason: 'killed', signal: 'SIGKILL' } },
  })
  expect(broken.content.length).toBeGreaterThan(0)
  const watch = harness.open('engine.watch', {})
  expect(watch.events[0]).toMatchObject({ status: 'crashed', modelId: 'guide' })
  watch.close()
  expect(finished(await reply(harness, chat.id, 'What is a shard?'))).toMatchObject({ status: 'complete', finishReason: 'stop' })
})

test('stopping a reply keeps what was said; closing its stream stops it too', async () => {
  await using harness = await engine.start()
  await ready(harness)
  // Hot enough that no reply comes to an end by itself.
  const babble = { ...SAMPLING_OFF, temperature: 5, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, seed: 1, maxNewTokens: null, stop: [] }
  await harness.value('settings.set', { change: { sampling: babble } })
  const chat = await harness.value('chats.create', {})
  for (const stop of ['stop', 'close'] as const) {
    const stream = harness.open('chats.reply', { chatId: chat.id, action: { kind: 'send', content: 'What can you do?' } })
    await vi.waitFor(() => expect(stream.events.some(({ type }) => type === 'delta')).toBe(true), { timeout: READY_MS, interval: 1 })
    if (stop === 'stop') await harness.value('chats.stop', { chatId: chat.id })
    else stream.close()
    expect(await stream.ended).toEqual({ ok: true, value: null })
    const message = finished(stream.events)
    expect(message).toMatchObject({ status: 'complete', finishReason: 'cancelled', error: null })
    expect((await harness.value('chats.get', { chatId: chat.id })).messages.at(-1)).toEqual(message)
  }
})

test('a context window that is too short says so in the reply', async () => {
  await using harness = await engine.start()
  await harness.value('settings.set', { change: { contextLength: 16 } })
  const chat = await harness.value('chats.create', {})
  expect(finished(await reply(harness, chat.id, 'word '.repeat(200)))).toMatchObject({
    finishReason: 'error',
    status: 'complete',
    error: { code: 'runtime/context-overflow', details: { contextLength: 16 } },
  })
})

test('the plan draws every layer, and measures the model that is loaded', async () => {
  await using harness = await engine.start()
  await ready(harness)
  const plan = await harness.value('plan.preview', { modelId: 'guide', contextLength: null })
  expect(plan.stages.filter(({ kind }) => kind === 'layer').length).toBeGreaterThan(0)
  expect(plan).toMatchObject({ modelId: 'guide', fits: true, devices: [{ kind: 'cpu' }] })
  expect(plan.devices[0]?.measuredBytes).toBeGreaterThan(10_000_000)
  const library = await harness.value('library.list', {})
  expect(library[0]).toMatchObject({ id: 'guide', state: 'ready', modelType: 'llama' })
  expect(library[0]?.description).toContain('Weightroom')
  expect(library[0]?.contextLength).toBeGreaterThan(plan.contextLength - 1)
})

/** A safetensors file whose header claims `sizeBytes` and has none of them. */
function header(sizeBytes: number): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(sizeBytes))
  return bytes
}

const shard = 'model-00002-of-00002.safetensors'

test.each<readonly [string, string, (path: string) => void]>([
  ['no config.json', 'config/missing', (path) => rmSync(join(path, 'config.json'))],
  ['a missing shard', 'checkpoint/missing-shard', (path) => rmSync(join(path, shard))],
  ['a truncated shard', 'checkpoint/truncated-file', (path) => truncateSync(join(path, shard), 100_000)],
  ['a header beyond its file', 'checkpoint/header-beyond-file', (path) => writeFileSync(join(path, shard), header(1_000))],
  ['an unknown family', 'config/unknown-model-type', (path) => writeFileSync(join(path, 'config.json'), '{"model_type": "frobnicator"}')],
])('a model with %s is reported with its code, in the library and when it is loaded', async (_, code, damage) => {
  await using harness = await engine.start()
  const { path, id } = await copiedGuide(harness)
  damage(path)
  const report = await harness.value('library.inspectPath', { path })
  expect((report.model ?? report).problem).toMatchObject({ code, message: textLike(/.{20,}\.$/) })
  expect(await harness.call('engine.load', { modelId: id })).toMatchObject({ ok: false, error: { code } })
})

test('a corrupt tokenizer is found when the model is loaded', async () => {
  await using harness = await engine.start()
  const { path, id } = await copiedGuide(harness)
  writeFileSync(join(path, 'tokenizer.model'), 'no protobuf')
  const result = await harness.call('engine.load', { modelId: id })
  expect(result).toMatchObject({ ok: false, error: { code: textLike(/^tokenizer\//) } })
  const watch = harness.open('engine.watch', {})
  expect(watch.events[0]).toMatchObject({ status: 'failed', modelId: id, error: { code: textLike(/^tokenizer\//) } })
  watch.close()
})

/** A copy of the built-in model that the library knows. */
async function copiedGuide(harness: AppHarness): Promise<{ readonly path: string; readonly id: string }> {
  const path = join(harness.folder.path, 'copy')
  cpSync(resolve(import.meta.dirname, '../../resources/guide'), path, { recursive: true, filter: (file) => !file.includes('training') })
  const { model } = await harness.value('library.inspectPath', { path })
  return { path, id: model?.id ?? '' }
}

test('a chat database that cannot be opened is reported by the chats alone', async () => {
  using folder = temporaryFolder()
  folder.write('data/chats.db', 'this is no database. '.repeat(500))
  await using harness = await engine.start({ folder })
  expect(await harness.call('chats.list', { query: '' })).toMatchObject({ ok: false, error: { code: 'chats/broken-database' } })
  expect(await harness.call('settings.get', {})).toMatchObject({ ok: true })
  await ready(harness)
})

test('chats and settings are there after a restart', async () => {
  using folder = temporaryFolder()
  let chatId: string
  {
    await using harness = await engine.start({ folder })
    chatId = (await harness.value('chats.create', {})).id
    await reply(harness, chatId, 'What is GGUF?')
    await harness.value('settings.set', { change: { theme: 'dark' } })
  }
  await using harness = await engine.start({ folder })
  expect((await harness.value('chats.get', { chatId })).messages[1]?.status).toBe('complete')
  expect((await harness.value('settings.get', {})).theme).toBe('dark')
})

test('closing ends the engine process and a running reply', async () => {
  const harness = await engine.start()
  await ready(harness)
  const chat = await harness.value('chats.create', {})
  const stream = harness.open('chats.reply', { chatId: chat.id, action: { kind: 'send', content: 'What is a tokenizer?' } })
  await vi.waitFor(() => expect(stream.events.some(({ type }) => type === 'delta')).toBe(true), { timeout: READY_MS, interval: 1 })
  const pid = harness.app.enginePid() ?? 0
  await harness[Symbol.asyncDispose]()
  expect(finished(stream.events)).toMatchObject({ error: null })
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow())
})

test('links leave only as http, https or mail, and only where the host can', async () => {
  const opened: string[] = []
  await using harness = await engine.start({ host: { openExternal: (url) => Promise.resolve(void opened.push(url)) } })
  for (const url of ['javascript:alert(1)', 'file:///etc/passwd', 'smb://host/share', 'data:text/html,x', 'nonsense', 'http://']) {
    expect(await harness.call('app.openExternal', { url }), url).toMatchObject({ ok: false, error: { code: 'app/link-refused' } })
  }
  await harness.value('app.openExternal', { url: 'https://huggingface.co/docs' })
  expect(opened).toEqual(['https://huggingface.co/docs'])
  expect(await harness.call('app.chooseFolder', {})).toMatchObject({ ok: false, error: { code: 'app/unsupported' } })
  expect(await harness.value('app.info', {})).toMatchObject({
    host: 'web',
    can: { openExternal: true, chooseFolder: false, dropPaths: false },
  })
})

test('the state is told at once and on every change', async () => {
  await using harness = await engine.start()
  const watch = harness.open('engine.watch', {})
  const seen: EngineState[] = watch.events
  expect(seen).toHaveLength(1)
  await ready(harness)
  await harness.value('engine.unload', {})
  expect(seen.at(-1)).toEqual({ status: 'idle' })
  await harness.value('engine.load', { modelId: 'guide' })
  expect(seen.at(-1)).toMatchObject({ status: 'ready' })
  watch.close()
})

test('the event loop is measured', async () => {
  const { report, stop } = measureEventLoop()
  await new Promise((resolveSoon) => setTimeout(resolveSoon, 30))
  const heldUntilMs = performance.now() + 120
  while (performance.now() < heldUntilMs);
  await new Promise((resolveSoon) => setTimeout(resolveSoon, 30))
  stop()
  expect(report().maxGapMs).toBeGreaterThan(100)
  expect(report().maxHeldMs).toBeGreaterThan(0)
  expect(report().gaps[0]).toMatchObject({ gapMs: report().maxGapMs, cpuMs: anyNumber() })
})
