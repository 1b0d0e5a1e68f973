// The configuration of an exported ONNX decoder: config.json beside it (optimum, transformers.js) or genai_config.json (onnxruntime-genai 0.9). Only what the graph itself does not say.
import { join } from 'node:path'
import { isJsonObject, MAX_CONFIG_JSON_BYTES, readOptionalJsonFile, type JsonObject } from '../bytes/json'
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
import type { GenerationDefaults } from './decoder-config'
import { CONFIG_LIMITS, type NumberLimit } from './limits'
import type { ModelFacts } from './model-facts'
import { readConfigJson } from './read-config'
import { optionalTokenId, tokenIds } from './token-ids'

/** Name of onnxruntime-genai's configuration, which makes a folder one of its models. */
export const GENAI_CONFIG_FILE = 'genai_config.json'

/** Names of the graph's values; `%d` stands for the layer. */
interface ExportPortNames {
  readonly inputIds: string
  readonly attentionMask: string
  readonly positionIds: string
  readonly pastKey: string
  readonly pastValue: string
  readonly logits: string
  readonly presentKey: string
  readonly presentValue: string
}

/** What is known of an exported decoder before its graph is looked at; null where the configuration is silent. */
export interface ExportConfig extends Omit<ModelFacts, 'vocabSize'> {
  readonly path: string
  readonly vocabSize: number | null
  readonly contextLength: number | null
  readonly numKeyValueHeads: number | null
  readonly headDim: number | null
  readonly ports: ExportPortNames
  /** The `search` section of genai_config.json, in place of generation_config.json. */
  readonly generationDefaults: GenerationDefaults | null
}

/** Names that optimum, transformers.js and the model builder of onnxruntime-genai give. */
const USUAL_PORTS: ExportPortNames = {
  inputIds: 'input_ids',
  attentionMask: 'attention_mask',
  positionIds: 'position_ids',
  pastKey: 'past_key_values.%d.key',
  pastValue: 'past_key_values.%d.value',
  logits: 'logits',
  presentKey: 'present.%d.key',
  presentValue: 'present.%d.value',
}

/** The first of several names of one number that is there. */
function firstInteger(fields: ConfigFields, names: readonly string[], limit: NumberLimit): number | null {
  for (const name of names) {
    const value = optionalInteger(fields, name, limit)
    if (value !== null) return value
  }
  return null
}

function headSizes(fields: ConfigFields): Pick<ExportConfig, 'numKeyValueHeads' | 'headDim'> {
  const heads = firstInteger(fields, ['num_attention_heads', 'n_head', 'num_heads', 'n_heads'], CONFIG_LIMITS.heads)
  const hidden = firstInteger(fields, ['hidden_size', 'n_embd', 'd_model'], CONFIG_LIMITS.hiddenSize)
  const divided = heads !== null && hidden !== null && hidden % heads === 0 ? hidden / heads : null
  const keyValueHeads = firstInteger(fields, ['num_key_value_heads', 'num_kv_heads', 'n_head_kv'], CONFIG_LIMITS.heads)
  return {
    numKeyValueHeads: keyValueHeads ?? (fieldValue(fields, 'multi_query') === true ? 1 : heads),
    headDim: optionalInteger(fields, 'head_dim', CONFIG_LIMITS.headDim) ?? divided,
  }
}

/** Reads the config.json of an exported model as far as a graph leaves it open. Throws the codes of config-fields. */
function readExportConfig(json: JsonObject, path: string): ExportConfig {
  // Multimodal configurations keep the decoder's part in an object of its own.
  const text = fieldValue({ json, path, prefix: '' }, 'text_config')
  const fields: ConfigFields = { json: isJsonObject(text) ? { ...json, ...text } : json, path, prefix: '' }
  const contextNames = ['max_position_embeddings', 'n_positions', 'max_sequence_length', 'max_seq_len', 'seq_length', 'n_ctx']
  return {
    path,
    modelType: optionalString(fields, 'model_type') ?? 'onnx',
    vocabSize: optionalInteger(fields, 'vocab_size', CONFIG_LIMITS.vocabSize),
    contextLength: firstInteger(fields, contextNames, CONFIG_LIMITS.contextLength),
    ...headSizes(fields),
    bosTokenId: optionalTokenId(fields, 'bos_token_id'),
    eosTokenIds: tokenIds(fields, 'eos_token_id'),
    padTokenId: optionalTokenId(fields, 'pad_token_id'),
    ports: USUAL_PORTS,
    generationDefaults: null,
  }
}

/** An object inside another; an empty one where it is absent. */
function section(fields: ConfigFields, name: string): ConfigFields {
  const value = fieldValue(fields, name) ?? {}
  if (!isJsonObject(value)) throw wrongType(fields, name, 'an object')
  return { json: value, path: fields.path, prefix: `${fields.prefix}${name}.` }
}

/** Parts of a genai model that are sessions of their own, or change what goes into the decoder. */
function refuseOtherSessions(model: ConfigFields, decoder: ConfigFields): void {
  const single = 'a model of one decoder session'
  for (const name of ['encoder', 'vision', 'speech', 'embedding', 'encoder_decoder_init'])
    if (fieldValue(model, name) !== undefined) throw unsupportedSwitch(model, name, single)
  if (fieldValue(decoder, 'pipeline') !== undefined) throw unsupportedSwitch(decoder, 'pipeline', single)
  const window = fieldValue(decoder, 'sliding_window')
  if (isJsonObject(window) && window['slide_inputs'] !== false)
    throw unsupportedSwitch(decoder, 'sliding_window', 'inputs that are not cut into windows (slide_inputs: false)')
  const session = section(decoder, 'session_options')
  if (fieldValue(session, 'custom_ops_library') !== undefined)
    throw unsupportedSwitch(session, 'custom_ops_library', 'the operators of ONNX Runtime: libraries of custom operators are never loaded')
}

