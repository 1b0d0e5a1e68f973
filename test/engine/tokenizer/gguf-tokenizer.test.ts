// GGUF vocabularies against the libraries they were made from (fixtures/make_gguf.py), and files that are broken.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readGgufHeader } from '../../../engine/checkpoint/gguf/header'
import type { GgufValue } from '../../../engine/checkpoint/gguf/values'
import { ggufEndTokenIds, loadGgufTokenizer } from '../../../engine/tokenizer/gguf/gguf-tokenizer'
import { ggufPreTokenizer } from '../../../engine/tokenizer/gguf/patterns'
import { expressionPattern } from '../../../engine/tokenizer/pipeline/pattern'
import { fixturePath } from './golden'

interface Case {
  readonly text: string
  readonly ids: readonly number[]
  readonly decoded: string
}

function isGolden(value: unknown): value is Readonly<Record<string, readonly Case[]>> {
  return typeof value === 'object' && value !== null && 'llama' in value
}

const read: unknown = JSON.parse(readFileSync(fixturePath('gguf/golden.json'), 'utf8'))
const golden = isGolden(read) ? read : {}

async function load(name: string, changes: ReadonlyMap<string, GgufValue | null> = new Map()) {
  const path = fixturePath(`gguf/${name}.gguf`)
  const metadata = new Map((await readGgufHeader(path)).metadata)
  for (const [key, value] of changes) {
    if (value) metadata.set(key, value)
    else metadata.delete(key)
  }
  return await loadGgufTokenizer(metadata, { path })
}

const text = (value: string): GgufValue => ({ type: 'string', value })

describe.each(Object.keys(golden))('a GGUF vocabulary, %s', (name) => {
  it('gives the ids and texts of the library it came from', async () => {
    const tokenizer = await load(name)
    const cases = golden[name] ?? []
    const found = cases.map((each) => {
      const ids = tokenizer.encode(each.text, { addSpecial: false, parseSpecial: name !== 'llama' && name !== 't5' })
      return { text: each.text, ids, decoded: tokenizer.decode(each.ids, { skipSpecial: false }) }
    })
    // The unknown piece shows as its name; the library alone writes a mark for it.
    const expected = cases.map((each) => ({
      ...each,
      decoded: name === 't5' ? each.decoded.replaceAll(' \u2047 ', '<unk>') : each.decoded,
    }))
    expect(found).toEqual(expected)
  })

  it('streams what it decodes at once', async () => {
    const tokenizer = await load(name)
    fc.assert(
      fc.property(fc.array(fc.nat(tokenizer.vocabSize), { maxLength: 30 }), fc.boolean(), (ids, skipSpecial) => {
        const decoder = tokenizer.streamDecoder({ skipSpecial })
        const deltas = [...ids.map((id) => decoder.push(id)), decoder.flush()]
        expect(deltas.join('')).toBe(tokenizer.decode(ids, { skipSpecial }))
      }),
    )
  })
})

describe('loadGgufTokenizer', () => {
  it('puts begin and end where the metadata asks for them', async () => {
    const ids = async (name: string, changes: [string, GgufValue | null][] = []) =>
      (await load(name, new Map(changes))).encode('a', { addSpecial: true, parseSpecial: true })
    const plain = (await load('llama')).encode('a', { addSpecial: false, parseSpecial: true })
    expect(await ids('llama')).toEqual([1, ...plain])
    expect(await ids('llama', [['tokenizer.ggml.add_bos_token', { type: 'bool', value: false }]])).toEqual(plain)
    expect(await ids('llama', [['tokenizer.ggml.add_eos_token', { type: 'bool', value: true }]])).toEqual([1, ...plain, 2])
    expect((await ids('bert'))[0]).toBe(2)
    expect((await ids('bert')).at(-1)).toBe(3)
    // Llama 3's rule brings the begin token along.
    expect((await ids('llama-bpe'))[0]).toBe(300)
    expect((await ids('qwen2'))[0]).not.toBe(300)
  })

  it('puts a space before every text that follows a special token, unless told not to', async () => {
    const tokenizer = await load('llama')
    const word = tokenizer.encode('Hello', { addSpecial: false, parseSpecial: true })
    expect(tokenizer.encode('<s>Hello', { addSpecial: false, parseSpecial: true })).toEqual([1, ...word])
    const bare = await load('llama', new Map([['tokenizer.ggml.add_space_prefix', { type: 'bool', value: false } as const]]))
    expect(bare.encode(' Hello', { addSpecial: false, parseSpecial: true })).toEqual(word)
    expect(bare.decode(word, { skipSpecial: true })).toBe(' Hello')
  })

  it('names special tokens and knows what ends a turn', async () => {
    const tokenizer = await load('qwen2')
    expect(tokenizer.specialTokens).toMatchObject({ bos_token: '<|im_start|>', eos_token: '<|im_end|>' })
    expect([tokenizer.isSpecial(301), tokenizer.isSpecial(10), tokenizer.vocabSize]).toEqual([true, false, 302])
    const path = fixturePath('gguf/qwen2.gguf')
    expect(await ggufEndTokenIds((await readGgufHeader(path)).metadata, { path })).toEqual([301])
  })

  it.each<[string, string, [string, GgufValue | null], string]>([
    ['no model', 'llama', ['tokenizer.ggml.model', null], 'tokenizer/missing'],
    ['RWKV', 'llama', ['tokenizer.ggml.model', text('rwkv')], 'tokenizer/unsupported'],
    ['a pre-tokenizer nobody knows', 'qwen2', ['tokenizer.ggml.pre', text('constructor')], 'tokenizer/unsupported'],
    ['no tokens', 'qwen2', ['tokenizer.ggml.tokens', null], 'tokenizer/corrupt-gguf'],
    ['tokens that are a text', 'qwen2', ['tokenizer.ggml.tokens', text('a')], 'tokenizer/corrupt-gguf'],
    ['no merges', 'qwen2', ['tokenizer.ggml.merges', null], 'tokenizer/corrupt-gguf'],
    ['no scores', 'llama', ['tokenizer.ggml.scores', null], 'tokenizer/corrupt-gguf'],
  ])('refuses %s', async (_, name, change, code) => {
    await expect(load(name, new Map([change]))).rejects.toMatchObject({ code })
  })

  it('compiles the expressions of every rule', () => {
    const names =
      'default llama-bpe qwen2 qwen35 minicpm5 laguna ufakzeka gpt-2 starcoder falcon tekken gpt-4o tiny_aya kimi-k2 deepseek-llm deepseek-coder deepseek-v3 spark2_5 bloom viking superbpe bailingmoe seed-coder exaone-moe chameleon gemma4 sarvam-moe'
    for (const name of names.split(' ')) {
      const expressions = ggufPreTokenizer(name)?.expressions ?? []
      expect(expressions.length).toBeGreaterThan(0)
      for (const expression of expressions) {
        const sample = "Don't STOP 12345 漢字\n\n  x"
        const stretches = expressionPattern(expression, '')(sample)
        expect(stretches.map(({ start, end }) => sample.slice(start, end)).join('')).toBe(sample)
      }
    }
  })
})
