// The sampler and its random numbers: known vectors, seeds, frequencies, and properties of every filter.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyLogitsProcessors } from '../../../engine/generate/apply-logits-processors'
import type { LogitsSettings } from '../../../engine/generate/logits-settings'
import { createRandomStream, createXoshiro128, splitmix64 } from '../../../engine/generate/random'
import { createSampler } from '../../../engine/generate/sampler'

const logitsArbitrary = fc
  .array(fc.float({ min: -30, max: 30, noNaN: true }), { minLength: 2, maxLength: 200 })
  .map((values) => Float32Array.from(values))
const settingsArbitrary: fc.Arbitrary<LogitsSettings> = fc.record(
  {
    temperature: fc.double({ min: 0, max: 4, noNaN: true }).map((value) => (value < 0.05 ? 0 : value)),
    topK: fc.nat(50),
    topP: fc.double({ min: 0, max: 1, noNaN: true }),
    minP: fc.double({ min: 0, max: 1, noNaN: true }),
    typicalP: fc.double({ min: 0.01, max: 1, noNaN: true }),
    epsilonCutoff: fc.double({ min: 0, max: 0.9, noNaN: true }),
    etaCutoff: fc.double({ min: 0, max: 0.9, noNaN: true }),
    topH: fc.double({ min: 0.01, max: 1, noNaN: true }),
    repetitionPenalty: fc.double({ min: 0.5, max: 2, noNaN: true }),
  },
  { requiredKeys: [] },
)
const kept = (probabilities: Float32Array): number[] => [...probabilities.keys()].filter((id) => (probabilities[id] ?? 0) > 0)

describe('applyLogitsProcessors', () => {
  it('returns probabilities that sum to 1 for any settings', () => {
    fc.assert(
      fc.property(logitsArbitrary, fc.array(fc.nat(300), { maxLength: 30 }), settingsArbitrary, (logits, ids, settings) => {
        const sum = applyLogitsProcessors(logits, ids, settings).reduce((total, probability) => total + probability, 0)
        expect(sum).toBeCloseTo(1, 5)
      }),
    )
  })

  it('leaves the logits as they were', () => {
    const logits = Float32Array.from([1, 2, 3, 4])
    applyLogitsProcessors(logits, [1, 2], { temperature: 0.5, topK: 2, repetitionPenalty: 2 })
    expect([...logits]).toEqual([1, 2, 3, 4])
  })

  it.each(['topK', 'topP', 'typicalP', 'topH'] as const)('keeps more tokens, never other ones, as %s grows', (name) => {
    fc.assert(
      fc.property(logitsArbitrary, fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 99 }), (logits, a, b) => {
        const value = (step: number): number => (name === 'topK' ? step : step / 100)
        const few = kept(applyLogitsProcessors(logits, [], { [name]: value(Math.min(a, b)) }))
        const many = new Set(kept(applyLogitsProcessors(logits, [], { [name]: value(Math.max(a, b)) })))
        expect(few.every((id) => many.has(id))).toBe(true)
      }),
    )
  })

  it.each(['minP', 'epsilonCutoff'] as const)('keeps fewer tokens, never other ones, as %s grows', (name) => {
    fc.assert(
      fc.property(logitsArbitrary, fc.integer({ min: 0, max: 99 }), fc.integer({ min: 0, max: 99 }), (logits, a, b) => {
        const few = kept(applyLogitsProcessors(logits, [], { [name]: Math.max(a, b) / 100 }))
        const many = new Set(kept(applyLogitsProcessors(logits, [], { [name]: Math.min(a, b) / 100 })))
        expect(few.every((id) => many.has(id))).toBe(true)
      }),
    )
  })

  it('always keeps a token of the highest score', () => {
    fc.assert(
      fc.property(logitsArbitrary, settingsArbitrary, (logits, settings) => {
        // Typical sampling is the one filter that may drop it, by design.
        const { typicalP: _, ...others } = settings
        const probabilities = applyLogitsProcessors(logits, [], others)
        const best = probabilities.indexOf(Math.max(...probabilities))
        // Scores this close become equal in F32 by the division or the exponential; either may then stay.
        const behind = (Math.max(...logits) - (logits[best] ?? Number.NaN)) / (settings.temperature || 1)
        expect(behind).toBeLessThan(1e-4)
      }),
    )
  })

  it('puts everything on the first highest score at temperature 0', () => {
    expect([...applyLogitsProcessors(Float32Array.from([1, 5, 5, 2]), [], { temperature: 0, topK: 3 })]).toEqual([0, 1, 0, 0])
  })

  it.each([
    { settings: { temperature: Number.NaN }, code: 'generate/bad-setting' },
    { settings: { topK: 1.5 }, code: 'generate/bad-setting' },
    { settings: { topP: 1.01 }, code: 'generate/bad-setting' },
    { settings: { repetitionPenalty: 0 }, code: 'generate/bad-setting' },
  ])('refuses $settings', ({ settings, code }) => {
    expect(() => applyLogitsProcessors(new Float32Array(4), [], settings)).toThrow(expect.objectContaining({ code }))
  })

  it('refuses scores that are not numbers', () => {
    expect(() => applyLogitsProcessors(Float32Array.from([1, Number.NaN]), [], {})).toThrow(
      expect.objectContaining({ code: 'generate/logits-not-finite' }),
    )
  })

  it('says so when every token is banned', () => {
    expect(() => applyLogitsProcessors(new Float32Array(3), [0, 1, 2], { noRepeatNgramSize: 1 })).toThrow(
      expect.objectContaining({ code: 'generate/no-token-left' }),
    )
  })
})

