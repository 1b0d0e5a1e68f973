// Direct forward passes over the length where longrope changes its rotation: always the logits of one pass over the whole sequence. Fixture: test/fixtures/make_models.py.
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import type { LoadedDecoder } from '../../../engine/runtime/decoder-model'
import { greedyIds, loadModelFolder, maxDifference, readGolden } from './golden-model'

const directory = resolve(import.meta.dirname, '../../fixtures/models/rope-longrope-crossing')
/** `original_max_position_embeddings` of the fixture. */
const SWITCH_TOKENS = 32

async function sequenceIds(): Promise<readonly number[]> {
  const { inputIds, greedyIds: reply } = await readGolden(directory)
  return [...inputIds, ...reply]
}

/** Logits of the last position of one pass over `ids`. */
async function lastLogits(model: LoadedDecoder, ids: readonly number[]): Promise<Float32Array> {
  using cache = model.createCache({ capacityTokens: ids.length })
  return await model.forward({ ids, cache, logits: 'last' })
}

test('greedy ids over one cache are those of Transformers without a cache', async () => {
  const golden = await readGolden(directory)
  using model = await loadModelFolder(directory)
  using cache = model.createCache({ capacityTokens: 64 })
  expect(await greedyIds(model, { cache, promptIds: golden.inputIds, count: golden.greedyIds.length })).toEqual(golden.greedyIds)
})

test('a pass that crosses the length, and one after cutting back, see the keys of their own side', async () => {
  const ids = await sequenceIds()
  using model = await loadModelFolder(directory)
  using cache = model.createCache({ capacityTokens: 64 })
  await model.forward({ ids: ids.slice(0, 30), cache, logits: 'none' })
  const crossing = await model.forward({ ids: ids.slice(30, 40), cache, logits: 'all' })
  using whole = model.createCache({ capacityTokens: 64 })
  const expected = await model.forward({ ids: ids.slice(0, 40), cache: whole, logits: 'all' })
  expect(maxDifference(crossing, expected.subarray(30 * model.config.vocabSize))).toBeLessThan(1e-5)

  cache.truncate(20)
  const back = await model.forward({ ids: ids.slice(20, SWITCH_TOKENS), cache, logits: 'last' })
  expect(maxDifference(back, await lastLogits(model, ids.slice(0, SWITCH_TOKENS)))).toBeLessThan(1e-5)
})

test('a pass that fails while it computes the past anew leaves a cache that goes on rightly', async () => {
  const ids = await sequenceIds()
  using model = await loadModelFolder(directory, { prefillChunkTokens: 8 })
  using cache = model.createCache({ capacityTokens: 64 })
  await model.forward({ ids: ids.slice(0, 30), cache, logits: 'none' })
  await expect(model.forward({ ids: ids.slice(30, 40), cache, logits: 'last', signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'runtime/aborted',
  })
  expect(cache.lengthTokens).toBe(30)
  const next = await model.forward({ ids: ids.slice(30, 31), cache, logits: 'last' })
  expect(maxDifference(next, await lastLogits(model, ids.slice(0, 31)))).toBeLessThan(1e-5)
})
