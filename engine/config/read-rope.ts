// Rotary parameters of config.json -> RopeConfig. Follows Transformers 5.18 `RotaryEmbeddingConfigMixin.convert_rope_params_to_dict` and `standardize_rope_params`.
import { isJsonObject } from '../bytes/json'
import { engineError } from '../errors'
import {
  fieldValue,
  optionalBoolean,
  optionalInteger,
  optionalNumber,
  optionalString,
  unsupportedSwitch,
  wrongType,
  type ConfigFields,
} from './config-fields'
import type { RopeConfig, RopeScaling } from './decoder-config'
import type { ConfigFamily } from './families'
import { CONFIG_LIMITS } from './limits'

/** What the rotary parameters depend on besides their own fields. */
export interface RopeContext {
  readonly family: ConfigFamily
  readonly headDim: number
  readonly maxPositionEmbeddings: number
}

/** `rope_scaling` (before Transformers 5) wins over `rope_parameters` when it is not empty, as in Transformers. */
function ropeFields(config: ConfigFields): ConfigFields {
  for (const name of ['rope_scaling', 'rope_parameters']) {
    const value = fieldValue(config, name)
    if (value === undefined || value === null) continue
    if (!isJsonObject(value)) throw wrongType(config, name, 'an object')
    if (Object.keys(value).length === 0) continue
    const fields = { json: value, path: config.path, prefix: `${name}.` }
    // One set of parameters per layer type: an architecture with mixed layers, which these rows are not.
    const nested = Object.keys(value).find((key) => isJsonObject(value[key]))
    if (nested !== undefined) throw unsupportedSwitch(fields, nested, 'one set of rotary parameters for all layers')
    return fields
  }
  return { json: {}, path: config.path, prefix: 'rope_parameters.' }
}

function requiredNumber(rope: ConfigFields, name: string): number {
  const value = optionalNumber(rope, name, CONFIG_LIMITS.ropeFactor)
  if (value === null) throw engineError('config/missing-field', { path: rope.path, field: rope.prefix + name })
  return value
}

/** A field at the top level wins over the one among the rotary parameters (Phi-3 writes it there); without either it is the context length. */
function originalContext(config: ConfigFields, rope: ConfigFields, context: RopeContext): number {
  const name = 'original_max_position_embeddings'
  return (
    optionalInteger(config, name, CONFIG_LIMITS.contextLength) ??
    optionalInteger(rope, name, CONFIG_LIMITS.contextLength) ??
    context.maxPositionEmbeddings
  )
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

function yarnScaling(rope: ConfigFields, originalMaxPositionEmbeddings: number, context: RopeContext): RopeScaling {
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

function readScaling(config: ConfigFields, rope: ConfigFields, context: RopeContext): RopeScaling {
  const typeField = fieldValue(rope, 'rope_type') === undefined ? 'type' : 'rope_type'
  const kind = optionalString(rope, typeField) ?? 'default'
  switch (kind) {
    case 'default':
      return { kind }
    case 'linear':
      return { kind, factor: requiredNumber(rope, 'factor') }
    case 'dynamic':
      // Transformers scales from max_position_embeddings on and looks at no original length for this kind.
      return { kind, factor: requiredNumber(rope, 'factor'), originalMaxPositionEmbeddings: context.maxPositionEmbeddings }
    case 'llama3':
      return llama3Scaling(rope, originalContext(config, rope, context))
    case 'yarn':
      return yarnScaling(rope, originalContext(config, rope, context), context)
    default:
      throw unsupportedSwitch(rope, typeField, 'default, linear, dynamic, llama3, yarn')
  }
}

function rotaryDim(config: ConfigFields, rope: ConfigFields, context: RopeContext): number {
  const name = 'partial_rotary_factor'
  const source = fieldValue(rope, name) === undefined ? config : rope
  const share = optionalNumber(source, name, CONFIG_LIMITS.partialRotary) ?? 1
  if (share !== 1 && !context.family.partialRotary) throw unsupportedSwitch(source, name, '1 for this family')
  const dim = Math.trunc(context.headDim * share)
  if (dim < 2 || dim % 2 !== 0) {
    throw engineError('config/inconsistent', {
      path: config.path,
      fields: ['head_dim', name],
      reason: `${dim} dimensions of each head would be rotated, and rotation takes pairs`,
    })
  }
  return dim
}

/** Reads the rotary parameters. Throws "config/unsupported-switch" for an unknown kind, and the codes of config-fields. */
export function readRope(config: ConfigFields, context: RopeContext): RopeConfig {
  const rope = ropeFields(config)
  return {
    theta:
      optionalNumber(rope, 'rope_theta', CONFIG_LIMITS.ropeTheta) ??
      optionalNumber(config, 'rope_theta', CONFIG_LIMITS.ropeTheta) ??
      context.family.ropeTheta,
    dim: rotaryDim(config, rope, context),
    scaling: readScaling(config, rope, context),
  }
}
