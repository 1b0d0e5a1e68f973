// Both bindings of ONNX Runtime behave the same: values, outputs in place, external data, errors, disposal.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'

import { openOrt } from '../../../engine/runtime/ort'
import type { OrtRuntime, OrtSessionOptions } from '../../../engine/runtime/ort-types'
import { floatBytes, floatsOf, floatValue, intValue } from '../../support/tensor-values'
import { type TinyInitializer, tinyOnnx } from '../../support/tiny-onnx'

const plain = { intraOpNumThreads: 1, prepacking: true, constantFolding: true } as const

function matMul(weight: Omit<TinyInitializer, 'name' | 'type' | 'shape'>): Uint8Array {
  return tinyOnnx({
    inputs: [{ name: 'x', type: 'F32', shape: ['n', 2] }],
    outputs: [{ name: 'y', type: 'F32', shape: ['n', 2] }],
    nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
    initializers: [{ name: 'w', type: 'F32', shape: [2, 2], ...weight }],
  })
}

const model = matMul({ bytes: floatBytes([1, 2, 3, 4]) })

describe('openOrt', () => {
  it('opens the C API when no kind is asked for', async () => {
    const ort = await openOrt({})
    expect(ort).toMatchObject({ kind: 'c-api', cancellable: true, fallbackReason: null })
  })
})

