// The prepared cache: made once, verified, taken over from a killed process, shared by many, cleared and kept small.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clearPrepared, listPrepared, preparedBytes } from '../../../engine/prepared/cache'
import type { PlacedEntry, PreparedRequest } from '../../../engine/prepared/types'
import { quantizeRows } from '../../../engine/tensor/nbits/quantize'
import { bundle, type Bundle } from '../../main/support/bundle'
import { safetensorsFile } from '../../support/safetensors-writer'
import { openSmallDisk } from '../../support/small-disk'
import { temporaryFolder } from '../../support/temporary-folder'
import { COLUMNS, prepareFile, requestsOf, ROWS, valuesOf, weightFile } from './some-weights'

let built: Bundle
beforeAll(async () => {
  built = await bundle({ 'killed-preparation': 'test/engine/prepared/killed-preparation.ts' })
})
afterAll(() => built[Symbol.dispose]())

const SHAPE = { rows: ROWS, columns: COLUMNS }

function partsOf(path: string, { codes, scales, zeroPoints }: PlacedEntry) {
  const file = readFileSync(path)
  const cut = (range: PlacedEntry['scales']): Uint8Array =>
    range === null ? new Uint8Array() : new Uint8Array(file.subarray(range.offsetBytes, range.offsetBytes + range.sizeBytes))
  return { codes: cut(codes), scales: new Float32Array(cut(scales).buffer), zeroPoints: cut(zeroPoints) }
}

function expectQuantized(path: string, placed: readonly PlacedEntry[], valuesFor: (index: number) => Float32Array = valuesOf): void {
  for (const [index, entry] of placed.entries()) {
    if (entry.form.kind === 'f32') continue
    const { brokenBlocks: _, ...expected } = quantizeRows(valuesFor(index), { shape: SHAPE, format: entry.form.format })
    expect(partsOf(path, entry)).toEqual(expected)
  }
}

describe('preparing weights', () => {
  it('writes what the oracle computes, at aligned places, and nothing else stays in the folder', async () => {
    using folder = temporaryFolder()
    const source = folder.write('a.safetensors', weightFile(3))
    const cache = join(folder.path, 'cache')
    const { path, placed } = await prepareFile(source, { folder: cache, requests: requestsOf(3) })
    expectQuantized(path, placed)
    for (const { codes, scales, zeroPoints } of placed) {
      expect(codes.offsetBytes % 4096).toBe(0)
      expect((scales?.offsetBytes ?? 1) % 64).toBe(0)
      expect((zeroPoints?.offsetBytes ?? 1) % 64).toBe(0)
    }
    expect(readdirSync(cache)).toHaveLength(1)
    expect(await listPrepared(cache)).toMatchObject([{ model: 'test', format: 'q4' }])
  })

  it('uses the file again, and another one once the source has changed', async () => {
    using folder = temporaryFolder()
    const source = folder.write('a.safetensors', weightFile(2))
    const cache = join(folder.path, 'cache')
    const { path } = await prepareFile(source, { folder: cache, requests: requestsOf(2) })
    const before = statSync(path).ino
    let progress = 0
    expect((await prepareFile(source, { folder: cache, requests: requestsOf(2), onProgress: () => progress++ })).path).toBe(path)
    expect(statSync(path).ino).toBe(before)
    expect(progress).toBe(0)

    const bytes = readFileSync(source)
    bytes[bytes.length - 1] = 0x3d
    writeFileSync(source, bytes)
    expect((await prepareFile(source, { folder: cache, requests: requestsOf(2) })).path).not.toBe(path)
  })

  it('takes transposed matrices, parts of tensors, 8 bits and values that have to be decoded', async () => {
    using folder = temporaryFolder()
    const values = valuesOf(0)
    const transposed = Float32Array.from({ length: values.length }, (_, i) => values[(i % ROWS) * COLUMNS + Math.floor(i / ROWS)] ?? 0)
    const twice = new Float32Array(2 * values.length)
    twice.set(values, values.length)
    const source = folder.write(
      'a.safetensors',
      safetensorsFile([
        { name: 'transposed', dtype: 'F32', shape: [COLUMNS, ROWS], bytes: new Uint8Array(transposed.buffer) },
        { name: 'experts', dtype: 'F32', shape: [2, ROWS, COLUMNS], bytes: new Uint8Array(twice.buffer) },
        { name: 'wide', dtype: 'F64', shape: [ROWS, COLUMNS], bytes: new Uint8Array(Float64Array.from(values).buffer) },
      ]),
    )
    const form = { kind: 'nbits', format: { bits: 8, blockSize: 16, symmetric: true } } as const
    const from = (tensor: string, layout: 'in-out' | 'out-in', offsetElements: number): PreparedRequest => ({
      name: tensor,
      source: { tensor, shape: SHAPE, layout, offsetElements },
      form,
    })
    const requests = [
      from('transposed', 'in-out', 0),
      from('experts', 'out-in', values.length),
      from('wide', 'out-in', 0),
      { ...from('wide', 'out-in', 0), name: 'plain', form: { kind: 'f32' } as const },
    ]
    const { path, placed } = await prepareFile(source, { folder: join(folder.path, 'cache'), requests })
    expectQuantized(path, placed, () => values)
    const plain = placed.at(-1)
    expect(plain && new Float32Array(partsOf(path, plain).codes.buffer)).toEqual(values)
  })

  it('refuses values that are no numbers, by the tensor', async () => {
    using folder = temporaryFolder()
    const values = valuesOf(0)
    values[100] = Number.NaN
    const source = folder.write(
      'a.safetensors',
      safetensorsFile([{ name: 'w0', dtype: 'F32', shape: [ROWS, COLUMNS], bytes: new Uint8Array(values.buffer) }]),
    )
    const cache = join(folder.path, 'cache')
    await expect(prepareFile(source, { folder: cache, requests: requestsOf(1) })).rejects.toMatchObject({
      code: 'prepared/not-finite',
      details: { tensor: 'w0' },
    })
    expect(await listPrepared(cache)).toEqual([])
  })

  it('is given up on abort and goes on from there', async () => {
    using folder = temporaryFolder()
    const source = folder.write('a.safetensors', weightFile(6))
    const cache = join(folder.path, 'cache')
    const controller = new AbortController()
    await expect(
      prepareFile(source, { folder: cache, requests: requestsOf(6), signal: controller.signal, onProgress: () => controller.abort() }),
    ).rejects.toMatchObject({ code: 'runtime/aborted' })
    const { path, placed } = await prepareFile(source, { folder: cache, requests: requestsOf(6) })
    expectQuantized(path, placed)
  })
})

