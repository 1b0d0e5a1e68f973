// The KV cache under a decoder: chunks, growth, truncation, turns, cancelling.
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { LoadedDecoder } from '../../../engine/runtime/decoder-model'
import { grownCapacity } from '../../../engine/runtime/kv-cache'
import { loadModelFolder, maxDifference } from './golden-model'

const directory = resolve(import.meta.dirname, '../../fixtures/models/bf16')
const dynamic = resolve(import.meta.dirname, '../../fixtures/models/rope-dynamic')
/** Sums are taken in another order for other chunk sizes; the logits' spread is about 1. */
const NEARLY_EQUAL = 1e-5

const prompt = (length: number): readonly number[] => Array.from({ length }, (_, index) => 3 + ((index * 7 + (index >> 3)) % 61))

async function lastLogits(model: LoadedDecoder, ids: readonly number[]): Promise<Float32Array> {
  using cache = model.createCache({ capacityTokens: 1024 })
  return await model.forward({ ids, cache, logits: 'last' })
}

describe.each(['c-api', 'node-binding'] as const)('through the %s', (runtime) => {
  test('one-shot prefill, chunked prefill and one token at a time agree', async () => {
    const ids = prompt(75)
    using chunked = await loadModelFolder(directory, { runtime, prefillChunkTokens: 16 })
    using oneShot = await loadModelFolder(directory, { runtime, prefillChunkTokens: Infinity })
    using cache = chunked.createCache({ capacityTokens: 80 })
    using oneShotCache = oneShot.createCache({ capacityTokens: 80 })
    const expected = await oneShot.forward({ ids, cache: oneShotCache, logits: 'all' })
    const actual = await chunked.forward({ ids, cache, logits: 'all' })
    expect(maxDifference(actual, expected)).toBeLessThan(NEARLY_EQUAL)
    cache.truncate(0)
    const { vocabSize } = chunked.config
    for (const [index, id] of ids.entries()) {
      const logits = await chunked.forward({ ids: [id], cache, logits: 'last' })
      expect(maxDifference(logits, expected.subarray(index * vocabSize, (index + 1) * vocabSize))).toBeLessThan(NEARLY_EQUAL)
    }
  })

  test('a pass without logits returns none and still fills the cache', async () => {
    const ids = prompt(40)
    using model = await loadModelFolder(directory, { runtime, prefillChunkTokens: 16 })
    using cache = model.createCache({ capacityTokens: 64 })
    expect(await model.forward({ ids: ids.slice(0, 39), cache, logits: 'none' })).toHaveLength(0)
    expect(cache.lengthTokens).toBe(39)
    const logits = await model.forward({ ids: ids.slice(39), cache, logits: 'last' })
    expect(maxDifference(logits, await lastLogits(model, ids))).toBeLessThan(NEARLY_EQUAL)
  })

  test('continuing after truncation equals a fresh sequence', async () => {
    using model = await loadModelFolder(directory, { runtime })
    using cache = model.createCache({ capacityTokens: 128 })
    await model.forward({ ids: prompt(60), cache, logits: 'none' })
    cache.truncate(25)
    const tail = [9, 8, 7, 6]
    const logits = await model.forward({ ids: tail, cache, logits: 'last' })
    expect(cache.lengthTokens).toBe(29)
    expect(maxDifference(logits, await lastLogits(model, [...prompt(25), ...tail]))).toBeLessThan(NEARLY_EQUAL)
  })

  test('growing in steps keeps what the cache holds', async () => {
    const ids = prompt(700)
    using model = await loadModelFolder(directory, { runtime })
    using cache = model.createCache({ capacityTokens: 1024 })
    expect(cache.sizeBytes).toBe(0)
    await model.forward({ ids: ids.slice(0, 10), cache, logits: 'none' })
    const first = cache.sizeBytes
    // 2 layers x key and value x 1 head x 256 tokens x 16 dimensions x 4 bytes.
    expect(first).toBe(2 * 2 * 256 * 16 * 4)
    for (let start = 10; start < 699; start += 53) {
      await model.forward({ ids: ids.slice(start, Math.min(start + 53, 699)), cache, logits: 'none' })
    }
    expect(cache.sizeBytes).toBeGreaterThan(first)
    const logits = await model.forward({ ids: ids.slice(699), cache, logits: 'last' })
    expect(maxDifference(logits, await lastLogits(model, ids))).toBeLessThan(NEARLY_EQUAL)
  })

  test('a prompt that comes in parts gets its room at once', async () => {
    const ids = prompt(600)
    using model = await loadModelFolder(directory, { runtime })
    using cache = model.createCache({ capacityTokens: 2048 })
    await model.forward({ ids: ids.slice(0, 100), cache, logits: 'none', sequenceTokens: ids.length })
    const { sizeBytes } = cache
    await model.forward({ ids: ids.slice(100), cache, logits: 'none', sequenceTokens: ids.length })
    expect(cache.sizeBytes).toBe(sizeBytes)
    using small = model.createCache({ capacityTokens: 128 })
    await model.forward({ ids: ids.slice(0, 100), cache: small, logits: 'none', sequenceTokens: ids.length })
    expect(small.lengthTokens).toBe(100)
  })

  test('two sequences of one model do not disturb each other, even side by side', async () => {
    using model = await loadModelFolder(directory, { runtime })
    using a = model.createCache({ capacityTokens: 64 })
    using b = model.createCache({ capacityTokens: 64 })
    const [first, second] = [prompt(30), prompt(50).toReversed()]
    const [fromA, fromB] = await Promise.all([
      model.forward({ ids: first, cache: a, logits: 'last' }),
      model.forward({ ids: second, cache: b, logits: 'last' }),
    ])
    expect(maxDifference(fromA, await lastLogits(model, first))).toBeLessThan(NEARLY_EQUAL)
    expect(maxDifference(fromB, await lastLogits(model, second))).toBeLessThan(NEARLY_EQUAL)
  })

  test('frequencies that follow the length are those of the whole prompt when it is fed in parts', async () => {
    const ids = prompt(90)
    using model = await loadModelFolder(dynamic, { runtime, prefillChunkTokens: 16 })
    using cache = model.createCache({ capacityTokens: 128 })
    await model.forward({ ids: ids.slice(0, 50), cache, logits: 'none', sequenceTokens: 90 })
    const logits = await model.forward({ ids: ids.slice(50), cache, logits: 'last', sequenceTokens: 90 })
    const expected = await lastLogits(model, ids)
    expect(maxDifference(logits, expected)).toBeLessThan(NEARLY_EQUAL)
    cache.truncate(0)
    await model.forward({ ids: ids.slice(0, 50), cache, logits: 'none' })
    const unaware = await model.forward({ ids: ids.slice(50), cache, logits: 'last' })
    expect(maxDifference(unaware, expected)).toBeGreaterThan(1e-3)
  })

  test('a cancelled prefill keeps the length and the contents of the cache', async () => {
    using model = await loadModelFolder(directory, { runtime, prefillChunkTokens: 8 })
    using cache = model.createCache({ capacityTokens: 1024 })
    await model.forward({ ids: prompt(20), cache, logits: 'none' })
    const controller = new AbortController()
    const pass = model.forward({ ids: prompt(900), cache, logits: 'last', signal: controller.signal })
    setTimeout(() => controller.abort(), 5)
    await expect(pass).rejects.toMatchObject({ code: 'runtime/aborted' })
    expect(cache.lengthTokens).toBe(20)
    const logits = await model.forward({ ids: [5], cache, logits: 'last' })
    expect(maxDifference(logits, await lastLogits(model, [...prompt(20), 5]))).toBeLessThan(NEARLY_EQUAL)
  })

  test('an aborted signal stops a pass before it starts', async () => {
    using model = await loadModelFolder(directory, { runtime })
    using cache = model.createCache({ capacityTokens: 64 })
    const pass = model.forward({ ids: [5], cache, logits: 'last', signal: AbortSignal.abort() })
    await expect(pass).rejects.toMatchObject({ code: 'runtime/aborted' })
    expect(cache.lengthTokens).toBe(0)
  })

  test('refuses what does not fit, with codes', async () => {
    using model = await loadModelFolder(directory, { runtime })
    using cache = model.createCache({ capacityTokens: 16 })
    await expect(model.forward({ ids: prompt(17), cache, logits: 'last' })).rejects.toMatchObject({
      code: 'runtime/context-overflow',
      details: { neededTokens: 17, contextLength: 16 },
    })
    for (const id of [64, -1, 1.5, NaN]) {
      await expect(model.forward({ ids: [id], cache, logits: 'last' })).rejects.toMatchObject({ code: 'runtime/token-out-of-range' })
    }
    await expect(model.forward({ ids: [], cache, logits: 'last' })).rejects.toMatchObject({ code: 'runtime/empty-input' })
    expect(() => cache.truncate(1)).toThrow(expect.objectContaining({ code: 'runtime/cache-length' }))
    await model.forward({ ids: prompt(16), cache, logits: 'last' })
    await expect(model.forward({ ids: [5], cache, logits: 'last' })).rejects.toMatchObject({ code: 'runtime/context-overflow' })
  })

  test('a disposed model or cache is refused', async () => {
    const model = await loadModelFolder(directory, { runtime })
    const cache = model.createCache({ capacityTokens: 16 })
    cache[Symbol.dispose]()
    await expect(model.forward({ ids: [5], cache, logits: 'last' })).rejects.toMatchObject({ code: 'runtime/disposed' })
    using other = model.createCache({ capacityTokens: 16 })
    const running = model.forward({ ids: [5], cache: other, logits: 'last' })
    model[Symbol.dispose]()
    model[Symbol.dispose]()
    await expect(running).resolves.toHaveLength(64)
    await expect(model.forward({ ids: [5], cache: other, logits: 'last' })).rejects.toMatchObject({ code: 'runtime/disposed' })
  })
})

test('room grows in whole steps, by half at least, up to the limit', () => {
  expect(grownCapacity({ presentTokens: 0, neededTokens: 1, limitTokens: 131_072 })).toBe(256)
  expect(grownCapacity({ presentTokens: 0, neededTokens: 1, limitTokens: 100 })).toBe(100)
  expect(grownCapacity({ presentTokens: 1024, neededTokens: 1025, limitTokens: 131_072 })).toBe(1536)
  expect(grownCapacity({ presentTokens: 256, neededTokens: 4000, limitTokens: 131_072 })).toBe(4096)
  expect(grownCapacity({ presentTokens: 100_000, neededTokens: 100_001, limitTokens: 131_072 })).toBe(131_072)
})
