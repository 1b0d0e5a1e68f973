// Rotary parameters of config.json -> RopeConfig. Follows Transformers 5.18 `RotaryEmbeddingConfigMixin.convert_rope_params_to_dict` and `standardize_rope_params`.
import { isJsonObject } from '../bytes/json'
import { engineError } from '../errors'
import { fieldValue, optionalNumber, optionalString, unsupportedSwitch, wrongType, type ConfigFields } from './config-fields'
import type { RopeConfig } from './decoder-config'
import type { FamilyRow } from './families/types'
import { CONFIG_LIMITS } from './limits'
import { readScaling } from './rope-scaling'
import { firstPresent, ruleFlag, ruleNumber } from './row-rules'
import { isOn } from './unknown-fields'

/** What the rotary parameters depend on besides their own fields. */
export interface RopeContext {
  readonly row: FamilyRow
  readonly rules: NonNullable<FamilyRow['rope']>
  readonly headDim: number
  readonly maxPositionEmbeddings: number
}

/** Rotary parameters of all layers, and of those with a window where they differ (null: the same). */
export interface Ropes {
  readonly common: RopeConfig
  readonly windowed: RopeConfig | null
}

/** Parameters of some kind of scaling in Transformers 5.18, which overlooks those of another kind; `finetuned` of early YaRN models is a remark. */
const PARAMETERS: ReadonlySet<string> = new Set([
  'rope_type',
  'type',
  'rope_theta',
  'partial_rotary_factor',
  'factor',
  'original_max_position_embeddings',
  'low_freq_factor',
  'high_freq_factor',
  'attention_factor',
  'beta_fast',
  'beta_slow',
  'mscale',
  'mscale_all_dim',
  'truncate',
  'short_factor',
  'long_factor',
  'finetuned',
])

/** How positions of images are shared among the dimensions; all axes are the same for text. */
const AXES: ReadonlySet<string> = new Set(['mrope_section', 'mrope_interleaved'])

/** Magnitudes of long rotation. */
const MAGNITUDES: ReadonlySet<string> = new Set(['short_mscale', 'long_mscale'])

const QUERY_SCALING = 'llama_4_scaling_beta'

const FULL = 'full_attention'
const WINDOWED = 'sliding_attention'

/** `rope_scaling` (before Transformers 5) wins over `rope_parameters` when it is not empty, as in Transformers. */
function ropeFields(config: ConfigFields): ConfigFields {
  for (const name of ['rope_scaling', 'rope_parameters']) {
    const value = fieldValue(config, name)
    if (value === undefined || value === null) continue
    if (!isJsonObject(value)) throw wrongType(config, name, 'an object')
    if (Object.keys(value).length > 0) return { json: value, path: config.path, prefix: `${config.prefix}${name}.` }
  }
  return { json: {}, path: config.path, prefix: `${config.prefix}rope_parameters.` }
}

/** The set of one layer type where there is a set for each; null where there is one for all. */
function nestedFields(rope: ConfigFields, layerType: string): ConfigFields | null {
  const nested = Object.keys(rope.json).filter((key) => isJsonObject(rope.json[key]))
  const strange = nested.find((key) => key !== FULL && key !== WINDOWED)
  if (strange !== undefined) throw unsupportedSwitch(rope, strange, `${FULL}, ${WINDOWED}`)
  if (nested.length === 0) return null
  const value = rope.json[layerType]
  return { json: isJsonObject(value) ? value : {}, path: rope.path, prefix: `${rope.prefix}${layerType}.` }
}

function rotaryDim(config: ConfigFields, rope: ConfigFields, { rules, headDim }: RopeContext): number {
  const counted = ruleNumber(config, rules.dim, { limit: CONFIG_LIMITS.headDim, whole: true })
  const name = 'partial_rotary_factor'
  const written = optionalNumber(rope, name, CONFIG_LIMITS.partialRotary)
  const top = optionalNumber(config, name, CONFIG_LIMITS.partialRotary)
  const share = written ?? (rules.partial === null ? top : ruleNumber(config, rules.partial, { limit: CONFIG_LIMITS.partialRotary })) ?? 1
  if (share !== 1 && rules.partial === null) throw unsupportedSwitch(written === null ? config : rope, name, '1 for this family')
  const dim = counted ?? Math.trunc(headDim * share)
  if (dim < 2 || dim % 2 !== 0 || dim > headDim) {
    throw engineError('config/inconsistent', {
      path: config.path,
      fields: ['head_dim', name],
      reason: `${dim} dimensions of each head of ${headDim} would be rotated, and rotation takes pairs`,
    })
  }
  return dim
}

