// config.json -> DecoderConfig by the rules of the family's row: the only place where the file's aliases and defaults are known. Follows the configuration classes of Transformers 5.18.
import { join } from 'node:path'
import { isJsonObject, MAX_CONFIG_JSON_BYTES, readJsonFile, type JsonObject, type JsonValue } from '../bytes/json'
import { EngineError, engineError } from '../errors'
import { readActivation } from './activations'
import { fieldValue, optionalObject, optionalString, unsupportedSwitch, type ConfigFields } from './config-fields'
import type { DecoderConfig, NormConfig, RopeConfig } from './decoder-config'
import { FAMILIES, supportedModelTypes } from './families/table'
import { mergeRows } from './families/merge-rows'
import type { FamilyRow } from './families/types'
import { findWrapped } from './families/wrappers'
import { CONFIG_LIMITS } from './limits'
import { loadOwnRow } from './own-row'
import { readAttention } from './read-attention'
import { readExperts } from './read-experts'
import { readLayers } from './read-layers'
import { withOlderQuantization } from './older-quantization'
import { readQuantization } from './read-quantization'
import { readRopes } from './read-rope'
import { readSizes, type Sizes } from './read-sizes'
import { requiredRuleNumber, ruleFlag, ruleNumber } from './row-rules'
import { scoreScale } from './score-scale'
import { optionalTokenId, tokenIds } from './token-ids'
import { matchesAll, refuseUnknownFields, requireValues } from './unknown-fields'

/** Heads other than next-token prediction: the body is the same, but there is nothing to generate with. */
const OTHER_HEADS = /For(SequenceClassification|TokenClassification|QuestionAnswering|MultipleChoice)$/

/** Which families may be read, and the name of the file in messages. */
export interface ReadConfigOptions {
  /** Families that may be read; default every row of the table. */
  readonly supportedModelTypes?: readonly string[]
  /** A row that the model's own folder brings along; it is used instead of one of the table. */
  readonly row?: FamilyRow
  /** Path of the file, for messages. */
  readonly path?: string
}

function architecturesOf(config: ConfigFields): readonly string[] {
  const value = fieldValue(config, 'architectures')
  return Array.isArray(value) ? value.filter((name: JsonValue): name is string => typeof name === 'string') : []
}

function findRow(config: ConfigFields, supported: readonly string[]): { readonly modelType: string; readonly row: FamilyRow } {
  const modelType = optionalString(config, 'model_type')
  const known = FAMILIES.filter((row) => row.modelTypes.some((name) => supported.includes(name)))
  const byName = known.find((row) => modelType !== null && row.modelTypes.includes(modelType))
  if (modelType !== null && byName !== undefined) return { modelType, row: byName }
  const architectures = architecturesOf(config)
  const inside = findWrapped(config, { modelType, architectures, rows: known, supported })
  if (inside !== null) return inside
  const byArchitecture = known.find((row) => architectures.some((name) => row.architectures.includes(name)))
  if (byArchitecture !== undefined) return { modelType: modelType ?? byArchitecture.modelTypes[0] ?? '', row: byArchitecture }
  const names = supportedModelTypes.filter((name) => supported.includes(name))
  if (modelType === null || modelType === '')
    throw engineError('config/missing-model-type', { path: config.path, supported: names, count: names.length })
  throw engineError('config/unknown-model-type', {
    path: config.path,
    modelType: modelType.slice(0, 100),
    supported: names,
    count: names.length,
  })
}

function checkPurpose(config: ConfigFields): void {
  readQuantization(config.json, config.path)
  if (architecturesOf(config).some((name) => OTHER_HEADS.test(name)))
    throw unsupportedSwitch(config, 'architectures', 'a causal language model')
}

function readNorm(config: ConfigFields, row: FamilyRow): NormConfig {
  const { kind, plusOne, weight, bias, eps } = row.norm
  return {
    kind,
    plusOne,
    weight,
    bias: ruleFlag(config, bias),
    eps: requiredRuleNumber(config, eps, { limit: CONFIG_LIMITS.normEps, what: 'norm epsilon' }),
  }
}

function readEmbedding(config: ConfigFields, row: FamilyRow, sizes: Sizes): DecoderConfig['embedding'] {
  const { embeddingScale, learnedPositions } = row
  const scale =
    embeddingScale === 'square-root-of-hidden-size'
      ? Math.sqrt(sizes.hiddenSize)
      : (ruleNumber(config, embeddingScale, { limit: CONFIG_LIMITS.multiplier }) ?? 1)
  const size = ruleNumber(config, row.sizes.embeddingSize, { limit: CONFIG_LIMITS.hiddenSize, whole: true }) ?? sizes.hiddenSize
  const positions =
    learnedPositions === null ? null : { offset: learnedPositions.offset, count: sizes.maxPositionEmbeddings + learnedPositions.offset }
  return { size, scale, positions }
}

function readHead(config: ConfigFields, row: FamilyRow, sizes: Sizes): DecoderConfig['head'] {
  return {
    bias: row.head.bias,
    scale: ruleNumber(config, row.head.scale, { limit: CONFIG_LIMITS.multiplier, sizes }) ?? 1,
    softCap: ruleNumber(config, row.head.softCap, { limit: CONFIG_LIMITS.softCap }),
  }
}

