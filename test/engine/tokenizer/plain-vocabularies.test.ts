// Vocabularies from before tokenizer.json: the same ids as the tokenizer.json they spell out, which file of a folder wins, and broken files.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bytesOfToken } from '../../../engine/tokenizer/byte-level'
import { loadTokenizer } from '../../../engine/tokenizer/load'
import { readGolden } from './golden'

let folder = ''
let count = 0
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'plain-vocabularies-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function modelDirectory(files: Readonly<Record<string, unknown>>): string {
  const directory = mkdtempSync(join(folder, `${count++}-`))
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(directory, name), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return directory
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new Error('not an object')
  return Object.fromEntries(Object.entries(value))
}

const byteLevel = readGolden().json.find(({ name }) => name === 'byte level')
const model = record(byteLevel?.tokenizer['model'])
const vocab = record(model['vocab'])
const pairs: readonly unknown[] = Array.isArray(model['merges']) ? model['merges'] : []
const merges = `#version: 0.2\n${pairs.map((pair) => (Array.isArray(pair) ? pair.join(' ') : String(pair))).join('\n')}\n`
/** The vocabulary as tiktoken ranks; the ids change with the order. */
const inOrder = Object.keys(vocab).sort((a, b) => Number(vocab[a]) - Number(vocab[b]))
const ranks = inOrder.map((token, rank) => `${Buffer.from(bytesOfToken(token)).toString('base64')} ${rank}\n`).join('')

describe('vocab.json with merges.txt', () => {
  it('gives the ids of the same vocabulary in tokenizer.json', async () => {
    const tokenizer = await loadTokenizer(modelDirectory({ 'vocab.json': vocab, 'merges.txt': merges }))
    expect(tokenizer.source.kind).toBe('vocab-merges')
    for (const { text, ids } of byteLevel?.texts ?? []) {
      expect({ text, ids: tokenizer.encode(text, { addSpecial: false, parseSpecial: true }) }).toEqual({ text, ids })
    }
  })

  it('cuts and composes as Qwen2Tokenizer does where the configuration names it', async () => {
    const config = { tokenizer_class: 'Qwen2Tokenizer' }
    const tokenizer = await loadTokenizer(modelDirectory({ 'vocab.json': vocab, 'merges.txt': merges, 'tokenizer_config.json': config }))
    const encode = (text: string) => tokenizer.encode(text, { addSpecial: false, parseSpecial: true })
    expect(encode('e\u0301')).toEqual(encode('\u00e9'))
    expect(encode('10')).toEqual([...encode('1'), ...encode('0')])
  })
})

describe('vocab.txt', () => {
  it('gives the words of BERT between its marks', async () => {
    const lines = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'the', 'weight', '##s', '.']
    const tokenizer = await loadTokenizer(modelDirectory({ 'vocab.txt': `${lines.join('\n')}\n` }))
    expect(tokenizer.encode('The W\u00e9ights.', { addSpecial: true, parseSpecial: true })).toEqual([2, 4, 5, 6, 7, 3])
    expect(tokenizer.decode([4, 5, 6, 7], { skipSpecial: true })).toBe('the weights.')
  })
})

describe("tiktoken's ranks", () => {
  it('are read from a tokenizer.model that is a text, with the tokens of Llama 3 behind them', async () => {
    const tokenizer = await loadTokenizer(modelDirectory({ 'tokenizer.model': ranks }))
    expect(tokenizer.source.kind).toBe('tiktoken')
    const text = 'The weights of a model 123'
    const ids = tokenizer.encode(text, { addSpecial: false, parseSpecial: true })
    expect(tokenizer.decode(ids, { skipSpecial: false })).toBe(text)
    expect(tokenizer.encode('<|eot_id|>', { addSpecial: true, parseSpecial: true })).toEqual([inOrder.length, inOrder.length + 9])
  })

  it('are those of Qwen in a *.tiktoken', async () => {
    const tokenizer = await loadTokenizer(modelDirectory({ 'qwen.tiktoken': ranks }))
    expect(tokenizer.encode('<|im_end|>', { addSpecial: true, parseSpecial: true })).toEqual([inOrder.length + 2])
  })

  it.each([
    ['a rank out of order', 'IQ== 0\nIg== 2\n'],
    ['a line that is none', 'IQ== 0\nwhat\n'],
    ['a token twice', 'IQ== 0\nIQ== 1\n'],
  ])('refuses %s', async (_, text) => {
    await expect(loadTokenizer(modelDirectory({ 'tokenizer.model': text }))).rejects.toMatchObject({ code: 'tokenizer/corrupt-ranks' })
  })
})