function readTheta(config: ConfigFields, rope: ConfigFields, { rules }: RopeContext): number {
  const written = optionalNumber(rope, 'rope_theta', CONFIG_LIMITS.ropeTheta)
  if (written !== null) return written
  const place = firstPresent(config, rules.thetaFields)
  const theta = (place === null ? null : optionalNumber(place.fields, place.name, CONFIG_LIMITS.ropeTheta)) ?? rules.theta
  return theta * (ruleNumber(config, rules.thetaTimes, { limit: CONFIG_LIMITS.ropeFactor }) ?? 1)
}

function kindOf(rope: ConfigFields, rules: RopeContext['rules']): { readonly kind: string; readonly typeField: string } {
  const typeField = fieldValue(rope, 'rope_type') === undefined ? 'type' : 'rope_type'
  const written = optionalString(rope, typeField) ?? 'default'
  return { kind: rules.kinds[written] ?? written, typeField }
}

function isLong(rope: ConfigFields, rules: RopeContext['rules']): boolean {
  return kindOf(rope, rules).kind === 'longrope'
}

/** Throws "config/unsupported-switch" for a parameter that no kind has and that is on. */
function refuseUnknownParameters(rope: ConfigFields, rules: RopeContext['rules'], sets: readonly string[] = []): void {
  const { alpha } = rules
  const axes = Object.hasOwn(rules.kinds, 'mrope')

  for (const [name, value] of Object.entries(rope.json)) {
    if (rules.mscales === true && MAGNITUDES.has(name) && isLong(rope, rules)) continue
    if ((axes && AXES.has(name)) || (rules.queryScaling && name === QUERY_SCALING)) continue
    if (PARAMETERS.has(name) || sets.includes(name) || (alpha && name === 'alpha') || !isOn(value)) continue
    throw unsupportedSwitch(rope, name, 'rotary parameters without it')
  }
}

function readOne(config: ConfigFields, rope: ConfigFields, context: RopeContext): RopeConfig {
  const { rules } = context
  const { kind, typeField } = kindOf(rope, rules)
  refuseUnknownParameters(rope, rules)
  const dim = rotaryDim(config, rope, context)
  return {
    theta: readTheta(config, rope, context),
    dim,
    interleaved: ruleFlag(config, rules.interleaved),
    scaling: readScaling(config, rope, {
      kind,
      typeField,
      dim,
      maxPositionEmbeddings: context.maxPositionEmbeddings,
      alpha: rules.alpha,
      mscales: rules.mscales === true,
    }),
  }
}

/** Reads the rotary parameters. Throws "config/unsupported-switch" for an unknown kind, and the codes of config-fields. */
export function readRopes(config: ConfigFields, context: RopeContext): Ropes {
  const rope = ropeFields(config)
  const { windowTheta } = context.rules
  const full = nestedFields(rope, FULL)
  if (full !== null) {
    refuseUnknownParameters(rope, context.rules, [FULL, WINDOWED])
    const windowed = nestedFields(rope, WINDOWED)
    const windowDefault = ruleNumber(config, windowTheta, { limit: CONFIG_LIMITS.ropeTheta })
    const windowContext =
      windowDefault === null ? context : { ...context, rules: { ...context.rules, theta: windowDefault, thetaFields: [] } }
    return { common: readOne(config, full, context), windowed: windowed === null ? null : readOne(config, windowed, windowContext) }
  }
  const common = readOne(config, rope, context)
  if (windowTheta === null) return { common, windowed: null }
  // Before Transformers 5, rope_scaling meant the layers without a window only.
  const theta = ruleNumber(config, windowTheta, { limit: CONFIG_LIMITS.ropeTheta }) ?? common.theta
  return { common, windowed: { ...common, theta, scaling: { kind: 'default' } } }
}

/** How queries grow with their position, where the family has that and the file says so. */
export function readQueryScaling(
  config: ConfigFields,
  rules: RopeContext['rules'],
): { readonly beta: number; readonly everyTokens: number } | null {
  if (!rules.queryScaling) return null
  const rope = ropeFields(config)
  const beta = optionalNumber(rope, QUERY_SCALING, CONFIG_LIMITS.multiplier)
  if (beta === null || beta === 0) return null
  const name = 'original_max_position_embeddings'
  const everyTokens = optionalNumber(rope, name, CONFIG_LIMITS.contextLength)
  if (everyTokens === null) throw engineError('config/missing-field', { path: config.path, field: rope.prefix + name })
  return { beta, everyTokens }
}
