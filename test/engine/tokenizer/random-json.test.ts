// tokenizer.json of random parts against the Rust library (fixtures/make_random_json.py): ids, texts, and streams that equal them.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../engine/bytes/json'
import { createJsonTokenizer } from '../../../engine/tokenizer/tokenizer-json'
import { fixturePath } from './golden'

interface RandomCase {
  readonly seed: number
  readonly file: JsonObject
  readonly texts: readonly { readonly text: string; readonly ids: number[]; readonly withSpecial: number[] }[]
  readonly lists: readonly { readonly ids: number[]; readonly decoded: string; readonly skipped: string }[]
}

function isCases(value: unknown): value is readonly RandomCase[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((each: unknown) => typeof each === 'object' && each !== null && 'file' in each && 'texts' in each)
  )
}

function readCases(): readonly RandomCase[] {
  const value: unknown = JSON.parse(readFileSync(fixturePath('random-json.json'), 'utf8'))
  if (!isCases(value)) throw new Error('random-json.json is not what make_random_json.py writes')
  return value
}

const open = (file: JsonObject) => createJsonTokenizer(file, { path: 'tokenizer.json', config: null, kind: 'tokenizer-json' })

describe('createJsonTokenizer on random files', () => {
  const cases = readCases()

  it('gives the ids of the Rust library', () => {
    for (const { seed, file, texts } of cases) {
      const tokenizer = open(file)
      const found = texts.map(({ text }) => ({
        text,
        ids: tokenizer.encode(text, { addSpecial: false, parseSpecial: true }),
        withSpecial: tokenizer.encode(text, { addSpecial: true, parseSpecial: true }),
      }))
      expect({ seed, found }).toEqual({ seed, found: texts })
    }
  })

  it('gives its texts, at once and streamed', () => {
    for (const { seed, file, lists } of cases) {
      const tokenizer = open(file)
      for (const { ids, decoded, skipped } of lists) {
        expect({ seed, ids, text: tokenizer.decode(ids, { skipSpecial: false }) }).toEqual({ seed, ids, text: decoded })
        expect({ seed, ids, text: tokenizer.decode(ids, { skipSpecial: true }) }).toEqual({ seed, ids, text: skipped })
        const decoder = tokenizer.streamDecoder({ skipSpecial: false })
        expect(ids.map((id) => decoder.push(id)).join('') + decoder.flush()).toBe(decoded)
      }
    }
  })
})

describe('createJsonTokenizer', () => {
  const wordLevel = (vocab: Readonly<Record<string, number>>): JsonObject => ({ type: 'WordLevel', vocab, unk_token: 'u' })

  it('reads scores as the library does, rounded twice', () => {
    // Read exactly, these scores would prefer "00" "0".
    const vocab = [
      ['u', -20],
      ['a', -0.6684867720947212],
      ['0', -10.992832181303891],
      ['00', -0.39265463963130953],
    ]
    const tokenizer = open({ model: { type: 'Unigram', unk_id: 0, vocab } })
    expect(tokenizer.encode('a000', { addSpecial: false, parseSpecial: false })).toEqual([1, 2, 3])
  })

  it('says that the token for unknown characters does not exist', () => {
    const file = { model: { type: 'BPE', vocab: { a: 0 }, merges: [], unk_token: '<unk>' } }
    expect(open(file).encode('aa', { addSpecial: false, parseSpecial: false })).toEqual([0, 0])
    expect(() => open(file).encode('ab', { addSpecial: false, parseSpecial: false })).toThrow(
      expect.objectContaining({ code: 'tokenizer/segmentation-failed' }),
    )
  })

  it('refuses a template behind another one that leaves more than two parts', () => {
    const special = { id: 's', ids: [1], tokens: ['s'] }
    const template = {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: 's', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: 's', type_id: 0 } }],
      pair: [],
      special_tokens: { s: special },
    }
    const tokenizer = open({
      model: wordLevel({ u: 0, s: 1 }),
      post_processor: { type: 'Sequence', processors: [template, template] },
    })
    expect(() => tokenizer.encode('u', { addSpecial: true, parseSpecial: false })).toThrow(
      expect.objectContaining({ code: 'tokenizer/segmentation-failed' }),
    )
    expect(
      open({ model: wordLevel({ u: 0, s: 1 }), post_processor: template }).encode('u', { addSpecial: true, parseSpecial: false }),
    ).toEqual([1, 0, 1])
  })
})
