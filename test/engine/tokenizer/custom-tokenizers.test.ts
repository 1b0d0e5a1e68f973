// Tokenizers written in Python, run in the sandbox: ids and texts as real CPython with Transformers 5.18, sentencepiece 0.2 and tiktoken gives them (test/fixtures/make_custom_tokenizers.py).
import { cpSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findCustomCode, loadTokenizer } from '../../../engine/tokenizer/load'
import { temporaryFolder } from '../../support/temporary-folder'

const fixtures = resolve(import.meta.dirname, '../../fixtures/custom-tokenizers')

interface Expected {
  readonly bos: number | null
  readonly eos: number | null
  readonly cases: readonly {
    readonly text: string
    readonly ids: readonly number[]
    readonly special: readonly number[]
    readonly decoded: string
    readonly skipped: string
  }[]
}

/** Each id is a request of its own. */
const STREAMED = new Set(['  two  spaces  ', '河流穿过古老的桥。石头', '😀👩‍👩‍👧 🇩🇪'])

async function trusted(name: string) {
  const directory = resolve(fixtures, name)
  const code = await findCustomCode(directory)
  return await loadTokenizer(directory, { trustedCode: [code?.hash ?? ''] })
}

// The first start on a machine makes the interpreter's snapshot, which takes its time where others work too.
describe('custom tokenizers', { timeout: 180_000 }, () => {
  it.each(['bridge', 'stone', 'river', 'moon'])('%s gives the ids and texts of real CPython', async (name) => {
    const tokenizer = await trusted(name)
    const expected: Expected = JSON.parse(readFileSync(resolve(fixtures, name, 'expected.json'), 'utf8')) as Expected
    expect([tokenizer.bosTokenId, tokenizer.eosTokenId]).toEqual([expected.bos, expected.eos])
    for (const { text, ids, special, decoded, skipped } of expected.cases) {
      expect(tokenizer.encode(text, { addSpecial: false, parseSpecial: true })).toEqual(ids)
      expect(tokenizer.encode(text, { addSpecial: true, parseSpecial: true })).toEqual(special)
      expect(tokenizer.decode(ids, { skipSpecial: false })).toBe(decoded)
      expect(tokenizer.decode(special, { skipSpecial: true })).toBe(skipped)
      if (!STREAMED.has(text)) continue
      const stream = tokenizer.streamDecoder({ skipSpecial: false })
      expect([...ids.map(stream.push), stream.flush()].join('')).toBe(decoded)
    }
    tokenizer[Symbol.dispose]?.()
  })
})

describe('consent', () => {
  const stone = resolve(fixtures, 'stone')

  it('runs nothing that nobody agreed to, and names what is to be agreed to', async () => {
    const code = await findCustomCode(stone)
    expect(code?.sources.map(({ name }) => name)).toEqual(['configuration_stone.py', 'tokenization_stone.py'])
    await expect(loadTokenizer(stone)).rejects.toMatchObject({
      code: 'tokenizer/custom-code-needs-consent',
      details: {
        className: 'tokenization_stone.StoneTokenizer',
        files: ['configuration_stone.py', 'tokenization_stone.py'],
        hash: code?.hash,
      },
    })
    await expect(loadTokenizer(stone, { trustedCode: ['0'.repeat(64)] })).rejects.toMatchObject({
      code: 'tokenizer/custom-code-needs-consent',
    })
  })

  it('asks again when any of the files, or the class, is another one', async () => {
    using folder = temporaryFolder()
    cpSync(stone, folder.path, { recursive: true })
    const hashOf = async () => (await findCustomCode(folder.path))?.hash
    const first = await hashOf()
    expect(first).toBe((await findCustomCode(stone))?.hash)
    folder.write('configuration_stone.py', 'DEFAULT_PREFIX = False\n')
    const second = await hashOf()
    expect(second).not.toBe(first)
    folder.write('tokenizer_config.json', JSON.stringify({ auto_map: { AutoTokenizer: ['tokenization_stone.Other', null] } }))
    expect(await hashOf()).not.toBe(second)
  })

  it('needs none where another file says the same', async () => {
    using folder = temporaryFolder()
    cpSync(stone, folder.path, { recursive: true })
    folder.write('tokenizer.json', '{}')
    expect(await findCustomCode(folder.path)).toBeNull()
    using known = temporaryFolder()
    cpSync(stone, known.path, { recursive: true })
    known.write('config.json', '{"model_type":"internlm2"}')
    expect(await findCustomCode(known.path)).toBeNull()
  })

  it("fetches no other repository's code and follows no path out of the folder", async () => {
    using folder = temporaryFolder()
    folder.write('tokenizer_config.json', '{"auto_map":{"AutoTokenizer":["other/repo--tokenization_x.X",null]}}')
    expect(await findCustomCode(folder.path)).toBeNull()
    folder.write('tokenizer_config.json', '{"auto_map":{"AutoTokenizer":["../x.X",null]}}')
    expect(await findCustomCode(folder.path)).toBeNull()
    folder.write('tokenizer_config.json', '{"auto_map":{"AutoTokenizer":["x.X",null]}}')
    await expect(findCustomCode(folder.path)).rejects.toMatchObject({ code: 'tokenizer/custom-code-missing' })
    folder.write('x.py', 'from .y import z\n')
    await expect(findCustomCode(folder.path)).rejects.toMatchObject({ code: 'tokenizer/custom-code-missing', details: { file: 'y.py' } })
    folder.write('x.py', Array.from({ length: 20 }, (_, index) => `from .m${index} import z\n`).join(''))
    for (let index = 0; index < 20; index++) folder.write(`m${index}.py`, '')
    await expect(findCustomCode(folder.path)).rejects.toMatchObject({ code: 'tokenizer/limit-exceeded' })
    folder.write('x.py', '#'.repeat(1024 * 1024 + 1))
    await expect(findCustomCode(folder.path)).rejects.toMatchObject({ code: 'bytes/file-too-large' })
  })
})
