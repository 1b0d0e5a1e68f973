import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { createConversionsService, type ConversionRunner, type ConversionsService } from '../../../main/conversions/conversions-service'
import { createSpeedMeter } from '../../../main/conversions/speed'
import { suggestPlace } from '../../../main/conversions/suggest-place'
import { localPath } from '../../../main/places/local-path'
import { serviceError } from '../../../main/service-error'
import type { ConversionJob, ConversionOrder, ConversionProof, ConversionsEvent } from '../../../preload/contract'
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder'
import { recordingLog } from '../support/recording-log'
import { serviceCode } from '../support/service-code'
import { steppingClock } from '../support/stepping-clock'

const order = (out: string): ConversionOrder => ({
  source: '/models/a',
  to: 'safetensors',
  out,
  dtype: null,
  maxShardBytes: null,
  stripPrefix: null,
  family: null,
  settings: {},
  quantize: null,
  include: null,
  force: false,
})

const proof: ConversionProof = {
  out: '/out',
  files: [],
  companions: [],
  totals: { tensors: 1, parameters: 1, tensorBytes: 4, fileBytes: 4, identicalTensors: 1, maxAbsError: 0, overflowed: 0, flushedToZero: 0 },
  dtypeChanges: [],
  family: null,
  logits: null,
  dropped: [],
  notes: [],
  tensors: [],
}

/** Conversions that end when the test says so. */
function scriptedRunner(): ConversionRunner & {
  readonly running: Map<string, { readonly end: (failure?: Error) => void; readonly progress: (doneBytes: number) => void }>
} {
  const running = new Map<string, { end: (failure?: Error) => void; progress: (doneBytes: number) => void }>()
  return {
    running,
    plan: () => Promise.reject(new Error('not asked')),
    convert: ({ out }, { onProgress, signal }) =>
      new Promise((resolve, reject) => {
        running.set(out, {
          end: (failure) => {
            running.delete(out)
            if (failure === undefined) resolve(proof)
            else reject(failure)
          },
          progress: (doneBytes) => onProgress({ file: 'model.safetensors', doneBytes, totalBytes: 100 }),
        })
        signal.addEventListener('abort', () => {
          running.delete(out)
          reject(serviceError('engine/cancelled', {}))
        })
      }),
  }
}

async function openQueue(folder: TemporaryFolder, runner: ConversionRunner): Promise<ConversionsService> {
  return await createConversionsService({
    dataFolder: folder.path,
    runner,
    localPath,
    suggestPlace: (source, to) => Promise.resolve(`${source}-${to}`),
    clock: steppingClock(),
    log: recordingLog(),
  })
}

const states = (queue: ConversionsService): readonly ConversionJob['state'][] => queue.jobs().map(({ state }) => state)

test('runs one conversion after the other and tells every change', async () => {
  using folder = temporaryFolder()
  const runner = scriptedRunner()
  await using queue = await openQueue(folder, runner)
  const events: ConversionsEvent[] = []
  queue.watch((event) => events.push(event))
  await queue.start(order('/one'))
  await queue.start(order('/two'))
  expect(states(queue)).toEqual(['running', 'queued'])
  runner.running.get('/one')?.progress(50)
  expect(queue.jobs()[0]?.progress).toMatchObject({ file: 'model.safetensors', doneBytes: 50, totalBytes: 100 })
  runner.running.get('/one')?.end()
  await vi.waitFor(() => expect(states(queue)).toEqual(['done', 'running']))
  runner.running.get('/two')?.end(serviceError('uploads/write-failed', { path: '/two', reason: 'EIO' }))
  await vi.waitFor(() => expect(states(queue)).toEqual(['done', 'failed']))
  expect(queue.jobs()[0]?.proof).toEqual(proof)
  expect(queue.jobs()[1]?.error).toMatchObject({ code: 'uploads/write-failed' })
  expect(events.at(-1)).toMatchObject({ type: 'changed', job: { state: 'failed' } })
  queue.clear()
  expect(events.at(-1)).toMatchObject({ type: 'removed' })
  expect(queue.jobs()).toEqual([])
})

