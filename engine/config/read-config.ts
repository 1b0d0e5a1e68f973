// config.json -> DecoderConfig: the only place where the file's aliases and defaults are known. Follows Transformers 5.18 (configuration_llama.py, configuration_mistral.py).
import { join } from 'node:path'
import { isJsonObject, MAX_CONFIG_JSON_BYTES, readJsonFile, type JsonObject, type JsonValue } from '../bytes/json'
import { EngineError, engineError } from '../errors'
import {
  fieldValue,
  optionalBoolean,
  optionalInteger,
  optionalNumber,
  optionalString,
  requiredInteger,
  unsupportedSwitch,
  type ConfigFields,
} from './config-fields'
import type { Activation, DecoderConfig } from './decoder-config'
import { CONFIG_FAMILIES, type BiasRule, type ConfigFamily } from './families'
import { CONFIG_LIMITS } from './limits'
import { readRope } from './read-rope'
import { optionalTokenId, tokenIds } from './token-ids'

/** Names of `hidden_act` in Transformers' ACT2FN; those of one formula share an activation. */
const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  silu: 'silu',
  swish: 'silu',
  gelu: 'gelu',
  gelu_python: 'gelu',
  gelu_pytorch_tanh: 'gelu_pytorch_tanh',
  gelu_new: 'gelu_pytorch_tanh',
  gelu_fast: 'gelu_pytorch_tanh',
  relu: 'relu',
}

/** Heads other than next-token prediction: the body is the same, but there is nothing to generate with. */
const OTHER_HEADS = /For(SequenceClassification|TokenClassification|QuestionAnswering|MultipleChoice)$/

/** Which families may be read, and the name of the file in messages. */
export interface ReadConfigOptions {
  /** Families that have a graph; default every row of the table of families. */
  readonly supportedModelTypes?: readonly string[]
  /** Path of the file, for messages. */
  readonly path?: string
}

function readFamily(
  config: ConfigFields,
  supportedModelTypes: readonly string[],
): { readonly modelType: string; readonly family: ConfigFamily } {
  const supported = supportedModelTypes.filter((name) => Object.hasOwn(CONFIG_FAMILIES, name))
  const modelType = optionalString(config, 'model_type')
  if (modelType === null || modelType === '') throw engineError('config/missing-model-type', { path: config.path, supported })
  const family = supported.includes(modelType) ? CONFIG_FAMILIES[modelType] : undefined
  if (!family) throw engineError('config/unknown-model-type', { path: config.path, modelType: modelType.slice(0, 100), supported })
  return { modelType, family }
}

function checkSwitches(config: ConfigFields, family: ConfigFamily, maxPositionEmbeddings: number): void {
  const quantization = fieldValue(config, 'quantization_config')
  if (quantization !== undefined && quantization !== null)
    throw unsupportedSwitch(config, 'quantization_config', 'weights that are not quantized')
  if (family.slidingWindow !== 'ignored') {
    const written = fieldValue(config, 'sliding_window')
    const window =
      written === undefined ? family.slidingWindow.default : optionalInteger(config, 'sliding_window', CONFIG_LIMITS.contextLength)
    // A window as long as the context hides nothing.
    if (window !== null && window < maxPositionEmbeddings)
      throw unsupportedSwitch(config, 'sliding_window', 'null, or at least max_position_embeddings')
  }
  const architectures = fieldValue(config, 'architectures')
  if (Array.isArray(architectures) && architectures.some((name: JsonValue) => typeof name === 'string' && OTHER_HEADS.test(name))) {
    throw unsupportedSwitch(config, 'architectures', 'a causal language model')
  }
}

function readHeads(config: ConfigFields, family: ConfigFamily, hiddenSize: number) {
  const numAttentionHeads = requiredInteger(config, 'num_attention_heads', CONFIG_LIMITS.heads)
  const absent = fieldValue(config, 'num_key_value_heads') === undefined
  const numKeyValueHeads =
    optionalInteger(config, 'num_key_value_heads', CONFIG_LIMITS.heads) ?? (absent ? family.numKeyValueHeads : null) ?? numAttentionHeads
  if (numAttentionHeads % numKeyValueHeads !== 0) {
    throw engineError('config/inconsistent', {
      path: config.path,
      fields: ['num_attention_heads', 'num_key_value_heads'],
      reason: `${numAttentionHeads} heads cannot share ${numKeyValueHeads} key and value heads evenly`,
    })
  }
  const written = optionalInteger(config, 'head_dim', CONFIG_LIMITS.headDim)
  if (written === null && hiddenSize % numAttentionHeads !== 0) {
    throw engineError('config/inconsistent', {
      path: config.path,
      fields: ['hidden_size', 'num_attention_heads'],
      reason: `${hiddenSize} is not a multiple of ${numAttentionHeads}, and there is no head_dim`,
    })
  }
  return { numAttentionHeads, numKeyValueHeads, headDim: written ?? hiddenSize / numAttentionHeads }
}

