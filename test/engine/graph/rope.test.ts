// Rotary frequencies and tables; the logits of the rope fixtures check them against Transformers, these check their limits.
import { describe, expect, test } from 'vitest'
import type { RopeConfig, RopeScaling } from '../../../engine/config/decoder-config'
import { ropeDependsOnLength, ropeFrequencies } from '../../../engine/graph/rope/frequencies'
import { writeRopeRows } from '../../../engine/graph/rope/tables'

const rope = (scaling: RopeScaling): RopeConfig => ({ theta: 10_000, dim: 8, interleaved: false, scaling })
const yarn = {
  kind: 'yarn',
  factor: 4,
  originalMaxPositionEmbeddings: 32,
  betaFast: 32,
  betaSlow: 1,
  attentionFactor: null,
  mscale: null,
  mscaleAllDim: null,
  truncate: true,
} as const satisfies RopeScaling

describe('frequencies', () => {
  const plain = ropeFrequencies(rope({ kind: 'default' }), 1)

  test('fall from 1 by equal ratios', () => {
    expect([...plain.inverse].map((value) => Number(value.toPrecision(6)))).toEqual([1, 0.1, 0.01, 0.001])
    expect(plain.attentionScaling).toBe(1)
  })

  test('linear divides all by the factor', () => {
    const { inverse } = ropeFrequencies(rope({ kind: 'linear', factor: 4 }), 1)
    expect(inverse).toEqual(plain.inverse.map((value) => value / 4))
  })

  test('dynamic is the default up to the trained length and slower beyond it', () => {
    const scaled = rope({ kind: 'dynamic', factor: 2, originalMaxPositionEmbeddings: 32, alpha: null })
    expect(ropeFrequencies(scaled, 32).inverse).toEqual(plain.inverse)
    const beyond = ropeFrequencies(scaled, 64).inverse
    // Base 10000 * (2 * 64 / 32 - 1)^(8 / 6).
    expect(beyond[3]).toBeCloseTo(1 / (10_000 * 3 ** (8 / 6)) ** (6 / 8), 9)
    expect(beyond[0]).toBe(1)
    expect(ropeDependsOnLength(scaled)).toBe(true)
    expect(ropeDependsOnLength(rope({ kind: 'default' }))).toBe(false)
  })

  test('llama3 keeps short waves, slows long ones and blends between', () => {
    const { inverse } = ropeFrequencies(
      rope({ kind: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositionEmbeddings: 128 }),
      1,
    )
    expect(inverse[0]).toBe(1)
    expect(inverse[1]).toBeGreaterThan(0.1 / 8)
    expect(inverse[1]).toBeLessThan(0.1)
    expect(inverse[2]).toBeCloseTo(0.01 / 8, 9)
    expect(inverse[3]).toBeCloseTo(0.001 / 8, 9)
  })

  test.each([
    { name: 'the paper', change: {}, expected: 0.1 * Math.log(4) + 1 },
    { name: 'attention_factor, which wins', change: { attentionFactor: 1.5, mscale: 2, mscaleAllDim: 1 }, expected: 1.5 },
    {
      name: 'mscale and mscale_all_dim',
      change: { mscale: 2, mscaleAllDim: 1 },
      expected: (0.2 * Math.log(4) + 1) / (0.1 * Math.log(4) + 1),
    },
    { name: 'the paper where mscale is alone', change: { mscale: 2 }, expected: 0.1 * Math.log(4) + 1 },
    { name: 'the paper where mscale_all_dim is zero', change: { mscale: 2, mscaleAllDim: 0 }, expected: 0.1 * Math.log(4) + 1 },
    { name: 'one where nothing is stretched', change: { factor: 1 }, expected: 1 },
  ])('yarn scales attention by $name', ({ change, expected }) => {
    expect(ropeFrequencies(rope({ ...yarn, ...change }), 1).attentionScaling).toBeCloseTo(expected, 12)
  })

  test('yarn has no division by zero where its ramp has no width', () => {
    const { inverse } = ropeFrequencies(rope({ ...yarn, betaFast: 1, betaSlow: 1, truncate: false }), 1)
    expect([...inverse].every((value) => Number.isFinite(value) && value > 0)).toBe(true)
  })
})

describe('tables', () => {
  test('write only the rows asked for', () => {
    const tables = { cos: new Float32Array(12).fill(7), sin: new Float32Array(12).fill(7) }
    writeRopeRows(tables, { inverse: Float32Array.of(1, 0.5), attentionScaling: 2 }, { firstPosition: 2, endPosition: 4 })
    expect([...tables.cos.subarray(0, 4), ...tables.cos.subarray(8)]).toEqual(Array(8).fill(7))
    expect(tables.cos[4]).toBeCloseTo(2 * Math.cos(2), 6)
    expect(tables.sin[7]).toBeCloseTo(2 * Math.sin(1.5), 6)
  })

  test('round the angle to float32 before its cosine, as torch does', () => {
    const inverse = Float32Array.of(0.1)
    const position = 100_001
    const tables = { cos: new Float32Array(position + 1), sin: new Float32Array(position + 1) }
    writeRopeRows(tables, { inverse, attentionScaling: 1 }, { firstPosition: position, endPosition: position + 1 })
    expect(tables.cos[position]).toBe(Math.fround(Math.cos(Math.fround(position * Math.fround(0.1)))))
  })
})
