// Models that lack a part: every command that does not need the part works.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createResidentModel } from '../../../main/engine/worker/resident-model'
import { weightroom } from './run-command-line'

const GUIDE = resolve(import.meta.dirname, '..', '..', '..', 'resources', 'guide')

let folder = ''
/** The built-in model with a chat template that does not compile. */
let brokenTemplate = ''
/** The built-in model without its tokenizer. */
let noTokenizer = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weightroom-cli-'))
  brokenTemplate = join(folder, 'broken-template')
  noTokenizer = join(folder, 'no-tokenizer')
  const copyWithout = (name: RegExp) => ({ recursive: true, filter: (path: string) => !name.test(path) })
  await cp(GUIDE, brokenTemplate, copyWithout(/training/))
  await cp(GUIDE, noTokenizer, copyWithout(/training|token/))
  const configPath = join(brokenTemplate, 'tokenizer_config.json')
  const config = JSON.parse(await readFile(configPath, 'utf8')) as Readonly<Record<string, unknown>>
  await writeFile(configPath, JSON.stringify({ ...config, chat_template: '{% for message in messages %}{{ message' }))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('a model whose chat template does not compile', () => {
  it('completes text', async () => {
    const outcome = await weightroom(['run', brokenTemplate, 'Safetensors is', '--raw', '--max-tokens', '4', '--json'])
    expect(outcome).toMatchObject({ exitCode: 0, stderr: '' })
    expect(JSON.parse(outcome.stdout)).toMatchObject({ finishReason: 'length', tokens: { length: 4 } })
  })

  it('refuses to chat and says why', async () => {
    expect(await weightroom(['run', brokenTemplate, 'hi'])).toMatchObject({ exitCode: 1, stdout: '', code: 'template/invalid' })
  })

  it('is refused by the engine process, which only chats', async () => {
    const loading = createResidentModel().load(
      {
        path: brokenTemplate,
        threads: 1,
        contextLength: 64,
        weightFormat: 'auto',
        formatOverrides: [],
        preparedMaxBytes: null,
        preparedFolder: join(folder, 'prepared'),
      },
      { emit: () => undefined, signal: new AbortController().signal },
    )
    await expect(loading).rejects.toMatchObject({ code: 'template/invalid' })
  })

  it('is measured and scored', async () => {
    const bench = await weightroom(['bench', brokenTemplate, '--prompt', '8', '--tokens', '2', '--runs', '1', '--json'])
    expect(bench).toMatchObject({ exitCode: 0, stderr: '' })
    const out = join(folder, 'logits.safetensors')
    expect(await weightroom(['logits', brokenTemplate, '--ids', '1,2', '--out', out])).toMatchObject({ exitCode: 0, stderr: '' })
  })

  it('has a tokenizer', async () => {
    expect(await weightroom(['tokenize', brokenTemplate, '--text', 'a'])).toMatchObject({ exitCode: 0, stderr: '' })
  })
})

describe('a model without a tokenizer', () => {
  it('is measured', async () => {
    const { exitCode, stdout, stderr } = await weightroom(['bench', noTokenizer, '--prompt', '8', '--tokens', '2', '--runs', '1', '--json'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ promptTokens: 8, completionTokens: 2, runs: 1 })
  })

  it('is refused for a chat', async () => {
    expect(await weightroom(['run', noTokenizer, 'hi'])).toMatchObject({ exitCode: 1, stdout: '', code: 'tokenizer/missing' })
  })
})

describe('weightroom bench', () => {
  it('takes a prompt that the context window has room for unless it is told otherwise', async () => {
    const configPath = join(noTokenizer, 'config.json')
    const config = JSON.parse(await readFile(configPath, 'utf8')) as Readonly<Record<string, unknown>>
    await writeFile(configPath, JSON.stringify({ ...config, max_position_embeddings: 64 }))
    const { exitCode, stdout } = await weightroom(['bench', noTokenizer, '--tokens', '4', '--runs', '1', '--json'])
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ promptTokens: 60, completionTokens: 4 })
    expect(await weightroom(['bench', 'guide', '--tokens', '2', '--prompt', '2048'])).toMatchObject({
      exitCode: 1,
      code: 'runtime/context-overflow',
    })
  })
})
