// Rotary parameters against Transformers: the same config.json gives the same inverse frequencies and attention scaling.
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../engine/bytes/json'
import type { DecoderConfig, RopeConfig } from '../../../engine/config/decoder-config'
import { readDecoderConfig } from '../../../engine/config/read-config'
import { ropeFrequencies } from '../../../engine/graph/rope/frequencies'
import golden from '../../fixtures/config/rope-transformers.json'
import { engineCode } from '../../support/engine-code'

const base = {
  model_type: 'llama',
  vocab_size: 320,
  hidden_size: 64,
  intermediate_size: 160,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  max_position_embeddings: 2048,
}

function firstRope({ ropes }: DecoderConfig): RopeConfig {
  const [rope] = ropes
  if (rope === undefined) throw new Error('no rotary parameters')
  return rope
}
const ropeOf = (fields: JsonObject) => firstRope(readDecoderConfig({ ...base, ...fields }))
const llama3 = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 512 }

describe('rotary parameters', () => {
  it.each(golden.map((item) => [item.name, item] as const))('agrees with Transformers: %s', (_, item) => {
    const rope = firstRope(readDecoderConfig(item.config))
    expect(rope.scaling.kind).toBe(item.ropeType)
    expect(rope.theta).toBe(item.ropeParameters.rope_theta)
    const { inverse, attentionScaling } = ropeFrequencies(rope, 1)
    expect(inverse).toHaveLength(item.inverseFrequencies.length)
    item.inverseFrequencies.forEach((expected, index) => {
      // Powers are rounded to float32 in slightly different places.
      expect(Math.abs((inverse[index] ?? NaN) - expected)).toBeLessThanOrEqual(1e-6 * expected)
    })
    expect(attentionScaling).toBeCloseTo(item.attentionScaling, 7)
  })

  it.each<[string, JsonObject, string]>([
    ['an unknown kind', { rope_scaling: { rope_type: 'ntk', factor: 2 } }, 'config/unsupported-switch'],
    ['longrope without factors', { rope_scaling: { rope_type: 'longrope', factor: 2 } }, 'config/missing-field'],
    [
      'longrope with too few factors',
      { rope_scaling: { rope_type: 'longrope', short_factor: [1], long_factor: [1] } },
      'config/inconsistent',
    ],
    ['a kind that is a number', { rope_scaling: { rope_type: 3 } }, 'config/wrong-type'],
    ['parameters that are a list', { rope_parameters: [1] }, 'config/wrong-type'],
    ['parameters of an unknown layer type', { rope_parameters: { chunked_attention: { rope_theta: 1e4 } } }, 'config/unsupported-switch'],
    ['a partial rotation', { partial_rotary_factor: 0.5 }, 'config/unsupported-switch'],
    ['linear without a factor', { rope_scaling: { type: 'linear' } }, 'config/missing-field'],
    ['a factor of zero', { rope_scaling: { type: 'linear', factor: 0 } }, 'config/out-of-range'],
    ['a parameter that no kind has', { rope_scaling: { type: 'yarn', factor: 2, long_mscale: 1.2 } }, 'config/unsupported-switch'],
    ['alpha in a family without it', { rope_scaling: { type: 'dynamic', factor: 2, alpha: 50 } }, 'config/unsupported-switch'],
    [
      'a parameter beside the sets of the layer types',
      { rope_parameters: { full_attention: { rope_theta: 1e4 }, mrope_section: [2, 3, 3] } },
      'config/unsupported-switch',
    ],
    ['dynamic scaling of one pair', { head_dim: 2, rope_scaling: { type: 'dynamic', factor: 2 } }, 'config/inconsistent'],
    [
      'an alpha below zero',
      { model_type: 'hunyuan_v1_dense', rope_scaling: { type: 'dynamic', factor: 1, alpha: -1 } },
      'config/out-of-range',
    ],
    ['a negative factor', { rope_scaling: { type: 'dynamic', factor: -2 } }, 'config/out-of-range'],
    ['a factor that is text', { rope_scaling: { type: 'dynamic', factor: '2' } }, 'config/wrong-type'],
    ['llama3 without its frequencies', { rope_scaling: { rope_type: 'llama3', factor: 8 } }, 'config/missing-field'],
    ['llama3 with equal frequencies', { rope_scaling: { ...llama3, high_freq_factor: 1 } }, 'config/inconsistent'],
    ['an original length of zero', { rope_scaling: { ...llama3, original_max_position_embeddings: 0 } }, 'config/out-of-range'],
    ['a theta of zero', { rope_theta: 0 }, 'config/out-of-range'],
    ['a theta of 1e300', { rope_theta: 1e300 }, 'config/out-of-range'],
    ['a truncate that is a number', { rope_scaling: { type: 'yarn', factor: 2, truncate: 1 } }, 'config/wrong-type'],
    ['an odd number of dimensions', { head_dim: 15 }, 'config/inconsistent'],
  ])('refuses %s', async (_, fields, code) => {
    expect(await engineCode(() => ropeOf(fields))).toBe(code)
  })

  it('overlooks parameters of another kind, those that are off, and remarks, as Transformers does', () => {
    const { scaling } = ropeOf({ rope_scaling: { type: 'linear', factor: 2, beta_fast: 32, finetuned: true, alpha: null, long_mscale: 0 } })
    expect(scaling).toEqual({ kind: 'linear', factor: 2 })
  })

  it('accepts a partial rotation of one', () => {
    expect(ropeOf({ partial_rotary_factor: 1 }).dim).toBe(16)
  })

  it('keeps the attention factor of yarn apart from an absent one', () => {
    const yarn = { type: 'yarn', factor: 2, original_max_position_embeddings: 512 }
    expect(ropeOf({ rope_scaling: { ...yarn, attention_factor: 1.5 } }).scaling).toMatchObject({ attentionFactor: 1.5, mscale: null })
    expect(ropeOf({ rope_scaling: yarn }).scaling).toMatchObject({ attentionFactor: null, betaFast: 32, betaSlow: 1, truncate: true })
  })
})
