// Ids and decoded texts of the reference data's tokenizers, all of them.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { loadTokenizer } from '../../../engine/tokenizer/load'
import { hasReference, referencePath } from '../../support/reference'

interface Case {
  readonly text: string
  readonly ids: readonly number[]
  readonly decoded: string
}

function isCaseFile(value: unknown): value is { readonly cases: readonly Case[] } {
  return typeof value === 'object' && value !== null && 'cases' in value && Array.isArray(value.cases)
}

describe.skipIf(!hasReference)('reference tokenizers', () => {
  it.each(['llama-2', 'sentencepiece-unigram', 'gpt-2', 'minimind'])(
    '%s gives the ids and the decoded text of all 255 cases',
    async (name) => {
      const tokenizer = await loadTokenizer(referencePath('tokenizers', name))
      const file: unknown = JSON.parse(readFileSync(referencePath('tokenizers', name, 'expected.json'), 'utf8'))
      if (!isCaseFile(file)) throw new Error('expected.json has no cases')
      expect(file.cases).toHaveLength(255)
      const found = file.cases.map(({ text }) => {
        const ids = tokenizer.encode(text, { addSpecial: false, parseSpecial: tokenizer.parsesSpecialByDefault })
        return { text, ids, decoded: tokenizer.decode(ids, { skipSpecial: false }) }
      })
      expect(found).toEqual(file.cases)
    },
  )
})