describe('a hostile tokenizer.json', () => {
  const base = { added_tokens: [], model: { type: 'BPE', vocab: { a: 0, b: 1 }, merges: [] } }
  const encode = async (file: unknown, text: string) =>
    (await loadTokenizer(modelDirectory({ 'tokenizer.json': file }))).encode(text, { addSpecial: false, parseSpecial: true })
  const times = (step: unknown, number: number) => ({ type: 'Sequence', normalizers: Array.from({ length: number }, () => step) })
  const doubled = { type: 'Replace', pattern: { String: 'a' }, content: 'a'.repeat(500) }

  it.each<[string, unknown, string, string]>([
    [
      'an expression that backtracks without end',
      { ...base, pre_tokenizer: { type: 'Split', pattern: { Regex: '^(a+)+$' }, behavior: 'Isolated' } },
      `${'a'.repeat(60)}b`,
      'tokenizer/too-slow',
    ],
    [
      'such an expression in a normalizer',
      { ...base, normalizer: { type: 'Replace', pattern: { Regex: '(a|a)*b' }, content: '' } },
      'a'.repeat(60),
      'tokenizer/too-slow',
    ],
    ['replacements that multiply a text again and again', { ...base, normalizer: times(doubled, 60) }, 'a', 'tokenizer/limit-exceeded'],
    ['a sequence without end', { ...base, normalizer: times(doubled, 5000) }, 'b', 'tokenizer/limit-exceeded'],
    [
      'ten megabytes of added tokens',
      { ...base, added_tokens: Array.from({ length: 3000 }, (_, id) => ({ id: id + 2, content: `${id}${'x'.repeat(3400)}` })) },
      'a',
      'tokenizer/limit-exceeded',
    ],
    [
      'an added token as long as a book',
      { ...base, added_tokens: [{ id: 2, content: 'x'.repeat(5000) }] },
      'a',
      'tokenizer/limit-exceeded',
    ],
    [
      'a character map that claims more than it has',
      { ...base, normalizer: { type: 'Precompiled', precompiled_charsmap: Buffer.from([255, 255, 255, 0, 1]).toString('base64') } },
      'a',
      'tokenizer/corrupt-json',
    ],
    [
      'a huge character map',
      { ...base, normalizer: { type: 'Precompiled', precompiled_charsmap: 'A'.repeat(24 * 1024 * 1024) } },
      'a',
      'tokenizer/limit-exceeded',
    ],
    [
      'an expression longer than any',
      { ...base, pre_tokenizer: { type: 'Split', pattern: { Regex: 'a'.repeat(30_000) }, behavior: 'Isolated' } },
      'a',
      'tokenizer/limit-exceeded',
    ],
    ['a sparse id', { ...base, model: { ...base.model, vocab: { a: 0, b: 2 ** 31 } } }, 'a', 'tokenizer/limit-exceeded'],
  ])('ends %s with a code within two seconds', async (_, file, text, code) => {
    const startMs = performance.now()
    await expect(encode(file, text)).rejects.toMatchObject({ code })
    // Room for a busy machine; alone it is below two seconds.
    expect(performance.now() - startMs).toBeLessThan(6000)
  })

  it('keeps __proto__ and constructor as ordinary tokens', async () => {
    const file = `{"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0,"__proto__":1,"constructor":2}},"pre_tokenizer":{"type":"WhitespaceSplit"}}`
    expect(await encode(file, '__proto__ constructor toString')).toEqual([1, 2, 0])
  })

  it('strips as often as a file asks, at no cost', async () => {
    const decoder = { type: 'Strip', content: 'a', start: Number.MAX_SAFE_INTEGER, stop: Number.MAX_SAFE_INTEGER }
    const tokenizer = await loadTokenizer(modelDirectory({ 'tokenizer.json': { ...base, decoder } }))
    expect(tokenizer.decode([0, 1, 0], { skipSpecial: true })).toBe('b')
  })
})
