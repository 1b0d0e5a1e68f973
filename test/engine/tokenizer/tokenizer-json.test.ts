// tokenizer.json: ids and texts against the golden file, streaming, and files that are broken or hostile.
import { copyFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MAX_VOCABULARY } from '../../../engine/tokenizer/json-vocabulary'
import { loadTokenizer } from '../../../engine/tokenizer/load'
import { MAX_TOKENIZER_JSON_BYTES } from '../../../engine/tokenizer/tokenizer-json'
import type { Tokenizer } from '../../../engine/tokenizer/types'
import { fixturePath, readGolden } from './golden'

const golden = readGolden()
let folder = ''
let count = 0

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenizer-json-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function modelDirectory(files: Readonly<Record<string, unknown>>): string {
  const directory = mkdtempSync(join(folder, `${count++}-`))
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(directory, name), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return directory
}

describe.each(golden.json)('$name', ({ tokenizer: file, config, texts, ids: lists }) => {
  const load = () => {
    const files = { 'tokenizer.json': file, 'config.json': { model_type: 'llama' } }
    return loadTokenizer(modelDirectory(config ? { ...files, 'tokenizer_config.json': config } : files))
  }

  it('gives the ids of the Rust library', async () => {
    const tokenizer = await load()
    const found = texts.map(({ text }) => ({
      text,
      ids: tokenizer.encode(text, { addSpecial: false, parseSpecial: true }),
      withSpecial: tokenizer.encode(text, { addSpecial: true, parseSpecial: true }),
    }))
    expect(found).toEqual(texts)
  })

  it('gives its texts, at once and streamed', async () => {
    const tokenizer = await load()
    for (const { ids, decoded, skipped } of lists) {
      expect({ ids, decoded: tokenizer.decode(ids, { skipSpecial: false }) }).toEqual({ ids, decoded })
      expect({ ids, skipped: tokenizer.decode(ids, { skipSpecial: true }) }).toEqual({ ids, skipped })
    }
    fc.assert(
      fc.property(fc.array(fc.nat(tokenizer.vocabSize), { maxLength: 30 }), fc.boolean(), (ids, skipSpecial) => {
        expect(stream(tokenizer, { ids, skipSpecial }).join('')).toBe(tokenizer.decode(ids, { skipSpecial }))
      }),
    )
  })
})

function stream(tokenizer: Tokenizer, options: { readonly ids: readonly number[]; readonly skipSpecial: boolean }): string[] {
  const decoder = tokenizer.streamDecoder({ skipSpecial: options.skipSpecial })
  const deltas = options.ids.map((id) => decoder.push(id))
  for (const delta of deltas) expect(delta).not.toMatch(/\p{Surrogate}/u)
  return [...deltas, decoder.flush()]
}

/** The smallest byte-level tokenizer: two letters and their pair. */
const minimal = {
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: null,
  model: { type: 'BPE', vocab: { a: 0, b: 1, ab: 2 }, merges: ['a b'] },
}
const token = (id: number, content: string) => ({
  id,
  content,
  special: true,
  normalized: false,
  lstrip: false,
  rstrip: false,
  single_word: false,
})
const model = (rest: Readonly<Record<string, unknown>>) => ({ ...minimal, model: { ...minimal.model, ...rest } })

