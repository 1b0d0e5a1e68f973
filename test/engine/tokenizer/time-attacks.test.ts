// Tokenizer files made so that a text takes for ever end with a code, in both directions.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadTokenizer } from '../../../engine/tokenizer/load'
import { createJsonTokenizer } from '../../../engine/tokenizer/tokenizer-json'
import { modelFile, varintField } from './model-file'

const tooSlow: unknown = expect.objectContaining({ code: 'tokenizer/too-slow' })

it('stops an expression of a decoder', () => {
  const word = `${'a'.repeat(40)}!`
  const decoder = { type: 'Replace', pattern: { Regex: '(a+a+)+y' }, content: '' }
  const model = { type: 'BPE', vocab: { [word]: 0 }, merges: [] }
  const tokenizer = createJsonTokenizer({ model, decoder }, { path: 'tokenizer.json', config: null, kind: 'tokenizer-json' })
  expect(() => tokenizer.decode([0], { skipSpecial: true })).toThrow(tooSlow)
})

it('stops a Unigram vocabulary whose pieces all stand at every place', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'time-attacks-'))
  try {
    const pieces = Array.from({ length: 3000 }, (_, index) => ({ piece: 'a'.repeat(index + 1), score: -1 }))
    writeFileSync(
      join(folder, 'tokenizer.model'),
      modelFile({ pieces: [{ piece: '<unk>', type: 2 }, ...pieces], trainer: varintField(3, 1) }),
    )
    const tokenizer = await loadTokenizer(join(folder, 'tokenizer.model'))
    expect(() => tokenizer.encode('a'.repeat(300_000), { addSpecial: false, parseSpecial: false })).toThrow(tooSlow)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
