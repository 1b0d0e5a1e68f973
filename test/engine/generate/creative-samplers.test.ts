// Samplers that Transformers does not have: OpenAI's penalties and bias, DRY, XTC, mirostat 2, dynamic temperature; and masks.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyLogitsProcessors } from '../../../engine/generate/apply-logits-processors'
import type { LogitsSettings } from '../../../engine/generate/logits-settings'
import { applyDry } from '../../../engine/generate/penalties'
import { createSampler } from '../../../engine/generate/sampler'

const EVEN = new Float32Array(6)
const log = (values: readonly number[]): Float32Array => Float32Array.from(values, Math.log)
const rounded = (values: Float32Array): number[] => [...values].map((value) => Math.round(value * 1e4) / 1e4)

/** DRY as its author wrote it: every earlier place is compared backwards, one id at a time. */
function slowDry(ids: readonly number[], options: Parameters<typeof applyDry>[2]): Map<number, number> {
  const { multiplier, base, allowedLength, breakers } = options
  const last = ids.at(-1)
  const longest = new Map<number, number>()
  if (last === undefined || breakers.has(last)) return longest
  for (let place = 0; place < ids.length - 1; place++) {
    const next = ids[place + 1] ?? -1
    if (ids[place] !== last || breakers.has(next)) continue
    let length = 1
    while (place - length >= 0 && ids[place - length] === ids[ids.length - 1 - length] && !breakers.has(ids[place - length] ?? -1)) length++
    if (length >= Math.max(1, allowedLength)) longest.set(next, Math.max(longest.get(next) ?? 0, length))
  }
  return new Map([...longest].map(([id, length]) => [id, multiplier * base ** (length - allowedLength)]))
}

describe('presence and frequency penalties', () => {
  it('lower the score once, and once per use', () => {
    const found = applyLogitsProcessors(EVEN, [1, 2, 2], { presencePenalty: 0.5, frequencyPenalty: 0.25 })
    const expected = applyLogitsProcessors(Float32Array.from([0, -0.75, -1, 0, 0, 0]), [], {})
    expect(rounded(found)).toEqual(rounded(expected))
  })

  it('leave the prompt out', () => {
    const found = applyLogitsProcessors(EVEN, [1, 2, 2], { presencePenalty: 1, promptLength: 2 })
    expect(rounded(found)).toEqual(rounded(applyLogitsProcessors(Float32Array.from([0, 0, -1, 0, 0, 0]), [], {})))
  })
})

describe('logit bias', () => {
  it('adds to a score, and -Infinity bans', () => {
    expect(
      rounded(
        applyLogitsProcessors(EVEN, [], {
          logitBias: [
            [0, Number.NEGATIVE_INFINITY],
            [1, Math.log(2)],
          ],
        }),
      ),
    ).toEqual(rounded(Float32Array.from([0, 2, 1, 1, 1, 1], (weight) => weight / 6)))
  })

  it('refuses plus infinity', () => {
    expect(() => applyLogitsProcessors(EVEN, [], { logitBias: [[0, Number.POSITIVE_INFINITY]] })).toThrow(
      expect.objectContaining({ code: 'generate/bad-setting' }),
    )
  })
})

describe('DRY', () => {
  it('lowers exactly what the definition lowers, for any ids and breakers', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(3), { maxLength: 60 }),
        fc.nat(4),
        fc.uniqueArray(fc.nat(3), { maxLength: 1 }),
        (ids, allowedLength, breakers) => {
          const options = { multiplier: 0.8, base: 1.75, allowedLength, breakers: new Set(breakers) }
          const scores = new Float32Array(4)
          applyDry(scores, ids, options)
          const slow = slowDry(ids, options)
          for (const id of scores.keys()) expect(scores[id]).toBeCloseTo(-Math.min(1e4, slow.get(id) ?? 0), 1)
        },
      ),
    )
  })

  it('stays finite and quick on a hundred thousand equal ids', () => {
    const scores = new Float32Array(2)
    applyDry(scores, new Array<number>(100_000).fill(1), { multiplier: 5, base: 4, allowedLength: 2, breakers: new Set() })
    expect(Number.isFinite(scores[1])).toBe(true)
    expect(scores[1]).toBeLessThan(-1000)
  })
})

