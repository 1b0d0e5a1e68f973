// What differs between layers: windows, positions, experts, convolutions. Follows `layer_types` of Transformers 5.18 and what its configuration classes derive without it.
import type { JsonValue } from '../bytes/json'
import { engineError } from '../errors'
import { fieldValue, optionalNumbers, wrongType, type ConfigFields } from './config-fields'
import type { LayerConfig } from './decoder-config'
import type { FamilyRow } from './families/types'
import { CONFIG_LIMITS } from './limits'
import { ruleFlag, ruleNumber } from './row-rules'

/** What the layers are made from besides their own fields. `scale` is that of a layer without a number of its own. */
export interface LayersContext {
  readonly row: FamilyRow
  readonly numHiddenLayers: number
  readonly sparseLayers: ReadonlySet<number>
  readonly scale: number
  /** Whether layers with a window have rotary parameters of their own, counted second. */
  readonly windowedRope: boolean
}

const LAYER_TYPES = ['full_attention', 'sliding_attention', 'conv'] as const
/** What Granite 4 and others call full attention. */
const FULL_ALIAS = 'attention'
type LayerType = (typeof LAYER_TYPES)[number]

function isLayerType(value: unknown): value is LayerType {
  return LAYER_TYPES.some((type) => type === value)
}

/** `layer_types` as written; null where it is absent or the family does not look at it. Throws "config/unsupported-switch" for other types. */
function writtenTypes(config: ConfigFields, { row, numHiddenLayers }: LayersContext): readonly LayerType[] | null {
  const value = row.layerTypes !== false ? fieldValue(config, 'layer_types') : null
  if ((value === undefined || value === null) && row.layerTypes === 'required')
    throw engineError('config/missing-field', { path: config.path, field: `${config.prefix}layer_types` })
  if (value === undefined || value === null) return null
  if (!Array.isArray(value)) throw wrongType(config, 'layer_types', 'a list of layer types')
  if (value.length < numHiddenLayers) {
    throw engineError('config/inconsistent', {
      path: config.path,
      fields: ['layer_types', 'num_hidden_layers'],
      reason: `${value.length} types are given for ${numHiddenLayers} layers`,
    })
  }
  return value.slice(0, numHiddenLayers).map((written: unknown) => {
    const type = written === FULL_ALIAS ? 'full_attention' : written
    if (isLayerType(type) && (type !== 'conv' || row.convolution !== null)) return type
    throw engineError('config/unsupported-switch', {
      path: config.path,
      field: `${config.prefix}layer_types`,
      found: type,
      supported: LAYER_TYPES.join(', '),
    })
  })
}

/** The types that a list of layers with attention says, where `layer_types` is silent; null for families without convolutions. */
function listedTypes(config: ConfigFields, { row, numHiddenLayers }: LayersContext): readonly LayerType[] | null {
  if (row.convolution === null) return null
  const attention = optionalNumbers(config, row.convolution.attentionLayers, CONFIG_LIMITS.layerIndex)
  return Array.from({ length: numHiddenLayers }, (_, layer) => (attention?.includes(layer) === false ? 'conv' : 'full_attention'))
}

/** Which layers rotate by the list or interval that SmolLM3 writes: 1 rotates, 0 does not. */
function noRopeLayers(config: ConfigFields, numHiddenLayers: number): readonly boolean[] {
  const list = fieldValue(config, 'no_rope_layers')
  const interval = ruleNumber(config, { field: 'no_rope_layer_interval', default: 4 }, { limit: CONFIG_LIMITS.layers, whole: true }) ?? 4
  if (list === undefined || list === null) return Array.from({ length: numHiddenLayers }, (_, layer) => (layer + 1) % interval !== 0)
  if (!Array.isArray(list) || list.length < numHiddenLayers)
    throw wrongType(config, 'no_rope_layers', 'a list with a number for every layer')
  return list.slice(0, numHiddenLayers).map((flag: unknown) => flag === 1 || flag === true)
}

function listOf(value: JsonValue): readonly JsonValue[] {
  return Array.isArray(value) ? value.map((entry: JsonValue) => entry) : []
}

/** GPT-Neo's list of [types, repetitions]; without one, every second layer is local. Throws "config/wrong-type". */
function localLayers(config: ConfigFields, name: string, numHiddenLayers: number): readonly boolean[] {
  const list = fieldValue(config, name)
  if (list === undefined || list === null) return Array.from({ length: numHiddenLayers }, (_, layer) => layer % 2 === 1)
  const types: JsonValue[] = []
  const expected = 'a list of [types, repetitions] that makes a type for every layer'
  for (const entry of listOf(list)) {
    const [names = null, times] = listOf(entry)
    if (typeof times !== 'number' || times > numHiddenLayers) throw wrongType(config, name, expected)
    for (let time = 0; time < times; time++) types.push(...listOf(names))
  }
  if (types.length !== numHiddenLayers || types.some((type) => type !== 'global' && type !== 'local'))
    throw wrongType(config, name, expected)
  return types.map((type) => type === 'local')
}

function readWindow(config: ConfigFields, row: FamilyRow): number | null {
  if (row.window === null || !ruleFlag(config, row.window.enabled)) return null
  return ruleNumber(config, row.window.size, { limit: CONFIG_LIMITS.contextLength, whole: true })
}

function windowedByPattern(config: ConfigFields, row: FamilyRow, rotates: readonly boolean[]): readonly boolean[] {
  const pattern = row.window?.layers ?? 'all'
  const index = { limit: CONFIG_LIMITS.layerIndex, whole: true }
  if (pattern === 'all') return rotates.map(() => true)
  if (pattern === 'without-rope') return rotates.map((rotated) => !rotated)
  if ('listed' in pattern) return localLayers(config, pattern.listed, rotates.length)
  if ('from' in pattern) {
    const from = ruleNumber(config, pattern.from, index) ?? 0
    return rotates.map((_, layer) => layer >= from)
  }
  const every = ruleNumber(config, pattern.fullEvery, { ...index, limit: CONFIG_LIMITS.layers }) ?? 1
  return rotates.map((_, layer) => (layer + 1) % every !== 0)
}

/** Reads every layer. Throws "config/unsupported-switch", "config/inconsistent", "config/wrong-type". */
export function readLayers(config: ConfigFields, context: LayersContext): readonly LayerConfig[] {
  const { row, numHiddenLayers } = context
  const types = writtenTypes(config, context) ?? listedTypes(config, context)
  const window = readWindow(config, row)
  const rope = row.rope
  const listed =
    rope?.layers === 'no-rope-list' ? noRopeLayers(config, numHiddenLayers) : Array.from({ length: numHiddenLayers }, () => true)
  const windowed = types === null ? windowedByPattern(config, row, listed) : types.map((type) => type === 'sliding_attention')
  const byLayer = ruleFlag(config, row.attention.scaleByLayer)
  return listed.map((rotated, layer): LayerConfig => {
    const slides = windowed[layer] ?? false
    const positioned =
      rope !== null &&
      rotated &&
      (rope.layers === 'windowed' ? slides : rope.layers === 'windowed-if-any' ? slides || window === null : true)
    return {
      mixer: types?.[layer] === 'conv' ? 'convolution' : 'attention',
      window: slides ? window : null,
      rope: positioned ? (context.windowedRope && slides ? 1 : 0) : null,
      scale: byLayer ? context.scale / (layer + 1) : context.scale,
      feedForward: context.sparseLayers.has(layer) ? 'experts' : 'dense',
    }
  })
}
