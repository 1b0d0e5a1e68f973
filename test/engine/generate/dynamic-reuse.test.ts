// Reuse of a beginning with `dynamic` rotation: beyond the trained length a reply is that of a fresh sequence. Fixture: test/fixtures/make_models.py.
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { createSequence } from '../../../engine/generate/sequence'
import { loadModelFolder, maxDifference, readGolden } from '../runtime/golden-model'

const directory = resolve(import.meta.dirname, '../../fixtures/models/rope-dynamic')
/** `max_position_embeddings` of the fixture. */
const TRAINED_TOKENS = 64

test('up to the trained length keys are reused, beyond it nothing is', async () => {
  const { inputIds } = await readGolden(directory)
  using decoder = await loadModelFolder(directory)
  expect(decoder.rotationStretchTokens).toBe(TRAINED_TOKENS)
  using sequence = createSequence(decoder, { capacityTokens: 128 })
  const logitsOf = async (promptIds: readonly number[]): Promise<{ readonly kept: number; readonly logits: Float32Array }> => {
    const kept = sequence.reuse(promptIds)
    const options = { ids: promptIds.slice(kept), logits: 'last', sequenceTokens: promptIds.length } as const
    return { kept, logits: await sequence.append(decoder, options) }
  }
  const freshLogits = async (promptIds: readonly number[]): Promise<Float32Array> => {
    using cache = decoder.createCache({ capacityTokens: 128 })
    return await decoder.forward({ ids: promptIds, cache, logits: 'last' })
  }
  for (const [length, kept] of [
    [40, 0],
    [60, 40],
    [70, 0],
    [72, 0],
    [30, 0],
    [31, 30],
  ] as const) {
    const promptIds = inputIds.slice(0, length)
    const got = await logitsOf(promptIds)
    expect(got.kept).toBe(kept)
    expect(maxDifference(got.logits, await freshLogits(promptIds))).toBeLessThan(1e-5)
  }
})
