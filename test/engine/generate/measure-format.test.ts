// Measuring a format: perplexity against Transformers (fixtures/perplexity_guide.py), and that quantizing costs and saves something.
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { measureFormat } from '../../../engine/generate/measure-format'
import { SAMPLE_TEXT } from '../../../engine/generate/sample-text'
import { temporaryFolder } from '../../support/temporary-folder'

const guide = resolve(import.meta.dirname, '../../../resources/guide')
/** Transformers 5.18, torch 2.13, F32. */
const TRANSFORMERS = { perplexity: 9848.473392004118, tokens: 1286 }

test('the perplexity of the built-in text is that of Transformers, and the measurement tells its stages', async () => {
  const stages = new Set<string>()
  const measured = await measureFormat(guide, {
    text: SAMPLE_TEXT,
    windowTokens: 256,
    format: 'f32',
    onStage: ({ stage }) => stages.add(stage),
  })
  expect(measured.scoredTokens).toBe(TRANSFORMERS.tokens)
  expect(Math.abs(measured.perplexity / TRANSFORMERS.perplexity - 1)).toBeLessThan(1e-6)
  expect(measured).toMatchObject({ format: 'f32', windowTokens: 256, strideTokens: 128 })
  expect(measured.decodeTokensPerSecond).toBeGreaterThan(0)
  expect([...stages]).toContain('perplexity')
})

test('a quantized format is measured with fewer bytes', async () => {
  using folder = temporaryFolder()
  const short = { text: SAMPLE_TEXT.slice(0, 300), windowTokens: 64, prepared: { folder: folder.path } }
  const exact = await measureFormat(guide, { ...short, format: 'f32' })
  const fast = await measureFormat(guide, { ...short, format: 'fast' })
  expect(fast.weightBytes).toBeLessThan(exact.weightBytes)
  expect(fast.perplexity).not.toBe(exact.perplexity)
})
