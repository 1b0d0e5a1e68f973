import { describe, expect, it } from 'vitest'
import { loadGenerationDefaults, parseGenerationDefaults } from '../../../engine/config/generation-config'
import { engineCode } from '../../support/engine-code'
import { temporaryFolder } from '../../support/temporary-folder'

const fallback = { bosTokenId: 1, eosTokenIds: [2], padTokenId: null }

describe('generation_config.json', () => {
  it('reads every default', () => {
    const json = {
      do_sample: true,
      temperature: 0.6,
      top_k: 50,
      top_p: 0.9,
      min_p: 0.05,
      repetition_penalty: 1.1,
      max_new_tokens: 512,
      eos_token_id: [128001, 128009],
      bos_token_id: 128000,
      pad_token_id: 128004,
    }
    expect(parseGenerationDefaults(json, { fallback })).toEqual({
      doSample: true,
      temperature: 0.6,
      topK: 50,
      topP: 0.9,
      minP: 0.05,
      repetitionPenalty: 1.1,
      maxNewTokens: 512,
      eosTokenIds: [128001, 128009],
      bosTokenId: 128000,
      padTokenId: 128004,
    })
  })

  it('takes the token ids of config.json where it is silent', () => {
    expect(parseGenerationDefaults({}, { fallback })).toMatchObject({ eosTokenIds: [2], bosTokenId: 1, temperature: null })
  })

  it('may be missing', async () => {
    using folder = temporaryFolder()
    expect(await loadGenerationDefaults(folder.path, { fallback })).toMatchObject({ eosTokenIds: [2], doSample: null })
  })

  it.each([
    ['not JSON', '{', 'bytes/invalid-json'],
    ['a list', '[]', 'config/not-an-object'],
    ['a temperature below zero', '{"temperature":-1}', 'config/out-of-range'],
    ['a top_p above one', '{"top_p":1.5}', 'config/out-of-range'],
    ['a top_k that is a fraction', '{"top_k":1.5}', 'config/wrong-type'],
    ['a penalty of zero', '{"repetition_penalty":0}', 'config/out-of-range'],
    ['a switch that is text', '{"do_sample":"yes"}', 'config/wrong-type'],
    ['an end token that is text', '{"eos_token_id":"</s>"}', 'config/wrong-type'],
  ])('is refused when it is %s', async (_, text, code) => {
    using folder = temporaryFolder()
    folder.write('generation_config.json', text)
    expect(await engineCode(() => loadGenerationDefaults(folder.path, { fallback }))).toBe(code)
  })
})