describe.each(['c-api', 'node-binding'] as const)('%s', (kind) => {
  let ort: OrtRuntime
  beforeAll(async () => {
    ort = await openOrt({ kind })
  })

  it('tells its version and that it has a CPU', () => {
    expect(ort.kind).toBe(kind)
    expect(ort.version).toBe('1.30.0')
    expect(ort.executionProviders).toContain('CPUExecutionProvider')
  })

  it('knows the names of inputs and outputs', async () => {
    using session = await ort.createSession({ model, ...plain })
    expect(session.inputNames).toEqual(['x'])
    expect(session.outputNames).toEqual(['y'])
  })

  it('returns an output that the library allocated, with its shape', async () => {
    using session = await ort.createSession({ model, ...plain })
    using x = floatValue(ort, { shape: [2, 2], data: [10, 100, 1, 0] })
    const { y } = await session.run({ inputs: { x }, outputs: { y: null } })
    expect(y).toMatchObject({ dtype: 'F32', shape: [2, 2] })
    expect([...floatsOf(y)]).toEqual([310, 420, 1, 2])
    y?.[Symbol.dispose]()
  })

  it('writes a given output in place and returns nothing for it', async () => {
    using session = await ort.createSession({ model, ...plain })
    using x = floatValue(ort, { shape: [1, 2], data: [1, 1] })
    using y = ort.allocate({ dtype: 'F32', shape: [1, 2] })
    const live = floatsOf(y)
    const { bytes } = y
    expect([...live]).toEqual([0, 0])
    expect(await session.run({ inputs: { x }, outputs: { y } })).toEqual({})
    expect([...live]).toEqual([4, 6])
    floatsOf(x).set([2, 2])
    await session.run({ inputs: { x }, outputs: { y } })
    expect([...live]).toEqual([8, 12])
    expect(y.bytes).toBe(bytes)
  })

  it('takes weights from a file of the external-data folder at any offset', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'weightroom-ort-'))
    try {
      await writeFile(join(folder, 'shard.bin'), Buffer.concat([Buffer.from('header!'), floatBytes([1, 2, 3, 4]), Buffer.from('tail')]))
      const external = { location: 'shard.bin', offsetBytes: 7, sizeBytes: 16 }
      const options = { ...plain, prepacking: false, model: matMul({ external }), externalDataFolder: folder }
      using session = await ort.createSession(options)
      using x = floatValue(ort, { shape: [1, 2], data: [10, 100] })
      using y = ort.allocate({ dtype: 'F32', shape: [1, 2] })
      await session.run({ inputs: { x }, outputs: { y } })
      expect([...floatsOf(y)]).toEqual([310, 420])
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('passes an empty tensor and returns an empty output', async () => {
    const gather = tinyOnnx({
      inputs: [
        { name: 'x', type: 'F32', shape: [3, 2] },
        { name: 'i', type: 'I32', shape: ['n'] },
      ],
      outputs: [{ name: 'y', type: 'F32', shape: ['n', 2] }],
      nodes: [{ op: 'Gather', inputs: ['x', 'i'], outputs: ['y'], attributes: { axis: 0 } }],
    })
    using session = await ort.createSession({ model: gather, ...plain })
    using x = floatValue(ort, { shape: [3, 2], data: [1, 2, 3, 4, 5, 6] })
    using nothing = intValue(ort, { shape: [0], data: [] })
    using two = intValue(ort, { shape: [2], data: [2, 0] })
    const empty = await session.run({ inputs: { x, i: nothing }, outputs: { y: null } })
    expect(empty['y']?.shape).toEqual([0, 2])
    expect(empty['y']?.bytes.byteLength).toBe(0)
    const full = await session.run({ inputs: { x, i: two }, outputs: { y: null } })
    expect([...floatsOf(full['y'])]).toEqual([5, 6, 1, 2])
  })

  it.each([
    ['F32', 4],
    ['F16', 2],
    ['I64', 8],
    ['I32', 4],
    ['U8', 1],
    ['I8', 1],
    ['BOOL', 1],
  ] as const)('carries %s bytes through unchanged', async (dtype, sizeBytes) => {
    const identity = tinyOnnx({
      inputs: [{ name: 'x', type: dtype, shape: [3] }],
      outputs: [{ name: 'y', type: dtype, shape: [3] }],
      nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
    })
    using session = await ort.createSession({ model: identity, ...plain })
    using x = ort.allocate({ dtype, shape: [3] })
    expect(x.bytes.byteLength).toBe(3 * sizeBytes)
    x.bytes.fill(1, 0, sizeBytes * 2)
    using y = ort.allocate({ dtype, shape: [3] })
    await session.run({ inputs: { x }, outputs: { y } })
    expect([...y.bytes]).toEqual([...x.bytes])
    const { y: allocated } = await session.run({ inputs: { x }, outputs: { y: null } })
    expect(allocated?.dtype).toBe(dtype)
    expect([...(allocated?.bytes ?? [])]).toEqual([...x.bytes])
  })

  it('runs one after another what is asked for at once', async () => {
    using session = await ort.createSession({ model, ...plain })
    const runs = Array.from({ length: 8 }, async (_, i) => {
      using x = floatValue(ort, { shape: [1, 2], data: [i, 0] })
      using y = ort.allocate({ dtype: 'F32', shape: [1, 2] })
      await session.run({ inputs: { x }, outputs: { y } })
      return [...floatsOf(y)]
    })
    expect(await Promise.all(runs)).toEqual(Array.from({ length: 8 }, (_, i) => [i, 2 * i]))
  })

  it.each([
    ['no protobuf', { model: new Uint8Array(64).fill(0xff) }],
    ['an unknown operator', { model: tinyOnnx({ inputs: [], outputs: [], nodes: [{ op: 'NoSuchOp', inputs: [], outputs: ['y'] }] }) }],
    [
      'weights in a missing file',
      { model: matMul({ external: { location: 'gone.bin', offsetBytes: 0, sizeBytes: 16 } }), externalDataFolder: tmpdir() },
    ],
  ] satisfies readonly (readonly [string, Pick<OrtSessionOptions, 'model' | 'externalDataFolder'>])[])(
    'refuses a model with %s',
    async (_, options) => {
      await expect(ort.createSession({ ...plain, ...options })).rejects.toMatchObject({ code: 'runtime/ort-failed' })
    },
  )

  it('refuses an input of the wrong type, and runs on afterwards', async () => {
    using session = await ort.createSession({ model, ...plain })
    using wrong = intValue(ort, { shape: [1, 2], data: [1, 2] })
    await expect(session.run({ inputs: { x: wrong }, outputs: { y: null } })).rejects.toMatchObject({ code: 'runtime/ort-failed' })
    using x = floatValue(ort, { shape: [1, 2], data: [1, 0] })
    const { y } = await session.run({ inputs: { x }, outputs: { y: null } })
    expect([...floatsOf(y)]).toEqual([1, 2])
  })

  it('refuses missing and unknown names', async () => {
    using session = await ort.createSession({ model, ...plain })
    using x = floatValue(ort, { shape: [1, 2], data: [1, 0] })
    await expect(session.run({ inputs: {}, outputs: { y: null } })).rejects.toMatchObject({
      code: 'runtime/missing-input',
      details: { name: 'x' },
    })
    await expect(session.run({ inputs: { x, z: x }, outputs: { y: null } })).rejects.toMatchObject({ code: 'runtime/unknown-value' })
    await expect(session.run({ inputs: { x }, outputs: { z: null } })).rejects.toMatchObject({ code: 'runtime/unknown-value' })
  })

  it('refuses a value of another runtime', async () => {
    const other = await openOrt({ kind: kind === 'c-api' ? 'node-binding' : 'c-api' })
    using session = await ort.createSession({ model, ...plain })
    using x = floatValue(other, { shape: [1, 2], data: [1, 0] })
    await expect(session.run({ inputs: { x }, outputs: { y: null } })).rejects.toMatchObject({ code: 'runtime/foreign-value' })
  })

  it.each([[[-1]], [[1.5]], [[2 ** 40, 2 ** 40]], [Array.from({ length: 33 }, () => 1)]])('refuses to allocate the shape %j', (shape) => {
    expect(() => ort.allocate({ dtype: 'F32', shape })).toThrow(expect.objectContaining({ code: 'runtime/bad-shape' }))
  })

  it('refuses to allocate more memory than there can be', () => {
    expect(() => ort.allocate({ dtype: 'F32', shape: [2 ** 50] })).toThrow(expect.objectContaining({ code: 'runtime/out-of-memory' }))
  })

  it('refuses disposed values and sessions, and disposes twice without harm', async () => {
    const session = await ort.createSession({ model, ...plain })
    const x = floatValue(ort, { shape: [1, 2], data: [1, 0] })
    x[Symbol.dispose]()
    x[Symbol.dispose]()
    await expect(session.run({ inputs: { x }, outputs: { y: null } })).rejects.toMatchObject({ code: 'runtime/disposed' })
    session[Symbol.dispose]()
    session[Symbol.dispose]()
    using fresh = floatValue(ort, { shape: [1, 2], data: [1, 0] })
    await expect(session.run({ inputs: { x: fresh }, outputs: { y: null } })).rejects.toMatchObject({ code: 'runtime/disposed' })
  })

  it('empties the bytes of a large value when it is disposed', () => {
    const value = ort.allocate({ dtype: 'F32', shape: [1 << 20] })
    expect(value.bytes.byteLength).toBe(4 << 20)
    value[Symbol.dispose]()
    expect(value.bytes.byteLength).toBe(0)
  })

  it('finishes a run whose session and values are disposed meanwhile', async () => {
    const session = await ort.createSession({ model, ...plain })
    const x = floatValue(ort, { shape: [1, 2], data: [10, 100] })
    const pending = session.run({ inputs: { x }, outputs: { y: null } })
    x[Symbol.dispose]()
    session[Symbol.dispose]()
    expect([...floatsOf((await pending)['y'])]).toEqual([310, 420])
  })
})

