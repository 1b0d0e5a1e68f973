import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { LoadPreview } from '../../preload/contract'
import { engineBundle } from './support/app-harness'
import type { AppHarness } from './support/app-harness'

let engine: Awaited<ReturnType<typeof engineBundle>>
beforeAll(async () => {
  engine = await engineBundle()
}, 120_000)
afterAll(() => engine[Symbol.dispose]())

async function ready(harness: AppHarness): Promise<void> {
  const watch = harness.open('engine.watch', {})
  await vi.waitFor(() => expect(watch.events.at(-1)).toMatchObject({ status: 'ready' }), { timeout: 60_000 })
  watch.close()
}

const preview = async (harness: AppHarness, contextLength: number | null): Promise<LoadPreview> =>
  await harness.value('loading.preview', { modelId: 'guide', contextLength, formatOverrides: [] })

test('a model is previewed in every format, measured, and loaded as was chosen for it', { timeout: 120_000 }, async () => {
  await using harness = await engine.start()
  await ready(harness)
  const before = await preview(harness, 256)
  expect(before).toMatchObject({ modelId: 'guide', contextLength: 256 })
  expect(before.formats.map(({ format }) => format)).toEqual(['quality', 'balanced', 'fast', 'f32', 'f32-low-memory'])
  expect(before.formats.filter(({ suggested }) => suggested).map(({ format }) => format)).toEqual(['quality'])
  const [quality, balanced, , exact] = before.formats
  // The guide was loaded in its suggested format at start.
  expect(quality?.prepared?.exists).toBe(true)
  expect(balanced).toMatchObject({ prepared: { exists: false }, speed: { basis: 'estimated' }, perplexity: null, fit: 'fits' })
  expect(balanced?.peakBytes).toBeGreaterThan(balanced?.predicted.totalBytes ?? Infinity)
  expect(exact?.prepared).toBeNull()
  expect(exact?.predicted.weightBytes).toBeGreaterThan(quality?.predicted.weightBytes ?? Infinity)

  const measuring = harness.open('loading.measure', { modelId: 'guide', formats: ['balanced'], formatOverrides: [] })
  expect(await measuring.ended).toEqual({ ok: true, value: null })
  const measured = measuring.events.find((event) => event.type === 'measured')
  if (measured?.type !== 'measured') throw new Error('nothing was measured')
  expect(measured.result.perplexity).toBeGreaterThan(1)
  await ready(harness)
  const [, after] = (await preview(harness, 256)).formats
  expect(after).toMatchObject({ prepared: { exists: true }, perplexity: measured.result, speed: { basis: 'measured' } })

  const choice = { weightFormat: 'fast', contextLength: 128, formatOverrides: [{ pattern: 'layers.0.*', format: 'q8' }] } as const
  await harness.value('loading.choose', { modelId: 'guide', choice: { ...choice, formatOverrides: [...choice.formatOverrides] } })
  expect(await harness.value('loading.choice', { modelId: 'guide' })).toEqual(choice)
  expect(await harness.value('engine.load', { modelId: 'guide' })).toMatchObject({ weightFormat: 'fast', contextLength: 128 })
  await harness.value('loading.choose', { modelId: 'guide', choice: null })
  expect(await harness.value('engine.load', { modelId: 'guide' })).toMatchObject({ weightFormat: 'quality' })
})

test('a format that cannot be measured says why, and the model that was loaded comes back', { timeout: 120_000 }, async () => {
  await using harness = await engine.start()
  await ready(harness)
  const overrides = [{ pattern: 'no.such.matrix', format: 'q8' as const }]
  const measuring = harness.open('loading.measure', { modelId: 'guide', formats: ['fast'], formatOverrides: overrides })
  expect(await measuring.ended).toEqual({ ok: true, value: null })
  expect(measuring.events.at(-1)).toMatchObject({ type: 'failed', format: 'fast', error: { code: 'graph/format-override-unmatched' } })
  await ready(harness)
})