/** A name or a template of the graph's values. */
function portName(fields: ConfigFields, name: string, usual: string): string {
  const found = optionalString(fields, name) ?? usual
  if (usual.includes('%d') && found.split('%d').length !== 2) throw wrongType(fields, name, 'a name with one %d for the layer')
  return found
}

function genaiPorts(decoder: ConfigFields): ExportPortNames {
  const inputs = section(decoder, 'inputs')
  const outputs = section(decoder, 'outputs')
  for (const [fields, name] of [
    [inputs, 'past_names'],
    [outputs, 'present_names'],
  ] as const)
    if (fieldValue(fields, name) !== undefined) throw unsupportedSwitch(fields, name, 'keys and values as values of their own')
  return {
    inputIds: portName(inputs, 'input_ids', USUAL_PORTS.inputIds),
    attentionMask: portName(inputs, 'attention_mask', USUAL_PORTS.attentionMask),
    positionIds: portName(inputs, 'position_ids', USUAL_PORTS.positionIds),
    pastKey: portName(inputs, 'past_key_names', USUAL_PORTS.pastKey),
    pastValue: portName(inputs, 'past_value_names', USUAL_PORTS.pastValue),
    logits: portName(outputs, 'logits', USUAL_PORTS.logits),
    presentKey: portName(outputs, 'present_key_names', USUAL_PORTS.presentKey),
    presentValue: portName(outputs, 'present_value_names', USUAL_PORTS.presentValue),
  }
}

function searchDefaults(search: ConfigFields, ids: Pick<ModelFacts, 'bosTokenId' | 'eosTokenIds' | 'padTokenId'>): GenerationDefaults {
  return {
    ...ids,
    doSample: optionalBoolean(search, 'do_sample'),
    temperature: optionalNumber(search, 'temperature', CONFIG_LIMITS.temperature),
    topK: optionalInteger(search, 'top_k', CONFIG_LIMITS.topK),
    topP: optionalNumber(search, 'top_p', CONFIG_LIMITS.probability),
    minP: optionalNumber(search, 'min_p', CONFIG_LIMITS.probability),
    repetitionPenalty: optionalNumber(search, 'repetition_penalty', CONFIG_LIMITS.penalty),
    // `max_length` counts the prompt too; the context window says the same.
    maxNewTokens: null,
  }
}

/**
 * Reads a parsed genai_config.json. Search settings that are not read (beams, penalties of length) do not change single-sequence sampling.
 * Throws "config/unsupported-switch" for pipelines, encoders and custom operators, and the codes of config-fields.
 */
export function readGenaiConfig(json: JsonObject, path: string): ExportConfig & { readonly fileName: string } {
  const root: ConfigFields = { json, path, prefix: '' }
  const model = section(root, 'model')
  const decoder = section(model, 'decoder')
  refuseOtherSessions(model, decoder)
  const ids = {
    bosTokenId: optionalTokenId(model, 'bos_token_id'),
    eosTokenIds: tokenIds(model, 'eos_token_id'),
    padTokenId: optionalTokenId(model, 'pad_token_id'),
  }
  const fileName = optionalString(decoder, 'filename') ?? 'model.onnx'
  if (/[/\\\0:]/.test(fileName) || fileName === '..' || fileName === '.' || fileName === '')
    throw wrongType(decoder, 'filename', 'a plain file name in the model folder')
  return {
    path,
    fileName,
    ...ids,
    modelType: optionalString(model, 'type') ?? 'onnx',
    vocabSize: optionalInteger(model, 'vocab_size', CONFIG_LIMITS.vocabSize),
    contextLength: optionalInteger(model, 'context_length', CONFIG_LIMITS.contextLength),
    numKeyValueHeads: optionalInteger(decoder, 'num_key_value_heads', CONFIG_LIMITS.heads),
    headDim: optionalInteger(decoder, 'head_size', CONFIG_LIMITS.headDim),
    ports: genaiPorts(decoder),
    generationDefaults: searchDefaults(section(root, 'search'), ids),
  }
}

/** Reads the genai_config.json of a folder; null where there is none. Throws as readGenaiConfig and readJsonFile do. */
export async function loadGenaiConfig(
  directory: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<ReturnType<typeof readGenaiConfig> | null> {
  const path = join(directory, GENAI_CONFIG_FILE)
  const json = await readOptionalJsonFile(path, { maxBytes: MAX_CONFIG_JSON_BYTES, ...options })
  if (json === undefined) return null
  if (!isJsonObject(json)) throw engineError('config/not-an-object', { path })
  return readGenaiConfig(json, path)
}

/** Reads the configuration of an exported model in `directory`. Throws "config/missing" and the codes of the readers. */
export async function loadExportConfig(directory: string, options: { readonly signal?: AbortSignal } = {}): Promise<ExportConfig> {
  return (
    (await loadGenaiConfig(directory, options)) ??
    readExportConfig(await readConfigJson(directory, options), join(directory, 'config.json'))
  )
}