describe('an output of a type that cannot be exchanged', () => {
  const split = tinyOnnx({
    inputs: [{ name: 'x', type: 'F32', shape: [2] }],
    outputs: [
      { name: 'y', type: 'F32', shape: [2] },
      { name: 'wide', type: 'F64', shape: [2] },
    ],
    nodes: [
      { op: 'Neg', inputs: ['x'], outputs: ['y'] },
      { op: 'Cast', inputs: ['x'], outputs: ['wide'], attributes: { to: 11 } },
    ],
  })

  it.each(['c-api', 'node-binding'] as const)('is refused by the %s, and the rest of the graph can be used', async (kind) => {
    const ort = await openOrt({ kind })
    using session = await ort.createSession({ model: split, ...plain })
    using x = floatValue(ort, { shape: [2], data: [1, 2] })
    await expect(session.run({ inputs: { x }, outputs: { y: null, wide: null } })).rejects.toMatchObject({
      code: 'runtime/unsupported-dtype',
    })
    const { y } = await session.run({ inputs: { x }, outputs: { y: null } })
    expect([...floatsOf(y)]).toEqual([-1, -2])
  })
})

describe('BF16', () => {
  const cast = tinyOnnx({
    inputs: [{ name: 'x', type: 'BF16', shape: [2] }],
    outputs: [{ name: 'y', type: 'F32', shape: [2] }],
    nodes: [{ op: 'Cast', inputs: ['x'], outputs: ['y'], attributes: { to: 1 } }],
  })

  it('crosses the C API', async () => {
    const ort = await openOrt({ kind: 'c-api' })
    using session = await ort.createSession({ model: cast, ...plain })
    using x = ort.allocate({ dtype: 'BF16', shape: [2] })
    x.bytes.set([0x80, 0x3f, 0x20, 0xc0])
    const { y } = await session.run({ inputs: { x }, outputs: { y: null } })
    expect([...floatsOf(y)]).toEqual([1, -2.5])
  })

  it('is refused by the Node binding', async () => {
    const ort = await openOrt({ kind: 'node-binding' })
    expect(() => ort.allocate({ dtype: 'BF16', shape: [2] })).toThrow(expect.objectContaining({ code: 'runtime/unsupported-dtype' }))
  })
})
