import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { createEngineService } from '../../../main/engine/engine-service'
import type { EngineService } from '../../../main/engine/engine-service'
import { forkNode } from '../../../main/hosts/fork-node'
import { ServiceError } from '../../../main/service-error'
import type { EngineState } from '../../../preload/contract'
import { recordingLog } from '../support/recording-log'
import type { RecordingLog } from '../support/recording-log'
import { serviceCode } from '../support/service-code'

interface Harness extends Disposable {
  readonly engine: EngineService
  readonly states: EngineState[]
  readonly log: RecordingLog
  readonly forks: () => number
}

function start(script: string): Harness {
  const log = recordingLog()
  let forks = 0
  const engine = createEngineService({
    log,
    fork: () => {
      forks += 1
      return forkNode({ path: join(import.meta.dirname, script), env: { WEIGHTROOM_TEST: '1' } })
    },
  })
  const states: EngineState[] = [engine.state()]
  engine.watch((state) => void states.push(state))
  return { engine, states, log, forks: () => forks, [Symbol.dispose]: () => engine[Symbol.dispose]() }
}

const target = (path: string) => ({
  modelId: path,
  name: path,
  path,
  threads: null,
  contextLength: null,
  weightFormat: 'auto' as const,
  formatOverrides: [],
  preparedMaxBytes: null,
  preparedFolder: 'prepared',
})
const crashReason = async (run: Promise<unknown>): Promise<unknown> => {
  const failure: unknown = await run.catch((caught: unknown) => caught)
  if (!(failure instanceof ServiceError)) throw new Error('it did not fail as expected')
  return failure.details['reason']
}

test('it starts, says so, and answers', async () => {
  using harness = start('crashing-engine.mjs')
  await vi.waitFor(() => expect(harness.engine.state()).toEqual({ status: 'idle' }))
  expect((await harness.engine.request('memory', {})).residentBytes).toBe(harness.engine.pid())
})

test.each([
  ['exit', 'exit'],
  ['segfault', 'native-crash'],
  ['abort', 'native-crash'],
  ['kill', 'killed'],
  ['memory', 'out-of-memory'],
])('a death by %s fails what was running with reason %s, and the next request works in a new process', async (death, reason) => {
  using harness = start('crashing-engine.mjs')
  const { engine } = harness
  const before = (await engine.request('memory', {})).residentBytes
  const running = engine.request('describe', { path: 'wait' })
  const [first, second] = await Promise.all([crashReason(running), crashReason(engine.request('describe', { path: death }))])
  expect([first, second]).toEqual([reason, reason])
  expect(engine.state()).toMatchObject({ status: 'crashed', modelId: null, error: { code: 'engine/crashed', details: { reason } } })
  expect((await engine.request('memory', {})).residentBytes).not.toBe(before)
})

test('loading is told step by step, and a crash names the model that was lost', async () => {
  using harness = start('crashing-engine.mjs')
  const { engine, states } = harness
  const info = await engine.load(target('m'))
  expect(info).toMatchObject({ modelId: 'm', name: 'm', modelType: 'llama' })
  await serviceCode(() => engine.request('describe', { path: 'kill' }))
  expect(states.map(({ status }) => status).filter((status) => status !== 'starting' && status !== 'idle')).toEqual([
    'loading',
    'loading',
    'ready',
    'crashed',
  ])
  expect(engine.state()).toMatchObject({ status: 'crashed', modelId: 'm' })
  expect(engine.loadedPath()).toBeNull()
  await engine.load(target('m'))
  expect(engine.state()).toMatchObject({ status: 'ready', model: { modelId: 'm' } })
})

test('a crash while loading names the model too', async () => {
  using harness = start('crashing-engine.mjs')
  const { engine } = harness
  const loading = serviceCode(() => engine.load(target('slow')))
  await serviceCode(() => engine.request('describe', { path: 'exit' }))
  expect(await loading).toBe('engine/crashed')
  expect(engine.state()).toMatchObject({ status: 'crashed', modelId: 'slow' })
})

test('a model that cannot be loaded leaves the reason in the state', async () => {
  using harness = start('crashing-engine.mjs')
  expect(await serviceCode(() => harness.engine.load(target('unloadable')))).toBe('config/missing')
  expect(harness.engine.state()).toMatchObject({ status: 'failed', modelId: 'unloadable', error: { code: 'config/missing' } })
})

test('the same model is loaded once, another one takes its place', async () => {
  using harness = start('crashing-engine.mjs')
  const { engine } = harness
  const slow = engine.load(target('slow'))
  expect(engine.load(target('slow'))).toBe(slow)
  const given = serviceCode(() => slow)
  const other = await engine.load(target('m'))
  expect(other.modelId).toBe('m')
  expect(await given).toBe('engine/cancelled')
  expect(engine.state()).toMatchObject({ status: 'ready', model: { modelId: 'm' } })
  expect(engine.loadedPath()).toBe('m')
})

test('a request that was cancelled before it was sent is not sent', async () => {
  using harness = start('crashing-engine.mjs')
  expect(await serviceCode(() => harness.engine.request('describe', { path: 'exit' }, { signal: AbortSignal.abort() }))).toBe(
    'engine/cancelled',
  )
  expect((await harness.engine.request('memory', {})).residentBytes).toBeGreaterThan(0)
})

test('a process that never comes up is not started for ever, but again when asked', async () => {
  using harness = start('dying-engine.mjs')
  await vi.waitFor(() => expect(harness.log.entries.some(({ message }) => message.includes('does not start'))).toBe(true), {
    timeout: 20_000,
  })
  const forks = harness.forks()
  expect(forks).toBe(3)
  expect(await serviceCode(() => harness.engine.request('memory', {}))).toBe('engine/crashed')
  expect(harness.forks()).toBe(forks + 1)
})

test('a host that cannot fork says why', () => {
  const engine = createEngineService({
    log: recordingLog(),
    fork: () => {
      throw new Error('no more processes')
    },
  })
  expect(engine.state()).toMatchObject({
    status: 'crashed',
    error: { code: 'engine/did-not-start', details: { reason: 'no more processes' } },
  })
  engine[Symbol.dispose]()
})

test('closing ends the process and what was asked of it', async () => {
  const harness = start('crashing-engine.mjs')
  const { engine } = harness
  const pid = (await engine.request('memory', {})).residentBytes
  const running = serviceCode(() => engine.request('describe', { path: 'wait' }))
  engine[Symbol.dispose]()
  expect(await running).toBe('app/closing')
  expect(await serviceCode(() => engine.request('memory', {}))).toBe('app/closing')
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow())
})
