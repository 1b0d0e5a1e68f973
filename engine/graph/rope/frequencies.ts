// Rotary frequencies: inverse frequencies and attention scaling of every rope kind. Follows Transformers 5.18 modeling_rope_utils.py step for step in float32.
import type { RopeConfig, RopeScaling } from '../../config/decoder-config'

/** What the tables are made from: angle of dimension pair j at position p is `p * inverse[j]`; cos and sin are multiplied by `attentionScaling`. */
export interface RopeFrequencies {
  /** [rope.dim / 2] */
  readonly inverse: Float32Array
  readonly attentionScaling: number
}

type Yarn = Extract<RopeScaling, { readonly kind: 'yarn' }>
type Dynamic = Extract<RopeScaling, { readonly kind: 'dynamic' }>
type Llama3 = Extract<RopeScaling, { readonly kind: 'llama3' }>

const f32 = Math.fround

/** A number divided by a tensor's element: torch multiplies with the rounded reciprocal. */
function divide(number: number, element: number): number {
  return f32(f32(number) * f32(1 / element))
}

/** base^(2j / dim) for each pair, rounded to float32 where torch rounds. */
function powers(base: number, dim: number): Float32Array {
  return Float32Array.from({ length: dim / 2 }, (_, pair) => Math.pow(f32(base), f32((2 * pair) / dim)))
}

function inverse(base: number, dim: number): Float32Array {
  return powers(base, dim).map((power) => 1 / power)
}

/** The base grows with the sequence once it is longer than the trained length. Source: NTK-aware scaling, `_compute_dynamic_ntk_parameters`; alpha: `HunYuanDenseV1RotaryEmbedding`. */
function dynamicBase(rope: RopeConfig, scaling: Dynamic, totalTokens: number): number {
  const { factor, originalMaxPositionEmbeddings: trained, alpha } = scaling
  const { dim, theta } = rope
  // Up to the trained length the formula gives theta itself. Beyond it Transformers forgets alpha.
  if (totalTokens <= trained) return alpha === null ? theta : theta * Math.pow(alpha, dim / (dim - 2))
  const stretch = f32(f32(f32(f32(factor) * totalTokens) / trained) - f32(factor - 1))
  return f32(f32(theta) * f32(Math.pow(stretch, dim / (dim - 2))))
}

/** Long waves are slowed by `factor`, short ones kept, those between blended. Source: `_compute_llama3_parameters`. */
function llama3Inverse(plain: Float32Array, scaling: Llama3): Float32Array {
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositionEmbeddings: trained } = scaling
  return plain.map((frequency) => {
    const wavelength = divide(2 * Math.PI, frequency)
    if (wavelength > trained / lowFreqFactor) return frequency / f32(factor)
    if (wavelength < trained / highFreqFactor) return frequency
    const smooth = f32(f32(divide(trained, wavelength) - f32(lowFreqFactor)) / f32(highFreqFactor - lowFreqFactor))
    return f32(f32(f32(1 - smooth) * frequency) / f32(factor)) + f32(smooth * frequency)
  })
}

function yarnMagnitude(scale: number, weight: number): number {
  return scale <= 1 ? 1 : 0.1 * weight * Math.log(scale) + 1
}

function yarnAttentionScaling(scaling: Yarn): number {
  const { attentionFactor, factor, mscale, mscaleAllDim } = scaling
  if (attentionFactor !== null) return attentionFactor
  // Zero counts as absent, as it does in Python.
  if (mscale !== null && mscale !== 0 && mscaleAllDim !== null && mscaleAllDim !== 0) {
    return yarnMagnitude(factor, mscale) / yarnMagnitude(factor, mscaleAllDim)
  }
  return yarnMagnitude(factor, 1)
}

/** Dimensions that turn often keep their frequency, slow ones are interpolated, a linear ramp between. Source: YaRN (arXiv 2309.00071), `_compute_yarn_parameters`. */
function yarnInverse(rope: RopeConfig, scaling: Yarn): Float32Array {
  const { dim, theta } = rope
  const { factor, originalMaxPositionEmbeddings: trained, betaFast, betaSlow, truncate } = scaling
  const dimensionOf = (rotations: number): number => (dim * Math.log(trained / (rotations * 2 * Math.PI))) / (2 * Math.log(theta))
  const fast = dimensionOf(betaFast)
  const slow = dimensionOf(betaSlow)
  const low = Math.max(truncate ? Math.floor(fast) : fast, 0)
  const end = Math.min(truncate ? Math.ceil(slow) : slow, dim - 1)
  // A ramp of no width would divide by zero.
  const high = low === end ? end + 0.001 : end
  return powers(theta, dim).map((power, pair) => {
    const ramp = Math.min(Math.max(f32(f32(pair - f32(low)) / f32(high - low)), 0), 1)
    const kept = f32(1 - ramp)
    const interpolated = f32(1 / f32(f32(factor) * power))
    return f32(interpolated * f32(1 - kept)) + f32(f32(1 / power) * kept)
  })
}

/**
 * Computes the frequencies for a sequence of `totalTokens` tokens. `dynamic` and `longrope` depend on the length: beyond the trained one they differ.
 */
export function ropeFrequencies(rope: RopeConfig, totalTokens: number): RopeFrequencies {
  const { scaling, theta, dim } = rope
  switch (scaling.kind) {
    case 'default':
      return { inverse: inverse(theta, dim), attentionScaling: 1 }
    case 'linear':
      return { inverse: inverse(theta, dim).map((frequency) => frequency / f32(scaling.factor)), attentionScaling: 1 }
    case 'dynamic':
      return { inverse: inverse(dynamicBase(rope, scaling, totalTokens), dim), attentionScaling: 1 }
    case 'llama3':
      return { inverse: llama3Inverse(inverse(theta, dim), scaling), attentionScaling: 1 }
    case 'longrope': {
      const { longFactor, shortFactor, originalMaxPositionEmbeddings, attentionFactor, longAttentionFactor } = scaling
      const isLong = totalTokens > originalMaxPositionEmbeddings
      const factors = isLong ? longFactor : shortFactor
      return {
        inverse: powers(theta, dim).map((power, pair) => 1 / f32(f32(factors[pair] ?? 1) * power)),
        attentionScaling: isLong ? longAttentionFactor : attentionFactor,
      }
    }
    case 'yarn':
      return { inverse: yarnInverse(rope, scaling), attentionScaling: yarnAttentionScaling(scaling) }
  }
}

/** Length in tokens up to which `longrope` rotates with the short factors and beyond which with the long ones; null where all lengths rotate alike or the kind has no such step. */
export function ropeSwitchTokens({ scaling }: RopeConfig): number | null {
  if (scaling.kind !== 'longrope') return null
  const { shortFactor, longFactor, attentionFactor, longAttentionFactor, originalMaxPositionEmbeddings } = scaling
  const alike = attentionFactor === longAttentionFactor && shortFactor.every((factor, pair) => factor === longFactor[pair])
  return alike ? null : originalMaxPositionEmbeddings
}

/** Length in tokens beyond which every further token changes the frequencies (`dynamic`); null where none does. */
export function ropeStretchTokens({ scaling }: RopeConfig): number | null {
  return scaling.kind === 'dynamic' ? scaling.originalMaxPositionEmbeddings : null
}

/** Whether the frequencies of a sequence change while it grows. */
export function ropeDependsOnLength(rope: RopeConfig): boolean {
  return rope.scaling.kind === 'dynamic' || rope.scaling.kind === 'longrope'
}
