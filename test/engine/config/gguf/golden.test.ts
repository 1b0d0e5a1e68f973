// GGUF decoders of every supported architecture against the golden logits and greedy ids of Transformers.
import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { openCheckpoint } from '../../../../engine/checkpoint/open'
import { openDecoder } from '../../../../engine/generate/open-decoder'
import { greedyIds, maxDifference, standardDeviation } from '../../runtime/golden-model'

const folder = resolve(import.meta.dirname, '../../../fixtures/gguf')
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.gguf'))
  .map((name) => name.slice(0, -'.gguf'.length))

/** Relative to the spread of the logits, in float32 (docs/decisions: numeric tolerances). */
const TOLERANCE = 1e-4

test.each(names)('%s has the logits and greedy ids of Transformers', async (name) => {
  using golden = await openCheckpoint(resolve(folder, `${name}.golden.safetensors`))
  const numbers = async (tensor: string): Promise<number[]> =>
    Array.from(new BigInt64Array((await golden.read(tensor)).slice().buffer), Number)
  const [ids, expected] = [await numbers('input_ids'), await numbers('greedy_ids')]
  const logits = new Float32Array((await golden.read('logits')).slice().buffer)
  using model = (await openDecoder(resolve(folder, `${name}.gguf`))).decoder
  expect(model.notes).toEqual([])
  using cache = model.createCache({ capacityTokens: ids.length + expected.length })
  const found = await model.forward({ ids, cache, logits: 'all' })
  expect(maxDifference(found, logits) / standardDeviation(logits)).toBeLessThan(TOLERANCE)
  cache.truncate(0)
  expect(await greedyIds(model, { cache, promptIds: ids, count: expected.length })).toEqual(expected)
})
