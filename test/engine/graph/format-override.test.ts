// Formats of single matrices: which names a pattern fits, what they do to a loaded model, and that another choice is another prepared file.
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { openDecoder } from '../../../engine/generate/open-decoder'
import { chooseByName, type FormatOverride } from '../../../engine/graph/format-override'
import { weightroom } from '../../main/cli/run-command-line'
import { rootMeanSquare } from '../../support/compare-logits'
import { temporaryFolder } from '../../support/temporary-folder'
import { maxDifference } from '../runtime/golden-model'

const guide = resolve(import.meta.dirname, '../../../resources/guide')
const ids = Array.from({ length: 24 }, (_, index) => 5 + ((index * 37) % 900))

it('fits patterns to whole names, to ends after a dot, and without the last .weight; the last rule decides', () => {
  const choice = chooseByName('q4', [
    { pattern: 'layers.0.*', format: 'f32' },
    { pattern: '*.down_proj', format: 'q8' },
    { pattern: 'lm_head', format: 'q8' },
  ])
  expect(choice.of('model.layers.0.self_attn.q_proj.weight')).toBe('f32')
  expect(choice.of('model.layers.10.self_attn.q_proj.weight')).toBe('q4')
  expect(choice.of('model.layers.0.mlp.down_proj.weight')).toBe('q8')
  expect(() => choice.checkUsed()).toThrow(expect.objectContaining({ code: 'graph/format-override-unmatched' }))
  expect(choice.of('lm_head.weight')).toBe('q8')
  expect(choice.of('my_lm_head.weight')).toBe('q4')
  expect(() => choice.checkUsed()).not.toThrow()
})

it('computes the named matrices in their format and keeps each choice in a prepared file of its own', async () => {
  using folder = temporaryFolder()
  const logits = async (format: 'f32' | 'fast', formatOverrides: readonly FormatOverride[] = []): Promise<Float32Array> => {
    using decoder = (await openDecoder(guide, { format, formatOverrides, prepared: { folder: folder.path } })).decoder
    using cache = decoder.createCache({ capacityTokens: ids.length })
    return await decoder.forward({ ids, cache, logits: 'all' })
  }
  const exact = await logits('f32')
  const fast = await logits('fast')
  const mixed = await logits('fast', [{ pattern: 'layers.*', format: 'q8' }])
  expect(rootMeanSquare(mixed, exact)).toBeLessThan(rootMeanSquare(fast, exact))
  // Packed F32 matrices add up in another order.
  expect(maxDifference(await logits('fast', [{ pattern: '*', format: 'f32' }]), exact)).toBeLessThan(1e-4)
  expect(maxDifference(await logits('f32', [{ pattern: '*', format: 'fast' }]), fast)).toBe(0)
  expect(readdirSync(folder.path).filter((name) => name.endsWith('.prepared'))).toHaveLength(3)
  await expect(logits('fast', [{ pattern: 'layers.99.*', format: 'f32' }])).rejects.toMatchObject({
    code: 'graph/format-override-unmatched',
    details: { pattern: 'layers.99.*' },
  })
})

it('takes overrides on the command line', async () => {
  using folder = temporaryFolder()
  const out = join(folder.path, 'out.safetensors')
  const wrong = await weightroom(['logits', 'guide', '--ids', '1', '--out', out, '--format-override', 'layers.0.*=q3'])
  expect(wrong.exitCode).toBe(2)
  const unmatched = await weightroom(['logits', 'guide', '--ids', '1', '--out', out, '--format-override', 'no.such=f32'])
  expect(unmatched).toMatchObject({ exitCode: 1, code: 'graph/format-override-unmatched' })
})
