// A tokenizer that lies apart from the weights, as MiniMind keeps it: `out/` holds the weights, `model/` the tokenizer.
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import type { ConversionPlan } from '../../../engine/convert/types'
import { resourcesFolder } from '../../../main/hosts/resources-folder'
import { weightroom } from './run-command-line'

let folder = ''
let weights = ''
let tokenizer = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weightroom-tokenizer-'))
  ;[weights, tokenizer] = [join(folder, 'out'), join(folder, 'model')]
  const isTokenizer = (name: string): boolean => /token|chat_template/.test(name)
  const guide = join(resourcesFolder(), 'guide')
  for (const name of (await readdir(guide)).filter((each) => each !== 'training'))
    await cp(join(guide, name), join(isTokenizer(name) ? tokenizer : weights, name))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('--tokenizer', () => {
  it('lets a model answer whose tokenizer lies elsewhere', async () => {
    const run = ['run', weights, 'hi', '--max-tokens', '4', '--temperature', '0', '--json']
    expect((await weightroom(run)).code).toBe('tokenizer/missing')
    const { exitCode, stdout } = await weightroom([...run, '--tokenizer', tokenizer])
    expect(exitCode).toBe(0)
    const beside = await weightroom(['run', 'guide', ...run.slice(2)])
    expect((JSON.parse(stdout) as { text: string }).text).toBe((JSON.parse(beside.stdout) as { text: string }).text)
  })

  it('brings the tokenizer along into the result of a conversion', async () => {
    const plan = ['convert', weights, '--to', 'torch', '--out', join(folder, 'planned'), '--dry-run', '--json']
    const companions = async (args: readonly string[]) =>
      (JSON.parse((await weightroom(args)).stdout) as ConversionPlan).companions.map(({ file }) => file)
    const names = (await readdir(tokenizer)).sort()
    expect(names).toContain('tokenizer.model')
    const without = await companions(plan)
    expect(without.some((name) => name.startsWith('tokenizer'))).toBe(false)
    for (const path of [tokenizer, join(tokenizer, 'tokenizer.model')])
      expect((await companions([...plan, '--tokenizer', path])).sort()).toEqual([...without, ...names].sort())
  })

  it('puts its vocabulary into a GGUF file', async () => {
    const out = join(folder, 'model.gguf')
    const { exitCode } = await weightroom(['convert', weights, '--to', 'gguf', '--out', out, '--tokenizer', tokenizer, '--json'])
    expect(exitCode).toBe(0)
    using written = await openCheckpoint(out)
    expect(written.metadata['tokenizer.ggml.model']).toBe('llama')
  })

  it('is shown by inspect', async () => {
    const { stdout } = await weightroom(['inspect', join(weights, 'model-00001-of-00002.safetensors'), '--tokenizer', tokenizer, '--json'])
    const { tokenizer: found } = JSON.parse(stdout) as { tokenizer: { files: string[]; complete: boolean } }
    expect(found.complete).toBe(true)
  })

  it('is refused where there is none', async () => {
    const args = ['--to', 'torch', '--out', join(folder, 'none'), '--json']
    expect((await weightroom(['convert', weights, ...args, '--tokenizer', weights])).code).toBe('tokenizer/missing')
    expect((await weightroom(['convert', weights, ...args, '--tokenizer', join(folder, 'nowhere')])).code).toBe('bytes/not-found')
  })
})
