// Replies that cross the original length of longrope: the sequence is computed anew there, as in Transformers without a cache. Fixture: test/fixtures/make_models.py.
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { generate } from '../../../engine/generate/generate'
import type { GenerationModel } from '../../../engine/generate/generate-options'
import { createSequence, type Sequence } from '../../../engine/generate/sequence'
import type { SamplingSettings } from '../../../engine/generate/types'
import type { DecoderModel } from '../../../engine/runtime/model-types'
import { loadModelFolder, readGolden } from '../runtime/golden-model'

const directory = resolve(import.meta.dirname, '../../fixtures/models/rope-longrope-crossing')
const settings: SamplingSettings = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  seed: null,
  maxNewTokens: 24,
  stop: [],
}

function idModel(decoder: DecoderModel): GenerationModel {
  return {
    decoder,
    createStreamDecoder: () => ({ push: (id) => `${id} `, flush: () => '' }),
    stopIds: new Set(),
    stopStrings: [],
    contextLength: 128,
  }
}

async function reply(
  decoder: DecoderModel,
  options: { readonly promptIds: readonly number[]; readonly sequence: Sequence },
): Promise<{ readonly ids: readonly number[]; readonly cachedTokens: number }> {
  for await (const event of generate({ model: idModel(decoder), ...options, settings })) {
    if (event.type === 'finished') return { ids: event.ids, cachedTokens: event.stats.cachedTokens }
  }
  throw new Error('no finished event')
}

test('a reply that crosses the original length has the greedy ids of Transformers without a cache', async () => {
  const { inputIds, greedyIds } = await readGolden(directory)
  using decoder = await loadModelFolder(directory)
  expect(decoder.rotationSwitchTokens).toBe(32)
  using sequence = createSequence(decoder, { capacityTokens: 128 })
  expect((await reply(decoder, { promptIds: inputIds, sequence })).ids).toEqual(greedyIds)

  // The same prompt is short again: keys of the long rotation are not reused, and the reply is the same.
  expect(await reply(decoder, { promptIds: inputIds, sequence })).toEqual({ ids: greedyIds, cachedTokens: 0 })

  // A longer prompt on the same side goes on from the cache as a fresh sequence would.
  const longer = [...inputIds, ...greedyIds.slice(0, 16)]
  using fresh = createSequence(decoder, { capacityTokens: 128 })
  const again = await reply(decoder, { promptIds: longer, sequence })
  expect(again.cachedTokens).toBe(longer.length - 1)
  expect(again.ids).toEqual((await reply(decoder, { promptIds: longer, sequence: fresh })).ids)
})
