// Long work on a session: the event loop stays free, an abort stops it, and the session is usable afterwards.
import { performance } from 'node:perf_hooks'
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'

import { openOrt } from '../../../engine/runtime/ort'
import type { OrtRuntime, OrtSession, OrtSessionOptions, OrtValue } from '../../../engine/runtime/ort-types'
import { floatBytes, floatsOf, pseudoRandom } from '../../support/tensor-values'
import { tinyOnnx } from '../../support/tiny-onnx'

const size = 384
const options = { intraOpNumThreads: 1, prepacking: true, constantFolding: true } as const

/** A chain of square matrix products; a Tanh after each keeps the numbers in range. */
function chain(length: number): OrtSessionOptions {
  const nodes = Array.from({ length }, (_, i) => [
    { op: 'MatMul', inputs: [i === 0 ? 'x' : `h${i}`, 'w'], outputs: [`m${i}`] },
    { op: 'Tanh', inputs: [`m${i}`], outputs: [i === length - 1 ? 'y' : `h${i + 1}`] },
  ]).flat()
  const shape = [size, size]
  const weight = floatBytes(pseudoRandom({ count: size * size, seed: 1 }))
  const model = tinyOnnx({
    inputs: [{ name: 'x', type: 'F32', shape }],
    outputs: [{ name: 'y', type: 'F32', shape }],
    nodes,
    initializers: [{ name: 'w', type: 'F32', shape, bytes: weight }],
  })
  return { model, ...options }
}

/** Longest time between two turns of the event loop while the work runs, and how many turns there were. */
async function watchEventLoop(work: Promise<unknown>): Promise<{ readonly longestGapMs: number; readonly turns: number }> {
  const state: { done: boolean } = { done: false }
  let longestGapMs = 0
  let turns = 0
  void work.finally(() => (state.done = true)).catch(() => undefined)
  for (let last = performance.now(); !state.done; turns += 1) {
    await nextTurn()
    const now = performance.now()
    longestGapMs = Math.max(longestGapMs, now - last)
    last = now
  }
  return { longestGapMs, turns }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function square(ort: OrtRuntime): OrtValue {
  return ort.allocate({ dtype: 'F32', shape: [size, size] })
}

function isUntouched(value: OrtValue): boolean {
  return floatsOf(value).every((x) => x === 0)
}

function filledSquare(ort: OrtRuntime): OrtValue {
  const value = square(ort)
  floatsOf(value).set(pseudoRandom({ count: size * size, seed: 2 }))
  return value
}

describe('c-api', () => {
  let ort: OrtRuntime
  beforeAll(async () => {
    ort = await openOrt({ kind: 'c-api' })
  })

  it('leaves the event loop free while a graph loads and runs', async () => {
    const creating = ort.createSession(chain(1000))
    const load = await watchEventLoop(creating)
    using session = await creating
    using x = filledSquare(ort)
    using y = square(ort)
    const run = await watchEventLoop(session.run({ inputs: { x }, outputs: { y } }))
    print(`event loop: longest gap ${load.longestGapMs.toFixed(1)} ms while loading, ${run.longestGapMs.toFixed(1)} ms while running`)
    expect(isUntouched(y)).toBe(false)
    expect(load.turns).toBeGreaterThan(10)
    expect(run.turns).toBeGreaterThan(100)
  })

  it('stops a run on abort before its last operator, and runs again', async () => {
    using session = await ort.createSession(chain(3000))
    using x = filledSquare(ort)
    using y = square(ort)
    const abort = new AbortController()
    const running = session.run({ inputs: { x }, outputs: { y }, signal: abort.signal })
    const refused = expect(running).rejects.toMatchObject({ code: 'runtime/aborted' })
    await wait(100)
    const start = performance.now()
    abort.abort()
    await refused
    print(`cancel: a run stopped ${(performance.now() - start).toFixed(1)} ms after the abort`)
    expect(isUntouched(y)).toBe(true)
    using short = await ort.createSession(chain(2))
    await short.run({ inputs: { x }, outputs: { y } })
    expect(isUntouched(y)).toBe(false)
  })

  it('uses the session again after a cancelled run', async () => {
    using session = await ort.createSession(chain(200))
    using x = filledSquare(ort)
    using y = square(ort)
    const abort = new AbortController()
    const cancelled = session.run({ inputs: { x }, outputs: { y }, signal: abort.signal })
    const next = session.run({ inputs: { x }, outputs: { y } })
    setTimeout(() => abort.abort(), 5)
    await expect(cancelled).rejects.toMatchObject({ code: 'runtime/aborted' })
    await next
    expect(isUntouched(y)).toBe(false)
  })

  it('stops loading a graph on abort', async () => {
    const abort = new AbortController()
    const loading = ort.createSession({ ...chain(3000), signal: abort.signal })
    const refused = expect(loading).rejects.toMatchObject({ code: 'runtime/aborted' })
    await wait(5)
    const start = performance.now()
    abort.abort()
    await refused
    print(`cancel: loading stopped ${(performance.now() - start).toFixed(1)} ms after the abort`)
  })
})

describe.each(['c-api', 'node-binding'] as const)('%s', (kind) => {
  let ort: OrtRuntime
  let session: OrtSession
  beforeAll(async () => {
    ort = await openOrt({ kind })
    session = await ort.createSession(chain(2))
  })

  it('does not begin what was cancelled before', async () => {
    using x = filledSquare(ort)
    using y = square(ort)
    const signal = AbortSignal.abort()
    await expect(session.run({ inputs: { x }, outputs: { y }, signal })).rejects.toMatchObject({ code: 'runtime/aborted' })
    expect(isUntouched(y)).toBe(true)
    await expect(ort.createSession({ ...chain(2), signal })).rejects.toMatchObject({ code: 'runtime/aborted' })
  })

  it('reports a run as aborted when the abort came while it ran', async () => {
    using x = filledSquare(ort)
    using y = square(ort)
    const abort = new AbortController()
    const running = session.run({ inputs: { x }, outputs: { y }, signal: abort.signal })
    abort.abort()
    await expect(running).rejects.toMatchObject({ code: 'runtime/aborted' })
  })
})
