// GGUF files (of the gguf package, and our own) as models under Transformers' names: the logits stay those of Transformers.
import { readdirSync } from 'node:fs'
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { convert } from '../../../engine/convert/convert'
import { engineCode } from '../../support/engine-code'
import { goldenLogits, logitError } from '../../support/golden-logits'
import { temporaryFolder } from '../../support/temporary-folder'

const fixtures = join(import.meta.dirname, '../../fixtures/gguf')
const names = readdirSync(fixtures).flatMap((name) => (name.endsWith('.gguf') ? [name.slice(0, -'.gguf'.length)] : []))

it.each(names)('%s becomes safetensors with the logits of Transformers', async (name) => {
  using scratch = temporaryFolder()
  const out = join(scratch.path, name)
  const report = await convert({ source: join(fixtures, `${name}.gguf`), to: 'safetensors', out, sync: false })
  expect(report.family).toMatchObject({ layout: 'gguf', unmapped: [] })
  expect(await logitError(out, await goldenLogits(join(fixtures, `${name}.golden.safetensors`)))).toBeLessThan(1e-4)
  const config = JSON.parse(await readFile(join(out, 'config.json'), 'utf8')) as Record<string, unknown>
  expect(config).toMatchObject({ model_type: report.family?.modelType })
})

it.each(['family-gemma', 'family-qwen3', 'family-phi3-short', 'rope-yarn', 'mistral-head-dim'])(
  '%s is the same model after the way to GGUF and back',
  async (name) => {
    using scratch = temporaryFolder()
    const folder = join(import.meta.dirname, '../../fixtures/models', name)
    const model = join(scratch.path, 'model')
    await cp(folder, model, { recursive: true, filter: (path) => !path.endsWith('golden.safetensors') })
    const [file, back] = [join(scratch.path, 'model.gguf'), join(scratch.path, 'back')]
    await convert({ source: model, to: 'gguf', out: file, dtype: 'F32', sync: false })
    await convert({ source: file, to: 'safetensors', out: back, sync: false })
    expect(await logitError(back, await goldenLogits(join(folder, 'golden.safetensors')))).toBeLessThan(1e-4)
  },
)

it('a Gemma 2 whose scores are scaled as no Gemma 2 of llama.cpp scales them is not written', async () => {
  using scratch = temporaryFolder()
  const source = join(import.meta.dirname, '../../fixtures/models/family-gemma2')
  const model = join(scratch.path, 'model')
  await cp(source, model, { recursive: true, filter: (path) => !path.endsWith('golden.safetensors') })
  const code = await engineCode(() => convert({ source: model, to: 'gguf', out: join(scratch.path, 'model.gguf') }))
  expect(code).toBe('convert/gguf-not-expressible')
})

it('a Gemma 2 of llama.cpp is the same model after the way back and to GGUF again', async () => {
  using scratch = temporaryFolder()
  const [back, again] = [join(scratch.path, 'back'), join(scratch.path, 'again.gguf')]
  await convert({ source: join(fixtures, 'gemma2.gguf'), to: 'safetensors', out: back, sync: false })
  await convert({ source: back, to: 'gguf', out: again, sync: false })
  expect(await logitError(again, await goldenLogits(join(fixtures, 'gemma2.golden.safetensors')))).toBeLessThan(1e-4)
})