function readTokens(config: ConfigFields, row: FamilyRow): Pick<DecoderConfig, 'bosTokenId' | 'eosTokenIds' | 'padTokenId'> {
  return {
    bosTokenId: fieldValue(config, 'bos_token_id') === undefined ? row.tokens.bos : optionalTokenId(config, 'bos_token_id'),
    eosTokenIds: fieldValue(config, 'eos_token_id') === undefined ? row.tokens.eos : tokenIds(config, 'eos_token_id'),
    padTokenId: optionalTokenId(config, 'pad_token_id'),
  }
}

function readStructure(config: ConfigFields, row: FamilyRow, sizes: Sizes) {
  const norm = readNorm(config, row)
  const attention = readAttention(config, row, { norm, numHeads: sizes.numAttentionHeads, hiddenSize: sizes.hiddenSize })
  const { headDim, maxPositionEmbeddings, numHiddenLayers } = sizes
  const read = row.rope === null ? null : readRopes(config, { row, rules: row.rope, headDim, maxPositionEmbeddings })
  const ropes: readonly RopeConfig[] = read === null ? [] : read.windowed === null ? [read.common] : [read.common, read.windowed]
  const experts = row.experts === null ? null : readExperts(config, row.experts, { sizes, numHiddenLayers })
  const layers = readLayers(config, {
    row,
    numHiddenLayers,
    sparseLayers: experts?.sparseLayers ?? new Set(),
    scale: scoreScale(config, row, { headDim, rope: ropes[0] ?? null }),
    windowedRope: ropes.length > 1,
  })
  return { norm, attention, ropes, experts: experts?.experts ?? null, layers }
}

/**
 * Turns the parsed config.json of a decoder into a DecoderConfig.
 * Throws "config/unknown-model-type" (details list the supported ones), "config/missing-field", "config/wrong-type", "config/out-of-range",
 * "config/inconsistent", and "config/unsupported-switch" for a setting that would change the result.
 */
export function readDecoderConfig(json: JsonValue, options: ReadConfigOptions = {}): DecoderConfig {
  const path = options.path ?? 'config.json'
  if (!isJsonObject(json)) throw engineError('config/not-an-object', { path })
  const outer: ConfigFields = { json, path, prefix: '', seen: new Set() }
  const found =
    options.row === undefined
      ? findRow(outer, options.supportedModelTypes ?? supportedModelTypes)
      : { modelType: optionalString(outer, 'model_type') ?? options.row.modelTypes[0] ?? 'custom', row: options.row }
  checkPurpose(outer)
  const nested = found.row.nested === null ? null : optionalObject(outer, found.row.nested)
  const config: ConfigFields = nested === null ? outer : { ...nested, seen: new Set() }
  const row = found.row.variants.reduce(
    (base, variant) => (matchesAll(config, variant.when) ? mergeRows(base, variant.row) : base),
    found.row,
  )
  requireValues(config, row)
  const sizes = readSizes(config, row)
  const decoder: DecoderConfig = {
    modelType: found.modelType,
    family: row.family,
    ...sizes,
    ...readStructure(config, row, sizes),
    residual: {
      kind: row.residual.kind,
      takes: row.residual.takes,
      multiplier: ruleNumber(config, row.residual.multiplier, { limit: CONFIG_LIMITS.multiplier, sizes }) ?? 1,
    },
    embedding: readEmbedding(config, row, sizes),
    convolution:
      row.convolution === null
        ? null
        : {
            kernel: requiredRuleNumber(config, row.convolution.kernel, {
              limit: CONFIG_LIMITS.convolutionKernel,
              whole: true,
              what: 'conv kernel',
            }),
            bias: ruleFlag(config, row.convolution.bias),
          },
    feedForward: {
      kind: row.feedForward.kind,
      joined: row.feedForward.joined,
      activation: readActivation(config, row.feedForward.activation),
      bias: { up: ruleFlag(config, row.feedForward.upBias), down: ruleFlag(config, row.feedForward.downBias) },
    },
    head: readHead(config, row, sizes),
    tieWordEmbeddings: ruleFlag(config, row.head.tied),
    matrixLayout: row.matrixLayout,
    prefixes: row.prefixes,
    names: row.names,
    ignoredTensors: row.ignoredTensors,
    ...readTokens(config, row),
  }
  refuseUnknownFields(config, row)
  return decoder
}

/** Reads the config.json of a model folder as a JSON object, with the quantization that older tools describe beside it. Throws "config/missing", "config/not-an-object" and what readJsonFile throws. */
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
  return await withOlderQuantization(json, directory, options)
}

/** Reads a model folder's config.json into a DecoderConfig. Throws what readConfigJson and readDecoderConfig throw. */
export async function loadDecoderConfig(
  directory: string,
  options: { readonly supportedModelTypes?: readonly string[]; readonly signal?: AbortSignal } = {},
): Promise<DecoderConfig> {
  const { signal, supportedModelTypes: supported } = options
  const json = await readConfigJson(directory, signal ? { signal } : {})
  const row = await loadOwnRow(directory, signal ? { signal } : {})
  return readDecoderConfig(json, {
    ...(row && { row }),
    path: join(directory, 'config.json'),
    ...(supported && { supportedModelTypes: supported }),
  })
}
