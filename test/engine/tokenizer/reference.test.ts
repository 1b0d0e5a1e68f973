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

/** Special tokens in a text are recognised in a tokenizer.json and are plain text in a tokenizer.model, as the two libraries do it. */
const TOKENIZERS = [
  { name: 'llama-2', parseSpecial: false },
  { name: 'sentencepiece-unigram', parseSpecial: false },
]

describe.skipIf(!hasReference)('reference tokenizers', () => {
  it.each(TOKENIZERS)('$name gives the ids and the decoded text of all 255 cases', async ({ name, parseSpecial }) => {
    const tokenizer = await loadTokenizer(referencePath('tokenizers', name))
    const file: unknown = JSON.parse(readFileSync(referencePath('tokenizers', name, 'expected.json'), 'utf8'))
    if (!isCaseFile(file)) throw new Error('expected.json has no cases')
    expect(file.cases).toHaveLength(255)
    const found = file.cases.map(({ text }) => {
      const ids = tokenizer.encode(text, { addSpecial: false, parseSpecial })
      return { text, ids, decoded: tokenizer.decode(ids, { skipSpecial: true }) }
    })
    expect(found).toEqual(file.cases)
  })
})
