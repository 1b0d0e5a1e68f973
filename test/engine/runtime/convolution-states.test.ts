// Short convolutions over a cache: going back to an earlier length, a stopped pass, and the sequence's reuse of a beginning. Model: test/fixtures/make_models.py.
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { createSequence } from '../../../engine/generate/sequence'
import type { LoadedDecoder } from '../../../engine/runtime/decoder-model'
import type { KvCache } from '../../../engine/runtime/model-types'
import { loadModelFolder, maxDifference, readGolden, standardDeviation } from './golden-model'

const directory = resolve(import.meta.dirname, '../../fixtures/models/family-lfm2')
const golden = await readGolden(directory)
const ids = [...golden.inputIds, ...golden.greedyIds]

async function logitsOf(model: LoadedDecoder, all: readonly number[], cache: KvCache): Promise<Float32Array> {
  return await model.forward({ ids: all.slice(cache.lengthTokens), cache, logits: 'last' })
}

test('a cache goes back to every length, at most to the beginning of the part it lies in', async () => {
  using model = await loadModelFolder(directory)
  const spread = standardDeviation(golden.logits)
  for (let length = ids.length - 1; length > 0; length -= 3) {
    using cache = model.createCache({ capacityTokens: ids.length })
    await model.forward({ ids: ids.slice(0, 8), cache, logits: 'none' })
    await model.forward({ ids: ids.slice(8, 20), cache, logits: 'none' })
    for (const id of ids.slice(20)) await model.forward({ ids: [id], cache, logits: 'none' })
    cache.truncate(length)
    expect(cache.lengthTokens).toBeLessThanOrEqual(length)
    expect(cache.lengthTokens).toBe(length > ids.length - 16 ? length : length >= 20 ? 20 : length >= 8 ? 8 : 0)
    using fresh = model.createCache({ capacityTokens: ids.length })
    const expected = await logitsOf(model, ids.slice(0, length + 1), fresh)
    expect(maxDifference(await logitsOf(model, ids.slice(0, length + 1), cache), expected) / spread).toBeLessThan(1e-4)
  }
})

test('a pass that was stopped between its runs leaves the states as they were', async () => {
  using model = await loadModelFolder(directory, { prefillChunkTokens: 2 })
  using cache = model.createCache({ capacityTokens: ids.length })
  await model.forward({ ids: ids.slice(0, 5), cache, logits: 'none' })
  const stop = new AbortController()
  const stopped = model.forward({ ids: ids.slice(5, 30), cache, logits: 'last', signal: stop.signal })
  setImmediate(() => {
    stop.abort()
  })
  await stopped.catch(() => undefined)
  if (cache.lengthTokens > 5) cache.truncate(5)
  using fresh = model.createCache({ capacityTokens: ids.length })
  const expected = await logitsOf(model, ids.slice(0, 12), fresh)
  expect(maxDifference(await logitsOf(model, ids.slice(0, 12), cache), expected)).toBeLessThan(1e-5)
})

test('a sequence feeds again what its cache could not keep', async () => {
  using model = await loadModelFolder(directory)
  using sequence = createSequence(model, { capacityTokens: 64 })
  await sequence.append(model, { ids: ids.slice(0, 20), logits: 'none' })
  const other = [...ids.slice(0, 12), 7, 9]
  expect(sequence.reuse(other)).toBe(0)
  const reused = await sequence.append(model, { ids: other, logits: 'last' })
  using fresh = model.createCache({ capacityTokens: 64 })
  expect(maxDifference(reused, await logitsOf(model, other, fresh))).toBe(0)
})