function readActivation(config: ConfigFields, family: ConfigFamily): Activation {
  const name = optionalString(config, 'hidden_act') ?? family.hiddenAct
  const activation = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined
  if (!activation) throw unsupportedSwitch(config, 'hidden_act', Object.keys(ACTIVATIONS).join(', '))
  return activation
}

function readBias(config: ConfigFields, rule: BiasRule): boolean {
  return 'fixed' in rule ? rule.fixed : (optionalBoolean(config, rule.field) ?? rule.default)
}

/**
 * Turns the parsed config.json of a decoder into a DecoderConfig.
 * Throws "config/unknown-model-type" (details list the supported ones), "config/missing-field", "config/wrong-type", "config/out-of-range",
 * "config/inconsistent", and "config/unsupported-switch" for a setting that would change the result.
 */
export function readDecoderConfig(json: JsonValue, options: ReadConfigOptions = {}): DecoderConfig {
  const path = options.path ?? 'config.json'
  if (!isJsonObject(json)) throw engineError('config/not-an-object', { path })
  const config: ConfigFields = { json, path, prefix: '' }
  const { modelType, family } = readFamily(config, options.supportedModelTypes ?? Object.keys(CONFIG_FAMILIES))
  const hiddenSize = requiredInteger(config, 'hidden_size', CONFIG_LIMITS.hiddenSize)
  const heads = readHeads(config, family, hiddenSize)
  const maxPositionEmbeddings =
    optionalInteger(config, 'max_position_embeddings', CONFIG_LIMITS.contextLength) ?? family.maxPositionEmbeddings
  checkSwitches(config, family, maxPositionEmbeddings)
  return {
    modelType,
    vocabSize: requiredInteger(config, 'vocab_size', CONFIG_LIMITS.vocabSize),
    hiddenSize,
    intermediateSize: requiredInteger(config, 'intermediate_size', CONFIG_LIMITS.intermediateSize),
    numHiddenLayers: requiredInteger(config, 'num_hidden_layers', CONFIG_LIMITS.layers),
    ...heads,
    maxPositionEmbeddings,
    normEps: optionalNumber(config, family.normEps.field, CONFIG_LIMITS.normEps) ?? family.normEps.default,
    hiddenAct: readActivation(config, family),
    rope: readRope(config, { family, headDim: heads.headDim, maxPositionEmbeddings }),
    tieWordEmbeddings: optionalBoolean(config, 'tie_word_embeddings') ?? family.tieWordEmbeddings,
    attentionBias: { qkv: readBias(config, family.qkvBias), output: readBias(config, family.outputBias) },
    mlpBias: readBias(config, family.mlpBias),
    bosTokenId: fieldValue(config, 'bos_token_id') === undefined ? family.bosTokenId : optionalTokenId(config, 'bos_token_id'),
    eosTokenIds: fieldValue(config, 'eos_token_id') === undefined ? family.eosTokenIds : tokenIds(config, 'eos_token_id'),
    padTokenId: optionalTokenId(config, 'pad_token_id'),
  }
}

/** Reads the config.json of a model folder as a JSON object. Throws "config/missing", "config/not-an-object" and what readJsonFile throws. */
export async function readConfigJson(directory: string, options: { readonly signal?: AbortSignal } = {}): Promise<JsonObject> {
  const path = join(directory, 'config.json')
  let json: JsonValue
  try {
    json = await readJsonFile(path, { maxBytes: MAX_CONFIG_JSON_BYTES, ...options })
  } catch (cause) {
    if (cause instanceof EngineError && cause.code === 'bytes/not-found') throw engineError('config/missing', { directory }, cause)
    throw cause
  }
  if (!isJsonObject(json)) throw engineError('config/not-an-object', { path })
  return json
}

/** Reads a model folder's config.json into a DecoderConfig. Throws what readConfigJson and readDecoderConfig throw. */
export async function loadDecoderConfig(
  directory: string,
  options: { readonly supportedModelTypes?: readonly string[]; readonly signal?: AbortSignal } = {},
): Promise<DecoderConfig> {
  const { signal, supportedModelTypes } = options
  const json = await readConfigJson(directory, signal ? { signal } : {})
  return readDecoderConfig(json, { path: join(directory, 'config.json'), ...(supportedModelTypes && { supportedModelTypes }) })
}
