// GGUF files, written by llama.cpp's own converter (test/fixtures/gguf), as models under Transformers' names: the logits stay those of Transformers.
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { convert } from '../../../engine/convert/convert'
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
