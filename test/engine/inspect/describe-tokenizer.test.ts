// Which tokenizer and template a model is used with, and why.
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeTokenizer } from '../../../engine/inspect/describe-tokenizer'
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder'

const root = join(import.meta.dirname, '../../..')
const guide = join(root, 'resources/guide')

function guideTokenizer(folder: TemporaryFolder, config?: object): string {
  const model = join(folder.path, 'model')
  mkdirSync(model)
  copyFileSync(join(guide, 'tokenizer.model'), join(model, 'tokenizer.model'))
  if (config) folder.write('model/tokenizer_config.json', JSON.stringify(config))
  return model
}

describe('the tokenizer of a checkpoint', () => {
  it('is the only one there, with the template of its configuration', async () => {
    const { tokenizer, template, problem } = await describeTokenizer(guide)
    expect(tokenizer).toMatchObject({ file: 'tokenizer.model', vocabSize: 4096, why: { code: 'tokenizer/only-one' } })
    expect(template).toMatchObject({ fallbackFamily: null })
    expect(template?.source).toMatch(/^(tokenizer_config\.json|chat_template\.jinja)$/)
    expect(problem).toBeNull()
  })

  it('says what it was taken before, and is found beside a weight file', async () => {
    using folder = temporaryFolder()
    const model = guideTokenizer(folder)
    folder.write('model/vocab.txt', '[PAD]\n')
    folder.write('model/weights.pth', 'x')
    const { tokenizer } = await describeTokenizer(join(model, 'weights.pth'))
    expect(tokenizer).toMatchObject({
      file: 'tokenizer.model',
      why: { code: 'tokenizer/before-others', data: { file: 'tokenizer.model', others: 'vocab.txt' } },
    })
  })

  it('brings the built-in template of its family where the model has none', async () => {
    using folder = temporaryFolder()
    const config = JSON.parse(readFileSync(join(guide, 'tokenizer_config.json'), 'utf8')) as Record<string, unknown>
    delete config['chat_template']
    const { template } = await describeTokenizer(guideTokenizer(folder, config))
    expect(template?.fallbackFamily).not.toBeNull()
  })

  it('is nothing where there is no vocabulary, and a problem where it is broken', async () => {
    using folder = temporaryFolder()
    folder.write('empty/config.json', '{}')
    expect(await describeTokenizer(join(folder.path, 'empty'))).toEqual({ tokenizer: null, template: null, problem: null })
    folder.write('broken/tokenizer.json', '{"model":')
    const { tokenizer, problem } = await describeTokenizer(join(folder.path, 'broken'))
    expect(tokenizer).toBeNull()
    expect(problem?.code).toMatch(/^(tokenizer|bytes|config)\//)
  })
})
