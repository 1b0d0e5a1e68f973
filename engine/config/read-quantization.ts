// quantization_config of config.json -> the scheme its matrices are packed by, or a refusal that names the field. Follows Transformers 5.18 (utils/quantization_config.py) and the tools' own files.
import { isJsonObject, type JsonObject } from '../bytes/json'
import { note } from '../notes'
import type { CompressedGroup, GroupSize, QuantizationScheme } from '../checkpoint/packed/scheme'
import {
  fieldValue,
  optionalBoolean,
  optionalInteger,
  optionalNumbers,
  optionalObject,
  optionalString,
  unsupportedSwitch,
  wrongType,
} from './config-fields'
import type { ConfigFields } from './config-fields'
import type { NumberLimit } from './limits'
import { isOn } from './unknown-fields'

const GROUP_LIMIT: NumberLimit = { min: 1, max: 1_048_576, reason: 'groups in use have 16 to 1024 columns; -1 is a whole row' }
const BLOCK_LIMIT: NumberLimit = { min: 1, max: 1_048_576, reason: 'blocks in use have 128 rows and columns' }

/** Fields that make something else of the weights than the formats say, each refused when it is on. */
const GPTQ_EXTRAS = ['adapter', 'lora', 'rotation', 'is_marlin_format'] as const

/** Throws "config/unsupported-switch" for a field that is on. */
function refuseOn(fields: ConfigFields, names: readonly string[]): void {
  for (const name of names) {
    const value = fieldValue(fields, name)
    const empty = isJsonObject(value) && Object.keys(value).length === 0
    if (isOn(value) && !empty) throw unsupportedSwitch(fields, name, 'a quantization without it')
  }
}

function oneOf<T extends string | number>(
  fields: ConfigFields,
  name: string,
  options: { readonly allowed: readonly T[]; readonly fallback?: T },
): T {
  const value = fieldValue(fields, name) ?? options.fallback
  const text = typeof value === 'string' ? value.toLowerCase() : value
  const found = options.allowed.find((each) => each === text)
  if (found === undefined) throw unsupportedSwitch(fields, name, options.allowed.join(' or '))
  return found
}

function groupSize(fields: ConfigFields, name = 'group_size'): GroupSize {
  if (fieldValue(fields, name) === -1) return 'row'
  const size = optionalInteger(fields, name, GROUP_LIMIT)
  return size ?? 128
}

function readGptq(fields: ConfigFields): QuantizationScheme {
  refuseOn(fields, GPTQ_EXTRAS)
  oneOf(fields, 'pack_dtype', { allowed: ['int32'], fallback: 'int32' })
  const named = fieldValue(fields, 'checkpoint_format') ?? fieldValue(fields, 'format')
  const format = oneOf(
    fields,
    named === undefined || fieldValue(fields, 'checkpoint_format') !== undefined ? 'checkpoint_format' : 'format',
    {
      allowed: ['gptq', 'gptq_v2'],
      fallback: 'gptq',
    },
  )
  const bits = oneOf(fields, 'bits', { allowed: [4, 8] as const })
  return {
    method: 'gptq',
    bits,
    groupSize: groupSize(fields),
    version: format === 'gptq_v2' ? 2 : 1,
    mixed: isOn(fieldValue(fields, 'dynamic')),
    notes: [],
  }
}

function readAwq(fields: ConfigFields): QuantizationScheme {
  oneOf(fields, fieldValue(fields, 'w_bit') === undefined ? 'bits' : 'w_bit', { allowed: [4], fallback: 4 })
  // These two name a kernel; what is stored is the GEMM layout.
  oneOf(fields, fieldValue(fields, 'version') === undefined ? 'format' : 'version', {
    allowed: ['gemm', 'exllama', 'ipex'],
    fallback: 'gemm',
  })
  if (optionalBoolean(fields, 'zero_point') === false) throw unsupportedSwitch(fields, 'zero_point', 'true')
  return {
    method: 'awq',
    groupSize: groupSize(fields, fieldValue(fields, 'q_group_size') === undefined ? 'group_size' : 'q_group_size'),
    notes: [],
  }
}

function blockSize(fields: ConfigFields, name: string): readonly [number, number] | null {
  const sizes = optionalNumbers(fields, name, BLOCK_LIMIT)
  if (sizes === null) return null
  const [rows, columns] = sizes
  if (sizes.length !== 2 || rows === undefined || columns === undefined || !sizes.every(Number.isInteger))
    throw wrongType(fields, name, 'two whole numbers')
  return [rows, columns]
}

function readFp8(fields: ConfigFields): QuantizationScheme {
  oneOf(fields, 'fmt', { allowed: ['e4m3', 'float8_e4m3fn'], fallback: 'e4m3' })
  return { method: 'fp8', blockSize: blockSize(fields, 'weight_block_size'), notes: [PLAIN_ACTIVATIONS] }
}

const PLAIN_ACTIVATIONS = note('checkpoint/activations-not-rounded')

function readBitsandbytes(fields: ConfigFields): QuantizationScheme {
  const eight = optionalBoolean(fields, 'load_in_8bit') ?? false
  const four = optionalBoolean(fields, 'load_in_4bit') ?? false
  if (eight === four) throw unsupportedSwitch(fields, 'load_in_4bit', 'either load_in_4bit or load_in_8bit')
  if (four) oneOf(fields, 'bnb_4bit_quant_type', { allowed: ['nf4', 'fp4'], fallback: 'fp4' })
  return { method: 'bitsandbytes', bits: four ? 4 : 8, notes: [] }
}

const COMPRESSED_FORMATS = [
  'pack-quantized',
  'int-quantized',
  'float-quantized',
  'naive-quantized',
  'nvfp4-pack-quantized',
  'mxfp4-pack-quantized',
] as const

