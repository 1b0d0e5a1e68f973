// What a reply is sampled with when nobody says otherwise.
import { describe, expect, it } from 'vitest'
import { parseGenerationDefaults } from '../../../engine/config/generation-config'
import { defaultSampling } from '../../../engine/generate/default-sampling'

const defaults = (json: Readonly<Record<string, number | boolean>>): ReturnType<typeof defaultSampling> =>
  defaultSampling(parseGenerationDefaults({ ...json }, { fallback: { bosTokenId: null, eosTokenIds: [], padTokenId: null } }))

describe('defaultSampling', () => {
  it('is ours where the author is silent', () => {
    expect(defaults({})).toEqual({
      temperature: 0.7,
      topK: 40,
      topP: 0.95,
      minP: 0,
      repetitionPenalty: 1,
      seed: null,
      maxNewTokens: null,
      stop: [],
    })
  })

  it("takes the author's values", () => {
    const author = { do_sample: true, temperature: 0.6, top_k: 20, top_p: 0.9, min_p: 0.05, repetition_penalty: 1.1, max_new_tokens: 99 }
    expect(defaults(author)).toMatchObject({ temperature: 0.6, topK: 20, topP: 0.9, minP: 0.05, repetitionPenalty: 1.1, maxNewTokens: 99 })
  })

  it('is greedy where the author switches sampling off, whatever the temperature says', () => {
    expect(defaults({ do_sample: false, temperature: 0.6 }).temperature).toBe(0)
  })
})
