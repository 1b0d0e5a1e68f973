// Probabilities after processors and warpers against those of transformers 5.18 (reference/sampling).
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { applyLogitsProcessors } from '../../../engine/generate/apply-logits-processors'
import type { LogitsSettings } from '../../../engine/generate/logits-settings'
import { hasReference, referencePath } from '../../support/reference'

interface SamplingCase {
  readonly settings: Readonly<Record<string, number>>
  readonly input_ids: readonly number[]
  readonly logits: readonly number[]
  readonly probabilities: readonly number[]
}

const cases: readonly SamplingCase[] = hasReference
  ? (JSON.parse(readFileSync(referencePath('sampling', 'sampling.json'), 'utf8')) as { cases: readonly SamplingCase[] }).cases
  : []
const camelCase = (name: string): string => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())

describe.skipIf(!hasReference)('logits processors against transformers', () => {
  it('has all 32 cases', () => expect(cases).toHaveLength(32))

  it.each(cases.map((sample, index) => ({ index, sample, title: JSON.stringify(sample.settings) })))(
    'case $index: $title',
    ({ sample }) => {
      const settings: LogitsSettings = Object.fromEntries(Object.entries(sample.settings).map(([name, value]) => [camelCase(name), value]))
      const found = applyLogitsProcessors(Float32Array.from(sample.logits), sample.input_ids, settings)
      // The file rounds to seven decimals.
      const worst = Math.max(...found.map((probability, id) => Math.abs(probability - (sample.probabilities[id] ?? Number.NaN))))
      expect(worst).toBeLessThan(2e-7)
      for (const [id, probability] of sample.probabilities.entries()) if (probability > 0) expect(found[id]).toBeGreaterThan(0)
    },
  )
})
