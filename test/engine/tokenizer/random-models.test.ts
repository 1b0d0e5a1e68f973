// tokenizer.model trained with random options against the C++ library (fixtures/make_random_models.py): ids, texts, and streams that equal them.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadTokenizer } from '../../../engine/tokenizer/load'
import { fixturePath } from './golden'

interface ModelCase {
  readonly options: Readonly<Record<string, unknown>>
  readonly model: string
  readonly bosId: number
  readonly eosId: number
  readonly texts: readonly { readonly text: string; readonly ids: number[]; readonly decoded: string }[]
  readonly lists: readonly { readonly ids: number[]; readonly decoded: string }[]
}

function isCases(value: unknown): value is readonly ModelCase[] {
  return Array.isArray(value) && value.every((each: unknown) => typeof each === 'object' && each !== null && 'model' in each)
}

function readCases(): readonly ModelCase[] {
  const value: unknown = JSON.parse(readFileSync(fixturePath('random-models.json'), 'utf8'))
  if (!isCases(value)) throw new Error('random-models.json is not what make_random_models.py writes')
  return value
}

describe('loadTokenizer on SentencePiece models with random options', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'random-models-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it.each(readCases().map((each, index) => ({ index, algorithm: each.options['model_type'], each })))(
    'gives the ids and texts of the C++ library: model $index, $algorithm',
    async ({ index, algorithm, each }) => {
      const path = join(folder, `${index}.model`)
      writeFileSync(path, Buffer.from(each.model, 'base64'))
      const tokenizer = await loadTokenizer(path)
      expect(tokenizer.source.kind).toBe(`sentencepiece-${String(algorithm)}`)
      expect([tokenizer.bosTokenId ?? -1, tokenizer.eosTokenId ?? -1]).toEqual([each.bosId, each.eosId])
      for (const { text, ids, decoded } of each.texts) {
        const found = tokenizer.encode(text, { addSpecial: false, parseSpecial: false })
        expect({ text, ids: found }).toEqual({ text, ids })
        expect({ text, decoded: tokenizer.decode(found, { skipSpecial: true }) }).toEqual({ text, decoded })
      }
      for (const { ids, decoded } of each.lists) {
        expect({ ids, decoded: tokenizer.decode(ids, { skipSpecial: true }) }).toEqual({ ids, decoded })
        const decoder = tokenizer.streamDecoder({ skipSpecial: true })
        expect(ids.map((id) => decoder.push(id)).join('') + decoder.flush()).toBe(decoded)
      }
    },
  )
})
