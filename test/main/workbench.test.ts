import { cpSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { ConversionJob, ConversionsEvent } from '../../preload/contract'
import { engineBundle, type AppHarness } from './support/app-harness'

const WAIT_MS = 60_000
const guide = resolve(import.meta.dirname, '../../resources/guide')

let engine: Awaited<ReturnType<typeof engineBundle>>
let harness: AppHarness
beforeAll(async () => {
  engine = await engineBundle()
  harness = await engine.start()
  cpSync(guide, join(harness.folder.path, 'guide'), { recursive: true, filter: (path) => !path.includes('training') })
}, 120_000)
afterAll(async () => {
  await harness[Symbol.asyncDispose]()
  engine[Symbol.dispose]()
})

const source = (): string => join(harness.folder.path, 'guide')

test('says what a folder is, and shows its tensors as a tree that can be searched', async () => {
  const path = source()
  const summary = await harness.value('checkpoint.inspect', { path })
  expect(summary).toMatchObject({ kind: 'folder', format: 'safetensors', modelType: 'llama', model: { state: 'ready', problem: null } })
  expect(summary.shardMap.files).toHaveLength(summary.files.length)
  expect(summary.shardMap.files.flatMap(({ segments }) => segments).reduce((sum, { tensors }) => sum + tensors, 0)).toBe(
    summary.tensorCount,
  )
  const rows = { path, query: '', open: false, toggled: [], offset: 0, limit: 100 }
  const closed = await harness.value('checkpoint.rows', rows)
  expect(closed.rows.map(({ label }) => label)).toEqual(['model'])
  const opened = await harness.value('checkpoint.rows', { ...rows, open: true, limit: 500 })
  const names = opened.rows.flatMap((row) => (row.kind === 'tensor' ? [row.name] : []))
  expect(names).toHaveLength(summary.tensorCount)
  const found = await harness.value('checkpoint.rows', { ...rows, open: true, query: 'layers.0 q_proj' })
  expect(found).toMatchObject({ tensors: 1 })
  expect(found.rows.at(-1)).toMatchObject({
    kind: 'tensor',
    name: 'model.layers.0.self_attn.q_proj.weight',
    label: 'q_proj.weight',
  })
})

test('computes statistics and a histogram of one tensor', async () => {
  const stream = harness.open('checkpoint.statistics', { path: source(), name: 'model.layers.0.self_attn.q_proj.weight' })
  expect(await stream.ended).toEqual({ ok: true, value: null })
  const done = stream.events.at(-1)
  if (done?.type !== 'done') throw new Error('no statistics')
  const { histogram, elements } = done.statistics
  expect(histogram?.counts.reduce((sum, count) => sum + count, 0)).toBe(elements - (histogram?.below ?? 0) - (histogram?.above ?? 0))
  expect(histogram?.counts).toHaveLength(64)
})

test('refuses paths that are not complete or hold nothing', async () => {
  expect(await harness.call('checkpoint.inspect', { path: 'guide' })).toMatchObject({ error: { code: 'places/not-absolute' } })
  expect(await harness.call('checkpoint.inspect', { path: join(source(), 'no-such') })).toMatchObject({
    error: { code: 'bytes/not-found' },
  })
  expect(await harness.call('conversions.show', { jobId: 'none' })).toMatchObject({ error: { code: 'app/unsupported' } })
  const place = await harness.value('places.list', { path: harness.folder.path, filter: '', hidden: false })
  expect(place.entries.map(({ name, hint }) => [name, hint])).toContainEqual(['guide', 'model'])
  expect(await harness.call('places.list', { path: join(source(), 'config.json'), filter: '', hidden: false })).toMatchObject({
    error: { code: 'places/unreadable' },
  })
})

const order = {
  to: 'pth',
  dtype: null,
  maxShardBytes: null,
  stripPrefix: null,
  family: null,
  settings: {},
  quantize: null,
  include: null,
  force: false,
} as const

function last(events: readonly ConversionsEvent[], id: string): ConversionJob | undefined {
  return events.flatMap((event) => (event.type === 'changed' && event.job.id === id ? [event.job] : [])).at(-1)
}

test('plans, converts in a process of its own, and proves the result', async () => {
  const plan = await harness.value('conversions.plan', { ...order, source: source(), out: null })
  expect(plan).toMatchObject({ to: 'pth', out: `${source()}-pth`, kind: 'folder', dropped: [] })
  expect(existsSync(plan.out)).toBe(false)
  const watch = harness.open('conversions.watch', {})
  const { id } = await harness.value('conversions.start', { ...order, source: source(), out: plan.out })
  await vi.waitFor(() => expect(last(watch.events, id)?.state).toBe('done'), { timeout: WAIT_MS })
  expect(last(watch.events, id)?.proof?.totals).toMatchObject({ tensors: plan.tensors, identicalTensors: plan.tensors, maxAbsError: 0 })
  expect(readdirSync(plan.out)).toContain('model.pth')
  expect(await harness.call('conversions.plan', { ...order, source: source(), out: plan.out })).toMatchObject({
    error: { code: 'convert/output-exists' },
  })
  expect(
    await harness.call('conversions.plan', { ...order, to: 'safetensors', source: source(), out: source(), force: true }),
  ).toMatchObject({
    error: { code: 'convert/output-is-input' },
  })
  watch.close()
})

test('a conversion that cannot be done fails with its code, and one that is cancelled leaves nothing', async () => {
  const watch = harness.open('conversions.watch', {})
  const bad = join(harness.folder.path, 'bad.bin')
  writeFileSync(bad, 'no weights at all')
  const failed = await harness.value('conversions.start', { ...order, source: bad, out: join(harness.folder.path, 'never') })
  const stopped = await harness.value('conversions.start', { ...order, source: source(), out: join(harness.folder.path, 'stopped') })
  await vi.waitFor(
    () => expect(last(watch.events, failed.id)).toMatchObject({ state: 'failed', error: { code: 'checkpoint/unknown-format' } }),
    {
      timeout: WAIT_MS,
    },
  )
  await harness.value('conversions.cancel', { jobId: stopped.id })
  await vi.waitFor(() => expect(last(watch.events, stopped.id)?.state).toBe('cancelled'), { timeout: WAIT_MS })
  expect(readdirSync(harness.folder.path).filter((name) => name.includes('stopped') || name.includes('never'))).toEqual([])
  watch.close()
})
