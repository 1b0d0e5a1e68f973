// weightroom.json: a declarative row that a model folder brings along for a model_type of its own. Data only; described in docs/architectures.md.
import { join } from 'node:path'
import { isJsonObject, MAX_CONFIG_JSON_BYTES, readOptionalJsonFile, type JsonObject, type JsonValue } from '../bytes/json'
import { type EngineError, engineError } from '../errors'
import { mergeRows } from './families/merge-rows'
import { FAMILIES } from './families/table'
import type { FamilyRow } from './families/types'

/** File name in a model folder. */
const OWN_ROW_FILE = 'weightroom.json'
/** Longer lists and names than any checkpoint has are a broken file. */
const MAX_LIST = 64
const MAX_TEXT = 256

type Check = (value: JsonValue) => boolean
interface Shape {
  readonly [key: string]: Check | Shape
}

const isText: Check = (value) => typeof value === 'string' && value.length <= MAX_TEXT
const isTexts: Check = (value) => Array.isArray(value) && value.length <= MAX_LIST && value.every(isText)
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value)
const isFlag: Check = (value) => typeof value === 'boolean'
const oneOf =
  (...choices: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && choices.includes(value)
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)

/** `{ "field": name or names, "default": value }`; without a default the field is required. */
function isRule(value: JsonValue, isDefault: Check): boolean {
  if (!isJsonObject(value) || Object.keys(value).some((key) => key !== 'field' && key !== 'default')) return false
  const field = value['field'] ?? null
  return (isText(field) || isTexts(field)) && (value['default'] === undefined || isDefault(value['default']))
}

const numberRule: Check = (value) => value === null || isNumber(value) || isRule(value, orNull(isNumber))
const flagRule: Check = (value) =>
  isFlag(value) ||
  (isJsonObject(value) && isText(value['field'] ?? null) && isFlag(value['default'] ?? null) && Object.keys(value).length === 2)
const activation: Check = (value) => isText(value) || (isJsonObject(value) && isText(value['default'] ?? null) && isRule(value, isText))
const name = orNull(isText)

/** What a row of a folder may change of the row that it starts from. */
const SHAPE: Shape = {
  family: isText,
  prefixes: isTexts,
  matrixLayout: oneOf('out-in', 'in-out'),
  ignoredTensors: isTexts,
  ignoredFields: isTexts,
  embeddingScale: (value) => value === 'square-root-of-hidden-size' || numberRule(value),
  sizes: {
    vocabSize: numberRule,
    hiddenSize: numberRule,
    intermediateSize: numberRule,
    numHiddenLayers: numberRule,
    numAttentionHeads: numberRule,
    numKeyValueHeads: numberRule,
    headDim: numberRule,
    maxPositionEmbeddings: numberRule,
  },
  norm: { kind: oneOf('rms', 'layer'), plusOne: isFlag, weight: isFlag, bias: flagRule, eps: numberRule },
  residual: { kind: oneOf('sequential', 'parallel'), takes: oneOf('input', 'normed'), multiplier: numberRule },
  rope: { theta: isNumber, partial: numberRule, dim: numberRule, interleaved: flagRule },
  attention: {
    projection: oneOf('separate', 'concatenated', 'grouped'),
    qkvBias: flagRule,
    outputBias: flagRule,
    scale: numberRule,
    softCap: numberRule,
    clip: numberRule,
    queryKeyNorm: {
      enabled: flagRule,
      scope: oneOf('head', 'projection', 'rows', 'separate'),
      norm: oneOf('own', 'rms', 'layer'),
      bias: isFlag,
      afterRope: isFlag,
    },
  },
  feedForward: { kind: oneOf('gated', 'plain'), joined: isFlag, activation, upBias: flagRule, downBias: flagRule },
  head: { bias: isFlag, scale: numberRule, softCap: numberRule, tied: flagRule },
  names: {
    embedding: isText,
    embeddingNorm: name,
    positions: name,
    finalNorm: name,
    head: isText,
    layer: (value) => isText(value) && typeof value === 'string' && value.includes('{i}'),
    beforeAttention: name,
    afterAttention: name,
    afterAttentionSum: name,
    beforeFeedForward: name,
    afterFeedForward: name,
    afterFeedForwardSum: name,
    query: name,
    key: name,
    value: name,
    queryKeyValue: name,
    attentionOutput: isText,
    queryNorm: name,
    keyNorm: name,
    gate: name,
    up: isText,
    down: isText,
    gateUp: name,
  },
}

function badRow(path: string, field: string, found: JsonValue, expected: string): EngineError {
  return engineError('config/bad-row', { path, field, found, expected })
}

function checkShape(change: JsonObject, shape: Shape, place: { readonly path: string; readonly prefix: string }): void {
  for (const [key, written] of Object.entries(change)) {
    const value = written ?? null
    const field = place.prefix + key
    const expected = Object.hasOwn(shape, key) ? shape[key] : undefined
    if (expected === undefined) throw badRow(place.path, field, value, `one of ${Object.keys(shape).join(', ')}`)
    if (typeof expected === 'function') {
      if (!expected(value)) throw badRow(place.path, field, value, 'a value that docs/architectures.md allows there')
    } else if (isJsonObject(value)) checkShape(value, expected, { path: place.path, prefix: `${field}.` })
    else throw badRow(place.path, field, value, 'an object')
  }
}

/** Queries and keys get norms only where the whole rule is there: a part of it would leave the rest undefined. */
function checkWhole(row: FamilyRow, path: string): void {
  const norm: Readonly<Record<string, unknown>> | null = row.attention.queryKeyNorm === null ? null : { ...row.attention.queryKeyNorm }
  for (const key of ['enabled', 'scope', 'norm', 'bias', 'afterRope']) {
    if (norm !== null && norm[key] === undefined) throw badRow(path, `row.attention.queryKeyNorm.${key}`, null, 'a value')
  }
}

/**
 * Turns a parsed weightroom.json into a row: `extends` names the model_type whose row it starts from, `row` what is different.
 * Throws "config/not-an-object", "config/bad-row".
 */
export function parseOwnRow(json: JsonValue, path: string): FamilyRow {
  if (!isJsonObject(json)) throw engineError('config/not-an-object', { path })
  const strange = Object.keys(json).find((key) => key !== 'extends' && key !== 'row')
  if (strange !== undefined) throw badRow(path, strange, json[strange] ?? null, 'extends, row')
  const start = json['extends'] ?? 'llama'
  const base = FAMILIES.find((row) => row.modelTypes.some((type) => type === start))
  if (base === undefined) throw badRow(path, 'extends', start, 'a model_type that `weightroom families` lists')
  const change = json['row'] ?? {}
  if (!isJsonObject(change)) throw badRow(path, 'row', change, 'an object')
  checkShape(change, SHAPE, { path, prefix: 'row.' })
  // Checked key by key against the shape of a change just now.
  const row = mergeRows(base, change)
  checkWhole(row, path)
  return row
}

/** The row that a model folder brings along, or null. Throws what parseOwnRow and readJsonFile throw. */
export async function loadOwnRow(directory: string, options: { readonly signal?: AbortSignal } = {}): Promise<FamilyRow | null> {
  const path = join(directory, OWN_ROW_FILE)
  const json = await readOptionalJsonFile(path, { maxBytes: MAX_CONFIG_JSON_BYTES, ...options })
  return json === undefined ? null : parseOwnRow(json, path)
}