describe('random numbers', () => {
  it('follows the published vectors of splitmix64', () => {
    expect(splitmix64(1234567n)).toBe(6457827717110365317n)
    expect(splitmix64(1234567n + 0x9e3779b97f4a7c15n)).toBe(3203168211198807973n)
  })

  it('follows the reference implementation of xoshiro128**', () => {
    const next = createXoshiro128([1, 2, 3, 4])
    expect(Array.from({ length: 10 }, next)).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ])
  })

  it('stays within [0, 1)', () => {
    const random = createRandomStream(7)
    const drawn = Array.from({ length: 10_000 }, random)
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...drawn)).toBeLessThan(1)
  })
})

describe('sampler', () => {
  const logits = Float32Array.from([0, 1, 2, 3, 1.5])
  const draw = (settings: LogitsSettings, seed: number): number[] => {
    const sample = createSampler({ vocabSize: logits.length, settings, seed })
    return Array.from({ length: 4000 }, () => sample(logits.slice(), []))
  }

  it('repeats itself for a seed and differs between seeds', () => {
    expect(draw({ temperature: 1 }, 3)).toEqual(draw({ temperature: 1 }, 3))
    expect(draw({ temperature: 1 }, 3)).not.toEqual(draw({ temperature: 1 }, 4))
  })

  it.each([{ temperature: 1 }, { temperature: 2, topK: 3 }, { temperature: 0.7, minP: 0.2 }])(
    'draws with the probabilities of %o',
    (settings) => {
      const probabilities = applyLogitsProcessors(logits, [], settings)
      const drawn = draw(settings, 99)
      // Chi-square with 4 degrees of freedom stays below 18.5 in 99.9 % of runs; the seed is fixed.
      let chiSquare = 0
      for (const [id, probability] of probabilities.entries()) {
        const seen = drawn.filter((found) => found === id).length
        if (probability === 0) expect(seen).toBe(0)
        else chiSquare += (seen - probability * drawn.length) ** 2 / (probability * drawn.length)
      }
      expect(chiSquare).toBeLessThan(18.5)
    },
  )

  it('takes the highest score at temperature 0, after the repetition penalty', () => {
    const sample = createSampler({ vocabSize: 5, settings: { temperature: 0, repetitionPenalty: 3 }, seed: 0 })
    expect(sample(logits.slice(), [])).toBe(3)
    expect(sample(logits.slice(), [3])).toBe(2)
  })

  it('refuses logits of another vocabulary', () => {
    const sample = createSampler({ vocabSize: 4, settings: {}, seed: 0 })
    expect(() => sample(logits.slice(), [])).toThrow(expect.objectContaining({ code: 'generate/wrong-logits-length' }))
  })
})
