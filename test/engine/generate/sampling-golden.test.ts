// Probabilities of random settings against those of transformers 5.18; made by test/fixtures/make_sampling.py.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { applyLogitsProcessors } from '../../../engine/generate/apply-logits-processors'

interface GoldenCase {
  readonly settings: Readonly<Record<string, unknown>>
  readonly input_ids: readonly number[]
  readonly prompt_length: number
  readonly eos: readonly number[]
  readonly logits: readonly number[]
  readonly probabilities: readonly number[]
}

const path = process.env['WEIGHTROOM_SAMPLING_CASES'] ?? join(import.meta.dirname, '../../fixtures/sampling/transformers.json')
const cases = JSON.parse(readFileSync(path, 'utf8')) as readonly GoldenCase[]
const camelCase = (name: string): string => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())

describe('applyLogitsProcessors', () => {
  it('gives the probabilities of transformers for random settings in any combination', () => {
    const names = new Set(cases.flatMap(({ settings }) => Object.keys(settings)))
    expect(names.size).toBeGreaterThan(20)
    for (const sample of cases) {
      const settings = Object.fromEntries(Object.entries(sample.settings).map(([name, value]) => [camelCase(name), value]))
      const given = { ...settings, promptLength: sample.prompt_length, eosTokenId: sample.eos }
      const found = applyLogitsProcessors(Float32Array.from(sample.logits), sample.input_ids, given)
      const worst = Math.max(...found.map((probability, id) => Math.abs(probability - (sample.probabilities[id] ?? Number.NaN))))
      expect(worst, JSON.stringify(sample.settings)).toBeLessThan(1e-6)
    }
  })
})