test('cancels what runs and what waits, and starts both again at the end of the queue', async () => {
  using folder = temporaryFolder()
  const runner = scriptedRunner()
  await using queue = await openQueue(folder, runner)
  const one = await queue.start(order('/one'))
  const two = await queue.start(order('/two'))
  expect(await serviceCode(() => queue.remove(one.id))).toBe('conversions/still-running')
  expect(await serviceCode(() => queue.retry(one.id))).toBe('conversions/not-ended')
  queue.cancel(two.id)
  queue.cancel(one.id)
  await vi.waitFor(() => expect(states(queue)).toEqual(['cancelled', 'cancelled']))
  expect(runner.running.size).toBe(0)
  queue.retry(one.id)
  expect(queue.jobs().map(({ id, state }) => [id, state])).toEqual([
    [two.id, 'cancelled'],
    [one.id, 'running'],
  ])
  queue.remove(two.id)
  expect(await serviceCode(() => queue.cancel(two.id))).toBe('conversions/not-found')
})

test('refuses a second conversion to the same place while the first is ahead, and paths that are not complete', async () => {
  using folder = temporaryFolder()
  const runner = scriptedRunner()
  await using queue = await openQueue(folder, runner)
  await queue.start(order('/one'))
  expect(await serviceCode(() => queue.start(order('/x/../one')))).toBe('conversions/same-place')
  for (const path of ['relative', '../up', 'file:///x', '/a\0b']) {
    expect(await serviceCode(() => queue.start(order(path))), path).toBe('places/not-absolute')
    expect(await serviceCode(() => queue.start({ ...order('/two'), source: path })), path).toBe('places/not-absolute')
  }
  expect((await queue.start({ ...order(''), out: null })).order.out).toBe('/models/a-safetensors')
})

test('what ran or waited when the app ended is there again, interrupted, and can go on', async () => {
  using folder = temporaryFolder()
  {
    await using queue = await openQueue(folder, scriptedRunner())
    await queue.start(order('/one'))
    await queue.start(order('/two'))
  }
  const runner = scriptedRunner()
  await using queue = await openQueue(folder, runner)
  expect(states(queue)).toEqual(['interrupted', 'interrupted'])
  expect(runner.running.size).toBe(0)
  queue.retry(queue.jobs()[0]?.id ?? '')
  expect(states(queue)).toEqual(['interrupted', 'running'])
  // It is not among those that have ended: clearing leaves it.
  queue.clear()
  expect(states(queue)).toEqual(['interrupted', 'running'])
})

test('a list that is damaged is kept aside', async () => {
  using folder = temporaryFolder()
  writeFileSync(join(folder.path, 'conversions.json'), '{"jobs":[{"id":1}]}')
  await using queue = await openQueue(folder, scriptedRunner())
  expect(queue.jobs()).toEqual([])
})

test('tells speed and time left from the last seconds', () => {
  const look = createSpeedMeter()
  expect(look({ nowMs: 0, doneBytes: 0, totalBytes: 1_000 })).toEqual({ bytesPerSecond: null, leftMs: null })
  expect(look({ nowMs: 1_000, doneBytes: 100, totalBytes: 1_000 })).toEqual({ bytesPerSecond: 100, leftMs: 9_000 })
  for (let second = 2; second <= 10; second += 1) look({ nowMs: second * 1_000, doneBytes: 100 + (second - 1) * 50, totalBytes: 1_000 })
  expect(look({ nowMs: 11_000, doneBytes: 600, totalBytes: 1_000 }).bytesPerSecond).toBeCloseTo(50)
})

test('suggests a free place beside the source, and never one in a cache or among uploads', async () => {
  using folder = temporaryFolder()
  const options = { to: 'npz', modelsFolder: join(folder.path, 'models'), temporaryFolder: join(folder.path, 'uploads') }
  const beside = join(folder.path, 'tiny')
  mkdirSync(beside)
  expect(await suggestPlace(beside, options)).toBe(join(folder.path, 'tiny-npz'))
  mkdirSync(join(folder.path, 'tiny-npz'))
  expect(await suggestPlace(beside, options)).toBe(join(folder.path, 'tiny-npz-2'))
  const file = join(folder.path, 'pytorch_model.bin')
  writeFileSync(file, '')
  expect(await suggestPlace(file, options)).toBe(join(folder.path, 'pytorch_model-npz'))
  const snapshot = join(folder.path, 'models--org--tiny', 'snapshots', 'abc')
  mkdirSync(snapshot, { recursive: true })
  expect(await suggestPlace(snapshot, options)).toBe(join(folder.path, 'models', 'tiny-npz'))
  const upload = join(folder.path, 'uploads', 'id', 'up')
  mkdirSync(upload, { recursive: true })
  expect(await suggestPlace(upload, options)).toBe(join(folder.path, 'models', 'up-npz'))
})