describe('a killed preparation', () => {
  const BYTES_EACH = (ROWS * 96 * 4) / 8

  function killAfter(source: string, cache: string, matrices: number): void {
    const { signal } = spawnSync(process.execPath, [built.file('killed-preparation'), source, cache, '6', String(matrices * BYTES_EACH)])
    expect(signal).toBe('SIGKILL')
  }

  it('leaves no complete file; the next one takes over what it wrote', async () => {
    using folder = temporaryFolder()
    const source = folder.write('a.safetensors', weightFile(6))
    const cache = join(folder.path, 'cache')
    killAfter(source, cache, 4)
    expect(readdirSync(cache).some((name) => name.endsWith('.prepared'))).toBe(false)
    const journal = readdirSync(cache).find((name) => name.endsWith('.journal')) ?? ''
    expect(readFileSync(join(cache, journal), 'utf8').split('\n').length - 2).toBe(3)
    const { path, placed } = await prepareFile(source, { folder: cache, requests: requestsOf(6) })
    expectQuantized(path, placed)
    expect(readdirSync(cache)).toHaveLength(1)
  })

  it('whose bytes were damaged is written again', async () => {
    using folder = temporaryFolder()
    const source = folder.write('a.safetensors', weightFile(6))
    const cache = join(folder.path, 'cache')
    killAfter(source, cache, 4)
    const partial = join(cache, readdirSync(cache).find((name) => name.endsWith('.partial')) ?? '')
    writeFileSync(partial, readFileSync(partial).fill(0xee))
    const { path, placed } = await prepareFile(source, { folder: cache, requests: requestsOf(6) })
    expectQuantized(path, placed)
  })
})

describe('several at once', () => {
  it('in one process and in others end with one whole file', async () => {
    using folder = temporaryFolder()
    const source = folder.write('a.safetensors', weightFile(6))
    const cache = join(folder.path, 'cache')
    const others = [1, 2].map(
      () =>
        new Promise((done) => spawn(process.execPath, [built.file('killed-preparation'), source, cache, '6', 'Infinity']).on('exit', done)),
    )
    const mine = await Promise.all([1, 2, 3].map(() => prepareFile(source, { folder: cache, requests: requestsOf(6) })))
    expect(await Promise.all(others)).toEqual([0, 0])
    for (const { path, placed } of mine) expectQuantized(path, placed)
    expect(readdirSync(cache)).toHaveLength(1)
  })
})

describe('the size of the cache', () => {
  it('is kept by dropping the longest unused files, never those of the last minutes', async () => {
    using folder = temporaryFolder()
    const cache = join(folder.path, 'cache')
    const made = []
    for (const count of [1, 2, 3]) {
      const source = folder.write(`${count}.safetensors`, weightFile(count))
      made.push((await prepareFile(source, { folder: cache, requests: requestsOf(count) })).path)
    }
    const [oldest = '', old = '', young = ''] = made
    utimesSync(oldest, 1, 1)
    utimesSync(old, 2, 2)
    const source = folder.write('4.safetensors', weightFile(4))
    const { path } = await prepareFile(source, { folder: cache, requests: requestsOf(4), maxBytes: 1 })
    expect([oldest, old, young, path].map((file) => existsSync(file))).toEqual([false, false, true, true])
    expect(await preparedBytes(cache)).toBeGreaterThan(0)
    expect(await clearPrepared(cache)).toBeGreaterThan(0)
    expect(readdirSync(cache)).toEqual([])
    expect(await preparedBytes(join(folder.path, 'nowhere'))).toBe(0)
  })

  it('leaves files of others alone', async () => {
    using folder = temporaryFolder()
    folder.write('cache/notes.txt', 'mine')
    await clearPrepared(join(folder.path, 'cache'))
    expect(readdirSync(join(folder.path, 'cache'))).toEqual(['notes.txt'])
  })
})

const probe = openSmallDisk(1024 * 1024)
probe?.[Symbol.dispose]()

describe.skipIf(probe === null)('on a full disk', () => {
  it('says how much is missing and leaves nothing behind', async () => {
    using folder = temporaryFolder()
    using disk = openSmallDisk(1024 * 1024)
    const source = folder.write('a.safetensors', weightFile(2))
    const cache = join(disk?.folder ?? '', 'cache')
    await expect(prepareFile(source, { folder: cache, requests: requestsOf(2) })).rejects.toMatchObject({ code: 'prepared/disk-full' })
    expect(readdirSync(cache)).toEqual([])
  })
})