describe('XTC', () => {
  const logits = log([0.4, 0.3, 0.2, 0.1])
  it('takes the likeliest away and leaves the least likely above the threshold', () => {
    const found = applyLogitsProcessors(logits, [], { xtcProbability: 1, xtcThreshold: 0.15 })
    expect(rounded(found)).toEqual([0, 0, 0.6667, 0.3333])
  })

  it('takes away no end of turn', () => {
    const found = applyLogitsProcessors(logits, [], { xtcProbability: 1, xtcThreshold: 0.15, eosTokenId: 0 })
    expect(rounded(found)).toEqual([0.4, 0.3, 0.2, 0.1])
  })

  it('acts with its probability, in the sampler as in the distribution', () => {
    const settings: LogitsSettings = { xtcProbability: 0.5, xtcThreshold: 0.15 }
    const sample = createSampler({ vocabSize: 4, settings, seed: 5 })
    const drawn = Array.from({ length: 4000 }, () => sample(logits.slice(), []))
    const expected = applyLogitsProcessors(logits, [], settings)
    for (const [id, probability] of expected.entries())
      expect(drawn.filter((found) => found === id).length / 4000).toBeCloseTo(probability, 1)
  })
})

describe('mirostat 2', () => {
  it('holds the mean surprise at tau', () => {
    const logits = Float32Array.from({ length: 500 }, (_, id) => -Math.log(id + 1))
    const probabilities = applyLogitsProcessors(logits, [], {})
    for (const tau of [2, 4]) {
      const sample = createSampler({ vocabSize: 500, settings: { mirostat: 2, mirostatTau: tau, mirostatEta: 0.1 }, seed: 1 })
      const drawn = Array.from({ length: 3000 }, () => sample(logits.slice(), []))
      const kept = drawn.slice(500)
      // The reported surprise is that among the tokens which were left; with all of them it is a little higher.
      const mean = kept.reduce((sum, id) => sum - Math.log2(probabilities[id] ?? 1), 0) / kept.length
      expect(mean).toBeGreaterThan(tau - 0.3)
      expect(mean).toBeLessThan(tau + 1.8)
    }
  })

  it('takes the place of the filters', () => {
    expect(rounded(applyLogitsProcessors(EVEN, [], { mirostat: 2, topK: 1 }))).toEqual(rounded(EVEN.map(() => 1 / 6)))
  })
})

describe('dynamic temperature', () => {
  it('is hottest where every token is as likely, and coolest where one is sure', () => {
    const sure = Float32Array.from([9, 0, 0, 0])
    const cool = applyLogitsProcessors(sure, [], { temperature: 1, dynamicTemperatureRange: 0.5 })
    expect(cool[0]).toBeGreaterThan(applyLogitsProcessors(sure, [], { temperature: 0.6 })[0] ?? 1)
    expect(rounded(applyLogitsProcessors(EVEN, [], { temperature: 1, dynamicTemperatureRange: 1 }))).toEqual(rounded(EVEN.map(() => 1 / 6)))
  })
})

describe('the sampler', () => {
  const settings = fc.record(
    {
      temperature: fc.constantFrom(0, 0.1, 1, 3),
      topK: fc.nat(5),
      topP: fc.double({ min: 0, max: 1, noNaN: true }),
      presencePenalty: fc.double({ min: -2, max: 2, noNaN: true }),
      dryMultiplier: fc.double({ min: 0, max: 3, noNaN: true }),
      xtcProbability: fc.constantFrom(0, 0.5, 1),
      mirostat: fc.constantFrom(0, 2),
      dynamicTemperatureRange: fc.double({ min: 0, max: 3, noNaN: true }),
      suppressTokens: fc.array(fc.nat(15), { maxLength: 16 }),
    },
    { requiredKeys: [] },
  )
  const rows = fc.array(
    fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 16, maxLength: 16 }).map((row) => Float32Array.from(row)),
    { minLength: 1, maxLength: 6 },
  )

  it('draws the same ids for the same seed, whatever the settings', () => {
    fc.assert(
      fc.property(rows, settings, fc.nat(1000), (logits, given, seed) => {
        fc.pre(new Set(given.suppressTokens).size < 16)
        const run = (): number[] => {
          const sample = createSampler({ vocabSize: 16, settings: given, seed })
          const ids: number[] = []
          for (const row of logits) ids.push(sample(row.slice(), ids))
          return ids
        }
        expect(run()).toEqual(run())
      }),
    )
  })

  it('draws only what a mask allows, even where the settings ban all of it', () => {
    fc.assert(
      fc.property(rows, settings, fc.integer({ min: 1, max: 65_535 }), (logits, given, bits) => {
        const sample = createSampler({ vocabSize: 16, settings: given, seed: 3 })
        const ids: number[] = []
        for (const row of logits) ids.push(sample(row.slice(), ids, Uint32Array.of(bits)))
        for (const id of ids) expect((bits >>> id) & 1).toBe(1)
      }),
    )
  })

  it('survives a temperature near 0', () => {
    expect(rounded(applyLogitsProcessors(Float32Array.from([50, 49, -3e38]), [], { temperature: 1e-40 }))).toEqual([1, 0, 0])
  })
})
