// Sampling options of `weightroom run` on the built-in model: forms that hold, seeds that repeat, log-probabilities.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { weightroom } from './run-command-line'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weightroom-sampling-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

interface Answer {
  readonly text: string
  readonly tokens: readonly number[]
  readonly finishReason: string
  readonly logprobs?: readonly {
    readonly id: number
    readonly token: string
    readonly logprob: number
    readonly top: readonly { readonly logprob: number }[]
  }[]
}
async function answer(...args: readonly string[]): Promise<Answer> {
  const { exitCode, stdout, stderr } = await weightroom(['run', 'guide', 'What is a shard?', '--max-tokens', '40', ...args, '--json'])
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return JSON.parse(stdout) as Answer
}

describe('weightroom run', () => {
  it('holds a reply to a JSON schema, at any temperature', async () => {
    const path = join(folder, 'schema.json')
    const schema = {
      type: 'object',
      properties: { kind: { enum: ['file', 'folder'] }, parts: { type: 'integer', minimum: 1, maximum: 64 }, known: { type: 'boolean' } },
      required: ['kind', 'parts', 'known'],
    }
    await writeFile(path, JSON.stringify(schema))
    for (const seed of [1, 2]) {
      const { text, finishReason } = await answer(
        '--json-schema',
        path,
        '--temperature',
        '2',
        '--seed',
        String(seed),
        '--max-tokens',
        '120',
      )
      expect(finishReason).toBe('stop')
      const value = JSON.parse(text) as { kind: string; parts: number; known: boolean }
      expect(Object.keys(value)).toEqual(['kind', 'parts', 'known'])
      expect(['file', 'folder']).toContain(value.kind)
      expect(value.parts).toBeGreaterThan(0)
      expect(value.parts).toBeLessThan(65)
    }
  })

  it('holds a reply to a grammar and to a pattern', async () => {
    const path = join(folder, 'list.gbnf')
    await writeFile(path, 'root ::= item{2}\nitem ::= "- " [a-z]{3,8} "\\n"\n')
    expect((await answer('--grammar', path)).text).toMatch(/^(- [a-z]{3,8}\n){2}$/)
    expect((await answer('--regex', '(yes|no), \\d{2}%')).text).toMatch(/^(yes|no), \d{2}%$/)
  })

  it('gives the same reply for the same seed under every sampler', async () => {
    // The built-in model knows this answer so well that a lower temperature rarely changes it.
    const options = [
      '--seed',
      '5',
      '--temperature',
      '4',
      '--xtc-probability',
      '0.5',
      '--dry-multiplier',
      '0.8',
      '--presence-penalty',
      '0.5',
      '--frequency-penalty',
      '0.2',
      '--dynatemp-range',
      '0.5',
    ]
    const first = await answer(...options)
    expect((await answer(...options)).tokens).toEqual(first.tokens)
    expect((await answer(...options.with(1, '6'))).tokens).not.toEqual(first.tokens)
    const mirostat = ['--seed', '5', '--mirostat', '2', '--mirostat-tau', '3']
    expect((await answer(...mirostat)).tokens).toEqual((await answer(...mirostat)).tokens)
  })

  it('bans a token by its bias', async () => {
    const { tokens } = await answer('--temperature', '0')
    const [first] = tokens
    expect((await answer('--temperature', '0', '--logit-bias', `${first}:-100`)).tokens).not.toContain(first)
  })

  it('lists log-probabilities with alternatives', async () => {
    const { logprobs = [], tokens } = await answer('--temperature', '0', '--logprobs', '3')
    expect(logprobs.slice(0, tokens.length).map(({ id }) => id)).toEqual(tokens)
    for (const { logprob, top } of logprobs) {
      expect(top).toHaveLength(3)
      expect(logprob).toBe(top[0]?.logprob)
      expect(top.reduce((sum, each) => sum + Math.exp(each.logprob), 0)).toBeLessThan(1.000001)
    }
  })

  it.each([
    { args: ['--regex', '('], code: 'generate/grammar-syntax' },
    { args: ['--regex', 'a{1,1000000}'], code: 'generate/grammar-too-large' },
    { args: ['--json-schema', '/nowhere/schema.json'], code: 'cli/not-readable' },
    { args: ['--regex', 'a', '--grammar', 'b'], code: 'cli/several-constraints' },
  ])('refuses $args', async ({ args, code }) => {
    expect(await weightroom(['run', 'guide', 'x', ...args])).toMatchObject({ exitCode: 1, code })
  })
})
