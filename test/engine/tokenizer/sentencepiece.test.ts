// tokenizer.model: ids and texts against the golden file, and how the library behind it is kept in check.
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadChatTemplate } from '../../../engine/tokenizer/chat-template'
import { encodeChat } from '../../../engine/tokenizer/encode-chat'
import { loadTokenizer } from '../../../engine/tokenizer/load'
import { MAX_TEXT_CHARACTERS } from '../../../engine/tokenizer/input-text'
import { fixturePath, readGolden } from './golden'

const golden = readGolden()
const PLAIN = { addSpecial: false, parseSpecial: false }
let folder = ''
let count = 0

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenizer-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A model directory with the tiny vocabulary and a configuration. */
function modelDirectory(config: Readonly<Record<string, unknown>>): string {
  const directory = mkdtempSync(join(folder, `${count++}-`))
  copyFileSync(fixturePath('tiny.model'), join(directory, 'tokenizer.model'))
  writeFileSync(join(directory, 'config.json'), '{"model_type": "llama"}')
  writeFileSync(join(directory, 'tokenizer_config.json'), JSON.stringify(config))
  return directory
}

describe.each([
  { file: 'tiny.model', cases: golden.bpe, kind: 'sentencepiece-bpe' },
  { file: 'tiny-unigram.model', cases: golden.unigram, kind: 'sentencepiece-unigram' },
])('$file alone', ({ file, cases, kind }) => {
  it('gives the ids and decoded texts of the C++ library', async () => {
    const tokenizer = await loadTokenizer(fixturePath(file))
    expect(tokenizer.source).toEqual({ file: fixturePath(file), kind })
    for (const { text, ids, decoded } of cases.texts) {
      expect({ text, ids: tokenizer.encode(text, PLAIN) }).toEqual({ text, ids })
      expect(tokenizer.decode(ids, { skipSpecial: true })).toBe(decoded)
    }
    for (const { ids, decoded } of cases.ids)
      expect({ ids, decoded: tokenizer.decode(ids, { skipSpecial: true }) }).toEqual({ ids, decoded })
  })
})

describe.each(golden.transformers)('with a tokenizer_config.json: $name', ({ config, texts, chats }) => {
  it('gives the ids of Transformers, with and without special tokens', async () => {
    const tokenizer = await loadTokenizer(modelDirectory(config))
    const found = texts.map(({ text }) => ({
      text,
      ids: tokenizer.encode(text, { addSpecial: false, parseSpecial: true }),
      withSpecial: tokenizer.encode(text, { addSpecial: true, parseSpecial: true }),
    }))
    expect(found).toEqual(texts)
  })

  it('gives the prompts of apply_chat_template, without doubling the begin token', async () => {
    const directory = modelDirectory(config)
    const tokenizer = await loadTokenizer(directory)
    const template = await loadChatTemplate(directory, { tokenizer })
    expect(template.source).toBe('tokenizer_config.json')
    for (const { messages, addGenerationPrompt, text, ids } of chats) {
      expect(encodeChat({ tokenizer, template, messages, addGenerationPrompt })).toEqual({ text, ids })
    }
  })
})

describe('tokenizer.model', () => {
  it('leaves the handlers of the process as they were', async () => {
    const own = () => undefined
    process.on('unhandledRejection', own)
    const before = [process.listeners('uncaughtException'), process.listeners('unhandledRejection')]
    await Promise.all([loadTokenizer(fixturePath('tiny.model')), loadTokenizer(fixturePath('tiny-unigram.model'))])
    expect([process.listeners('uncaughtException'), process.listeners('unhandledRejection')]).toEqual(before)
    process.removeListener('unhandledRejection', own)
  })

  it('takes special tokens in a text as characters unless they are asked for', async () => {
    const tokenizer = await loadTokenizer(fixturePath('tiny.model'))
    expect(tokenizer.encode('<s>', { addSpecial: false, parseSpecial: true })).toEqual([1])
    expect(tokenizer.encode('<s>', PLAIN)).not.toContain(1)
  })

  it('shows special tokens or leaves them out', async () => {
    const tokenizer = await loadTokenizer(fixturePath('tiny.model'))
    const ids = [1, ...tokenizer.encode('a', PLAIN), 2]
    expect(tokenizer.decode(ids, { skipSpecial: true })).toBe('a')
    expect(tokenizer.decode(ids, { skipSpecial: false })).toBe('<s> a</s>')
    expect([tokenizer.isSpecial(1), tokenizer.isSpecial(300)]).toEqual([true, false])
  })

  it('adds the begin token when it stands alone', async () => {
    const tokenizer = await loadTokenizer(fixturePath('tiny.model'))
    expect(tokenizer.encode('', { addSpecial: true, parseSpecial: false })).toEqual([1])
  })

  it('counts lone surrogates as U+FFFD', async () => {
    const tokenizer = await loadTokenizer(fixturePath('tiny.model'))
    for (const text of ['a\ud800b', '\udc00', 'x\ud83d']) {
      expect(tokenizer.encode(text, PLAIN)).toEqual(tokenizer.encode(text.replace(/[\ud800-\udfff]/, '\ufffd'), PLAIN))
    }
  })

  it('gives nothing for an id outside the vocabulary, and refuses a number that is no id', async () => {
    const tokenizer = await loadTokenizer(fixturePath('tiny.model'))
    expect(tokenizer.decode([999_999], { skipSpecial: true })).toBe('')
    expect(tokenizer.piece(999_999)).toBeNull()
    for (const id of [-1, 1.5, Number.NaN]) {
      expect(() => tokenizer.decode([id], { skipSpecial: true })).toThrow(expect.objectContaining({ code: 'tokenizer/bad-id' }))
    }
  })

  it('tokenizes a word of 100,000 characters', async () => {
    const tokenizer = await loadTokenizer(fixturePath('tiny.model'))
    const word = 'ab'.repeat(50_000)
    expect(tokenizer.decode(tokenizer.encode(word, PLAIN), { skipSpecial: true })).toBe(word)
  })

  it('refuses a text beyond the limit', async () => {
    const tokenizer = await loadTokenizer(fixturePath('tiny.model'))
    expect(() => tokenizer.encode('a'.repeat(MAX_TEXT_CHARACTERS + 1), PLAIN)).toThrow(
      expect.objectContaining({ code: 'tokenizer/text-too-long' }),
    )
  })
})