describe('loadTokenizer with tokenizer.json', () => {
  it('prefers it to tokenizer.model, as Transformers does', async () => {
    const directory = modelDirectory({ 'tokenizer.json': minimal })
    copyFileSync(fixturePath('tiny.model'), join(directory, 'tokenizer.model'))
    expect((await loadTokenizer(directory)).source).toEqual({ file: join(directory, 'tokenizer.json'), kind: 'tokenizer-json' })
  })

  it('gives no ids for no text and no text for no ids', async () => {
    const tokenizer = await loadTokenizer(modelDirectory({ 'tokenizer.json': minimal }))
    expect(tokenizer.encode('', { addSpecial: true, parseSpecial: true })).toEqual([])
    expect(tokenizer.decode([], { skipSpecial: true })).toBe('')
    expect(tokenizer.encode('ab', { addSpecial: true, parseSpecial: true })).toEqual([2])
  })

  it('names begin and end from the configuration', async () => {
    const config = { bos_token: 'a', eos_token: { content: '<end>' } }
    const tokenizer = await loadTokenizer(modelDirectory({ 'tokenizer.json': minimal, 'tokenizer_config.json': config }))
    expect([tokenizer.bosTokenId, tokenizer.eosTokenId, tokenizer.vocabSize]).toEqual([0, 3, 4])
    expect(tokenizer.specialTokens).toEqual({ bos_token: 'a', eos_token: '<end>' })
  })

  it('keeps id and flags of a token that the file adds and the configuration names', async () => {
    const flags = { lstrip: false, rstrip: true, single_word: false, normalized: false }
    const file = { ...minimal, added_tokens: [token(3, '<s>'), { id: 4, content: '<end>', special: false, ...flags }] }
    const config = { eos_token: '<end>', additional_special_tokens: ['<new>'] }
    const tokenizer = await loadTokenizer(modelDirectory({ 'tokenizer.json': file, 'tokenizer_config.json': config }))
    expect([tokenizer.eosTokenId, tokenizer.isSpecial(4), tokenizer.piece(5), tokenizer.vocabSize]).toEqual([4, true, '<new>', 6])
    expect(tokenizer.encode('a<end> <new>b', { addSpecial: false, parseSpecial: true })).toEqual([0, 4, 5, 1])
  })

  it('takes the special tokens of a class where the configuration is silent', async () => {
    const file = { ...minimal, added_tokens: [token(3, '<|endoftext|>')] }
    const open = (config: unknown) => loadTokenizer(modelDirectory({ 'tokenizer.json': file, 'tokenizer_config.json': config }))
    expect((await open({ tokenizer_class: 'GPT2TokenizerFast' })).eosTokenId).toBe(3)
    expect((await open({ tokenizer_class: 'GPT2Tokenizer', eos_token: 'b' })).eosTokenId).toBe(1)
    expect((await open({ tokenizer_class: 'PreTrainedTokenizerFast' })).eosTokenId).toBeNull()
  })

  it('cuts and fills no text although the file says so for training', async () => {
    const padding = { strategy: { Fixed: 40 }, direction: 'Right', pad_to_multiple_of: null, pad_id: 0, pad_type_id: 0, pad_token: 'a' }
    const truncation = { direction: 'Right', max_length: 1, strategy: 'LongestFirst', stride: 0 }
    const tokenizer = await loadTokenizer(modelDirectory({ 'tokenizer.json': { ...minimal, padding, truncation } }))
    expect(tokenizer.encode('abab', { addSpecial: true, parseSpecial: true })).toEqual([2, 2])
  })

  it('tokenizes a word of 100,000 characters', async () => {
    const tokenizer = await loadTokenizer(modelDirectory({ 'tokenizer.json': minimal }))
    expect(tokenizer.encode('ab'.repeat(50_000), { addSpecial: false, parseSpecial: false })).toHaveLength(50_000)
  })

  it.each<[string, unknown, string]>([
    ['text that is no JSON', '{"model": ', 'bytes/invalid-json'],
    ['a key twice', '{"model": {}, "model": {}}', 'bytes/json-duplicate-key'],
    ['no object', '[]', 'tokenizer/corrupt-json'],
    ['no model', {}, 'tokenizer/corrupt-json'],
    ['no vocabulary', model({ vocab: undefined }), 'tokenizer/corrupt-json'],
    ['an id twice', model({ vocab: { a: 0, b: 0 } }), 'tokenizer/duplicate-id'],
    ['an id that is no whole number', model({ vocab: { a: 0, b: 1.5, ab: 2 } }), 'tokenizer/corrupt-json'],
    ['an id beyond the limit', model({ vocab: { a: 0, b: MAX_VOCABULARY, ab: 2 } }), 'tokenizer/limit-exceeded'],
    ['a merge of three', model({ merges: ['a b c'] }), 'tokenizer/corrupt-json'],
    ['a merge into nothing', model({ merges: [['b', 'a']] }), 'tokenizer/corrupt-json'],
    ['no merges', model({ merges: null }), 'tokenizer/corrupt-json'],
    ['a model of another kind', model({ type: 'Magic' }), 'tokenizer/unsupported'],
    ['a piece without a score', { ...minimal, model: { type: 'Unigram', unk_id: 0, vocab: [['a']] } }, 'tokenizer/corrupt-json'],
    ['an unknown normalizer', { ...minimal, normalizer: { type: 'Magic' } }, 'tokenizer/unsupported'],
    [
      'an unknown pre-tokenizer',
      { ...minimal, pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Magic' }] } },
      'tokenizer/unsupported',
    ],
    ['an unknown decoder', { ...minimal, decoder: { type: 'Magic' } }, 'tokenizer/unsupported'],
    ['an unknown post-processor', { ...minimal, post_processor: { type: 'Magic' } }, 'tokenizer/unsupported'],
    [
      'a template without its token',
      { ...minimal, post_processor: { type: 'TemplateProcessing', single: [{ SpecialToken: { id: 'x' } }], special_tokens: {} } },
      'tokenizer/corrupt-json',
    ],
    [
      'an expression that does not compile',
      { ...minimal, pre_tokenizer: { type: 'Split', pattern: { Regex: '[z-a]' }, behavior: 'Isolated' } },
      'tokenizer/corrupt-json',
    ],
    ['an added token without an id', { ...minimal, added_tokens: [{ content: 'x' }] }, 'tokenizer/corrupt-json'],
    [
      'two added tokens with one id',
      {
        ...minimal,
        added_tokens: [
          { id: 9, content: 'x' },
          { id: 9, content: 'y' },
        ],
      },
      'tokenizer/duplicate-id',
    ],
  ])('refuses %s', async (_, file, code) => {
    await expect(loadTokenizer(modelDirectory({ 'tokenizer.json': file }))).rejects.toMatchObject({ code })
  })

  it.each<[string, unknown]>([
    ['no object', []],
    ['a token that is a number', { bos_token: 7 }],
    ['a list that is none', { additional_special_tokens: 'x' }],
    ['an id that is a word', { added_tokens_decoder: { one: { content: 'x' } } }],
    ['an added token without content', { added_tokens_decoder: { 5: {} } }],
  ])('refuses a tokenizer_config.json with %s', async (_, config) => {
    const files = { 'tokenizer.json': minimal, 'tokenizer_config.json': config }
    await expect(loadTokenizer(modelDirectory(files))).rejects.toMatchObject({ code: 'tokenizer/corrupt-config' })
  })

  it('refuses a file beyond the limit', async () => {
    const directory = modelDirectory({ 'tokenizer.json': '{' })
    truncateSync(join(directory, 'tokenizer.json'), MAX_TOKENIZER_JSON_BYTES + 1)
    await expect(loadTokenizer(directory)).rejects.toMatchObject({ code: 'bytes/file-too-large' })
  })
})
