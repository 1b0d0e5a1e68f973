// What GGUF cannot say of a model is refused by name instead of being lost: a file that is written computes what its source computes.
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readGgufHeader } from '../../../engine/checkpoint/gguf/header'
import { convert } from '../../../engine/convert/convert'
import { EngineError } from '../../../engine/errors'
import { temporaryFolder } from '../../support/temporary-folder'

const models = join(import.meta.dirname, '../../fixtures/models')

async function converted(name: string, scratch: string, change: Readonly<Record<string, unknown>> = {}) {
  const model = join(scratch, 'model')
  await cp(join(models, name), model, { recursive: true, filter: (path) => !path.endsWith('golden.safetensors') })
  const path = join(model, 'config.json')
  const config = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
  await writeFile(path, JSON.stringify({ ...config, ...change }))
  const out = join(scratch, 'model.gguf')
  return { out, report: await convert({ source: model, to: 'gguf', out, sync: false }) }
}

it.each([
  ['gelu', 'the activation gelu'],
  ['gelu-tanh', 'the activation gelu_pytorch_tanh'],
  ['relu', 'the activation relu'],
  ['rope-yarn-factor', 'its rotary scaling'],
  ['rope-yarn-mscale', 'its rotary scaling'],
  ['rope-dynamic', 'rotary scaling of the kind dynamic'],
])('%s is refused: %s', async (name, what) => {
  using scratch = temporaryFolder()
  const error: unknown = await converted(name, scratch.path).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(EngineError)
  expect(error).toMatchObject({ code: 'convert/gguf-not-expressible', details: { what } })
})

it.each(['family-mistral-window', 'family-qwen2-window'])('%s announces the context up to which its window does nothing', async (name) => {
  using scratch = temporaryFolder()
  const { out, report } = await converted(name, scratch.path)
  const { sliding_window: window } = JSON.parse(await readFile(join(models, name, 'config.json'), 'utf8')) as { sliding_window: number }
  expect(report.notes).toContainEqual(expect.objectContaining({ code: 'convert/gguf-context-of-window', data: { contextTokens: window } }))
  const { metadata } = await readGgufHeader(out)
  expect([...metadata].find(([key]) => key.endsWith('.context_length'))?.[1]).toMatchObject({ value: window })
})

it('a window as wide as the context changes nothing', async () => {
  using scratch = temporaryFolder()
  const { report } = await converted('family-mistral-window', scratch.path, { sliding_window: 1 << 20 })
  expect(report.notes).toEqual([])
})
