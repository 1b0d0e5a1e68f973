// Every family against Transformers: logits in one pass and in parts, greedy ids over the KV cache. Fixtures: test/fixtures/make_models.py.
import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { greedyIds, loadModelFolder, logitsInParts, maxDifference, readGolden, standardDeviation } from './golden-model'

const fixtures = resolve(import.meta.dirname, '../../fixtures/models')
const families = readdirSync(fixtures).filter((name) => name.startsWith('family-'))

/** Relative to the spread of the logits, in float32. */
const TOLERANCE = 1e-4
/** Smaller than every window and prompt of the fixtures, so that parts begin inside of windows. */
const PART_TOKENS = 3

test.each(families)('%s has the logits and greedy ids of Transformers', async (name) => {
  const directory = resolve(fixtures, name)
  const golden = await readGolden(directory)
  using model = await loadModelFolder(directory)
  expect(model.notes).toEqual([])
  using cache = model.createCache({ capacityTokens: golden.inputIds.length + golden.greedyIds.length })
  const whole = await model.forward({ ids: golden.inputIds, cache, logits: 'all' })
  const spread = standardDeviation(golden.logits)
  expect(maxDifference(whole, golden.logits) / spread).toBeLessThan(TOLERANCE)
  expect(maxDifference(await logitsInParts(model, golden.inputIds, PART_TOKENS), golden.logits) / spread).toBeLessThan(TOLERANCE)
  cache.truncate(0)
  expect(await greedyIds(model, { cache, promptIds: golden.inputIds, count: golden.greedyIds.length })).toEqual(golden.greedyIds)
})
