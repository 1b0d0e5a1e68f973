// Scaling of rotary frequencies: the kinds of Transformers 5.18 modeling_rope_utils and the parameters of each.
import { engineError } from '../errors'
import { optionalBoolean, optionalInteger, optionalNumber, optionalNumbers, unsupportedSwitch, type ConfigFields } from './config-fields'
import type { RopeScaling } from './decoder-config'
import { CONFIG_LIMITS } from './limits'

interface ScalingContext {
  readonly kind: string
  /** The field that names the kind, for messages. */
  readonly typeField: string
  readonly dim: number
  readonly maxPositionEmbeddings: number
  /** Whether the family has `alpha`. */
  readonly alpha: boolean
  /** Whether the family writes the magnitudes of long rotation. */
  readonly mscales: boolean
}

function requiredNumber(rope: ConfigFields, name: string): number {
  const value = optionalNumber(rope, name, CONFIG_LIMITS.ropeFactor)
  if (value === null) throw engineError('config/missing-field', { path: rope.path, field: rope.prefix + name })
  return value
}

/** A field at the top level wins over the one among the rotary parameters (Phi-3 writes it there); without either it is the context length. */
function originalContext(config: ConfigFields, rope: ConfigFields, context: ScalingContext): number {
  const name = 'original_max_position_embeddings'
  return (
    optionalInteger(config, name, CONFIG_LIMITS.contextLength) ??
    optionalInteger(rope, name, CONFIG_LIMITS.contextLength) ??
    context.maxPositionEmbeddings
  )
}

function dynamicScaling(rope: ConfigFields, context: ScalingContext): RopeScaling {
  const limit = CONFIG_LIMITS.ropeFactor
  if (context.dim <= 2) {
    throw engineError('config/inconsistent', {
      path: rope.path,
      fields: ['head_dim', rope.prefix + context.typeField],
      reason: 'the exponent dim / (dim - 2) of dynamic scaling needs more than 2 rotated dimensions',
    })
  }
  // Python's truth test makes a written 0 mean "not given".
  const alpha = context.alpha ? optionalNumber(rope, 'alpha', { ...limit, min: 0 }) : null
  return {
    kind: 'dynamic',
    factor: requiredNumber(rope, 'factor'),
    // Transformers scales from max_position_embeddings on and looks at no original length for this kind.
    originalMaxPositionEmbeddings: context.maxPositionEmbeddings,
    alpha: alpha === 0 ? null : alpha,
  }
}

function llama3Scaling(rope: ConfigFields, originalMaxPositionEmbeddings: number): RopeScaling {
  const lowFreqFactor = requiredNumber(rope, 'low_freq_factor')
  const highFreqFactor = requiredNumber(rope, 'high_freq_factor')
  if (highFreqFactor <= lowFreqFactor) {
    throw engineError('config/inconsistent', {
      path: rope.path,
      fields: [`${rope.prefix}low_freq_factor`, `${rope.prefix}high_freq_factor`],
      reason: `the high factor must be above the low one, found ${highFreqFactor} and ${lowFreqFactor}`,
    })
  }
  return { kind: 'llama3', factor: requiredNumber(rope, 'factor'), lowFreqFactor, highFreqFactor, originalMaxPositionEmbeddings }
}

function yarnScaling(rope: ConfigFields, originalMaxPositionEmbeddings: number, context: ScalingContext): RopeScaling {
  // Python's `or` and truth tests make a written 0 mean "not given" for these.
  const orAbsent = (value: number | null): number | null => (value === 0 ? null : value)
  const beta = { ...CONFIG_LIMITS.ropeBeta, min: 0 }
  const scale = { ...CONFIG_LIMITS.attentionFactor, min: 0 }
  return {
    kind: 'yarn',
    factor: optionalNumber(rope, 'factor', CONFIG_LIMITS.ropeFactor) ?? context.maxPositionEmbeddings / originalMaxPositionEmbeddings,
    originalMaxPositionEmbeddings,
    betaFast: orAbsent(optionalNumber(rope, 'beta_fast', beta)) ?? 32,
    betaSlow: orAbsent(optionalNumber(rope, 'beta_slow', beta)) ?? 1,
    attentionFactor: optionalNumber(rope, 'attention_factor', CONFIG_LIMITS.attentionFactor),
    mscale: orAbsent(optionalNumber(rope, 'mscale', scale)),
    mscaleAllDim: orAbsent(optionalNumber(rope, 'mscale_all_dim', scale)),
    truncate: optionalBoolean(rope, 'truncate') ?? true,
  }
}

function longFactors(rope: ConfigFields, name: string, pairs: number): readonly number[] {
  const factors = optionalNumbers(rope, name, CONFIG_LIMITS.ropeScale)
  if (factors === null) throw engineError('config/missing-field', { path: rope.path, field: rope.prefix + name })
  if (factors.length === pairs) return factors
  throw engineError('config/inconsistent', {
    path: rope.path,
    fields: [rope.prefix + name, 'head_dim'],
    reason: `there are ${factors.length} factors for ${pairs} pairs of rotated dimensions`,
  })
}

function longScaling(rope: ConfigFields, originalMaxPositionEmbeddings: number, context: ScalingContext): RopeScaling {
  const pairs = context.dim / 2
  const factor = optionalNumber(rope, 'factor', CONFIG_LIMITS.ropeFactor) ?? context.maxPositionEmbeddings / originalMaxPositionEmbeddings
  const magnitude = (name: string): number | null => (context.mscales ? optionalNumber(rope, name, CONFIG_LIMITS.attentionFactor) : null)
  const derived = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalMaxPositionEmbeddings))
  const common = optionalNumber(rope, 'attention_factor', CONFIG_LIMITS.attentionFactor) ?? derived
  return {
    kind: 'longrope',
    originalMaxPositionEmbeddings,
    shortFactor: longFactors(rope, 'short_factor', pairs),
    longFactor: longFactors(rope, 'long_factor', pairs),
    attentionFactor: magnitude('short_mscale') ?? common,
    longAttentionFactor: magnitude('long_mscale') ?? common,
  }
}

/** Reads the scaling of one set of rotary parameters. Throws "config/unsupported-switch" for an unknown kind. */
export function readScaling(config: ConfigFields, rope: ConfigFields, context: ScalingContext): RopeScaling {
  const { kind } = context
  switch (kind) {
    case 'default':
      return { kind }
    case 'linear':
      return { kind, factor: requiredNumber(rope, 'factor') }
    case 'dynamic':
      return dynamicScaling(rope, context)
    case 'llama3':
      return llama3Scaling(rope, originalContext(config, rope, context))
    case 'yarn':
      return yarnScaling(rope, originalContext(config, rope, context), context)
    case 'longrope':
      return longScaling(rope, originalContext(config, rope, context), context)
    default:
      throw unsupportedSwitch(rope, context.typeField, 'default, linear, dynamic, llama3, yarn, longrope')
  }
}