function readCompressedGroup(outer: ConfigFields, group: ConfigFields): CompressedGroup {
  const weights = optionalObject(group, 'weights')
  if (weights === null) throw wrongType(group, 'weights', 'an object')
  const own = fieldValue(group, 'format')
  const format = oneOf(own === undefined || own === null ? outer : group, 'format', { allowed: COMPRESSED_FORMATS })
  const strategy = oneOf(weights, 'strategy', {
    allowed: ['tensor', 'channel', 'group', 'block', 'tensor_group'] as const,
    fallback: 'tensor',
  })
  const grouped = strategy === 'group' || strategy === 'tensor_group'
  return {
    format,
    type: oneOf(weights, 'type', { allowed: ['int', 'float'] as const, fallback: 'int' }),
    bits: oneOf(weights, 'num_bits', { allowed: [4, 8] as const, fallback: 8 }),
    symmetric: optionalBoolean(weights, 'symmetric') ?? true,
    strategy,
    groupSize: grouped ? optionalInteger(weights, 'group_size', GROUP_LIMIT) : null,
    blockSize: strategy === 'block' ? blockSize(weights, 'block_structure') : null,
  }
}

function readCompressed(fields: ConfigFields): QuantizationScheme {
  const named = optionalObject(fields, 'config_groups')
  if (named === null) throw wrongType(fields, 'config_groups', 'an object')
  const sparsity = optionalObject(fields, 'sparsity_config')
  if (sparsity !== null) oneOf(sparsity, 'format', { allowed: ['dense'], fallback: 'dense' })
  refuseOn(fields, ['transform_config'])
  oneOf(fields, 'quantization_status', { allowed: ['compressed', 'frozen'], fallback: 'compressed' })
  const groups = Object.entries(named.json).flatMap(([name, value]) => {
    const group: JsonObject | null = isJsonObject(value) ? value : null
    if (group === null) throw wrongType(named, name, 'an object')
    // A group without weights quantizes activations or the cache alone.
    if (group['weights'] === undefined || group['weights'] === null) return []
    return [readCompressedGroup(fields, { json: group, path: fields.path, prefix: `${named.prefix}${name}.` })]
  })
  const cache = isOn(fieldValue(fields, 'kv_cache_scheme')) ? [note('checkpoint/cache-not-rounded')] : []
  const rounded = Object.values(named.json).some((group) => isJsonObject(group) && isOn(group['input_activations']))
  return { method: 'compressed-tensors', groups, notes: [...(rounded ? [PLAIN_ACTIVATIONS] : []), ...cache] }
}

/** FBGEMM's float8: rows with a scale each, laid out as compressed-tensors does. */
function readFbgemm(): QuantizationScheme {
  const group = {
    format: 'float-quantized',
    type: 'float',
    bits: 8,
    symmetric: true,
    strategy: 'channel',
    groupSize: null,
    blockSize: null,
  } as const
  return { method: 'compressed-tensors', groups: [group], notes: [PLAIN_ACTIVATIONS] }
}

/** MLX's own field: a width and a group for all, and objects under the names of modules that have others (false: stored plainly). */
function readMlx(fields: ConfigFields): QuantizationScheme {
  oneOf(fields, 'mode', { allowed: ['affine'], fallback: 'affine' })
  const bits = oneOf(fields, 'bits', { allowed: [2, 3, 4, 5, 6, 8] as const, fallback: 4 })
  const size = (group: ConfigFields): number => optionalInteger(group, 'group_size', GROUP_LIMIT) ?? 64
  const groupSizes = new Map<string, number>()
  for (const [module, value] of Object.entries(fields.json)) {
    if (!isJsonObject(value)) continue
    const own: ConfigFields = { json: value, path: fields.path, prefix: `${fields.prefix}${module}.` }
    oneOf(own, 'mode', { allowed: ['affine'], fallback: 'affine' })
    groupSizes.set(module, size(own))
  }
  return { method: 'mlx', bits, groupSize: size(fields), groupSizes, notes: [] }
}

/**
 * Reads how a model's matrices are packed; null where they are not. `json` is the whole config.json.
 * Throws "config/unsupported-switch" for a method, layout or switch that is not supported, "config/wrong-type", "config/out-of-range".
 */
export function readQuantization(json: JsonObject, path: string): QuantizationScheme | null {
  const outer: ConfigFields = { json, path, prefix: '' }
  const fields = optionalObject(outer, 'quantization_config') ?? optionalObject(outer, 'compression_config')
  const mlx = optionalObject(outer, 'quantization')
  // mlx-lm writes the same again as a quantization_config without a method.
  if (mlx !== null && (fields === null || fieldValue(fields, 'quant_method') === undefined)) return readMlx(mlx)
  if (fields === null) return null
  const method =
    optionalString(fields, 'quant_method') ??
    (fields.json['load_in_4bit'] === true || fields.json['load_in_8bit'] === true ? 'bitsandbytes' : null)
  switch (method) {
    case 'gptq':
      return readGptq(fields)
    case 'awq':
      return readAwq(fields)
    case 'compressed-tensors':
      return readCompressed(fields)
    case 'fp8':
      return readFp8(fields)
    case 'fbgemm_fp8':
      return readFbgemm()
    case 'bitsandbytes':
      return readBitsandbytes(fields)
    case 'mxfp4':
      return { method: 'mxfp4', notes: [] }
    default:
      throw unsupportedSwitch(fields, 'quant_method', 'gptq, awq, compressed-tensors, fp8, fbgemm_fp8, bitsandbytes or mxfp4')
  }
}
