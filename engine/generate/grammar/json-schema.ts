// JSON Schema (draft 2020-12, a subset) as a grammar: every text it allows is JSON that is valid by the schema. What cannot be promised is refused by its name.
import { isJsonObject, type JsonObject, type JsonValue } from '../../bytes/json'
import { engineError } from '../../errors'
import { numberBetween } from './number-range'
import { objectRule } from './json-object'
import type { SchemaReader } from './schema-reader'
import { ANY_VALUE, anyString, anyValueRules, list, space, stringOf } from './json-text'
import { checkGrammarLimit, choice, GRAMMAR_LIMITS, optional, ref, repeat, sequence, text, type Grammar, type GrammarNode } from './nodes'
import { parseRegex } from './parse-regex'
import { JSON_FORMATS } from './json-formats'

/** Say nothing about what is valid, or only how it is described. */
const ANNOTATIONS = [
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  '$schema',
  '$id',
  '$comment',
  '$defs',
  'definitions',
]
const BY_TYPE: Readonly<Record<string, readonly string[]>> = {
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  object: ['properties', 'required', 'additionalProperties'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems'],
  boolean: [],
  null: [],
}
const TYPES = Object.keys(BY_TYPE)
/** Keywords that decide alone. */
const ALONE = ['$ref', 'const', 'enum', 'anyOf', 'oneOf', 'allOf'] as const

const unsupported = (keyword: string, pointer: string) => engineError('generate/schema-unsupported', { keyword, pointer: pointer || '/' })
const invalid = (pointer: string, reason: string) => engineError('generate/schema-invalid', { pointer: pointer || '/', reason })

/**
 * Reads a schema. Objects have their properties in the schema's order, and no others unless `additionalProperties` says so.
 * Throws "generate/schema-unsupported" naming the keyword, "generate/schema-invalid", "generate/grammar-too-large", and what parseRegex throws.
 */
export function parseJsonSchema(schema: JsonValue): Grammar {
  const rules = new Map<string, GrammarNode>(anyValueRules())
  let depth = 0
  const reader: SchemaReader = {
    rules,
    name: (kind) => `${kind}-${rules.size}`,
    read: (part, pointer) => {
      checkGrammarLimit('the nesting of the schema', ++depth, GRAMMAR_LIMITS.depth)
      const node = readSchema(part, { reader, pointer, root: schema })
      depth--
      return node
    },
  }
  rules.set('root', reader.read(schema, ''))
  return { rules, root: 'root' }
}

interface Place {
  readonly reader: SchemaReader
  readonly pointer: string
  readonly root: JsonValue
}

function readSchema(schema: JsonValue, place: Place): GrammarNode {
  const { pointer } = place
  if (schema === true) return ref(ANY_VALUE)
  if (schema === false) throw unsupported('false', pointer)
  if (!isJsonObject(schema)) throw invalid(pointer, 'a schema is an object, true or false')
  const keywords = Object.keys(schema).filter((key) => !ANNOTATIONS.includes(key))
  const alone = ALONE.find((key) => keywords.includes(key))
  if (alone !== undefined) {
    // A type beside const or enum repeats what they say; anything else would have to hold as well.
    const beside = keywords.find((key) => key !== alone && !(key === 'type' && (alone === 'enum' || alone === 'const')))
    if (beside !== undefined) throw unsupported(`${beside} beside ${alone}`, pointer)
    return readAlone(schema, alone, place)
  }
  const types = typesOf(schema, keywords, pointer)
  const allowed = new Set(['type', ...(types ?? []).flatMap((type) => BY_TYPE[type] ?? [])])
  const unknown = keywords.find((key) => !allowed.has(key))
  if (unknown !== undefined) throw unsupported(unknown, pointer)
  if (types === null) return ref(ANY_VALUE)
  return choice(...types.map((type) => readTyped(schema, type, place)))
}

/** The types a schema allows; from its keywords where it names none; null for any. */
function typesOf(schema: JsonObject, keywords: readonly string[], pointer: string): readonly string[] | null {
  const { type } = schema
  if (type === undefined) {
    if (keywords.length === 0) return null
    const implied = TYPES.filter((each) => each !== 'integer' && (BY_TYPE[each] ?? []).some((key) => keywords.includes(key)))
    const [first] = implied
    if (first === undefined) throw unsupported(keywords[0] ?? '', pointer)
    return [first]
  }
  const types = Array.isArray(type) ? type : [type]
  if (types.length === 0 || !types.every((each) => typeof each === 'string' && TYPES.includes(each)))
    throw invalid(`${pointer}/type`, `it must be one of ${TYPES.join(', ')}, or a list of them`)
  return types.filter((each) => typeof each === 'string')
}

function readAlone(schema: JsonObject, keyword: (typeof ALONE)[number], place: Place): GrammarNode {
  const { reader, pointer } = place
  const value = schema[keyword] ?? null
  if (keyword === '$ref') return readReference(value, place)
  if (keyword === 'const') return literal(value, schema, pointer)
  if (!Array.isArray(value) || value.length === 0) throw invalid(`${pointer}/${keyword}`, 'it must be a list with at least one entry')
  const parts: readonly JsonValue[] = value
  if (keyword === 'enum') return choice(...parts.map((each) => literal(each, schema, pointer)))
  if (keyword === 'oneOf' && !exclude(parts)) throw unsupported('oneOf whose alternatives may hold at once', pointer)
  if (keyword === 'allOf' && parts.length > 1) throw unsupported('allOf with several entries', pointer)
  return choice(...parts.map((each, index) => reader.read(each, `${pointer}/${keyword}/${index}`)))
}

function literal(value: JsonValue, { type }: JsonObject, pointer: string): GrammarNode {
  const types: readonly JsonValue[] | null = type === undefined ? null : Array.isArray(type) ? type : [type]
  if (types !== null && !types.some((each) => isOfType(value, each)))
    throw invalid(pointer, `${JSON.stringify(value).slice(0, 50)} is not of the type`)
  return text(JSON.stringify(value))
}

function isOfType(value: JsonValue, type: JsonValue): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return isJsonObject(value)
  if (type === 'integer') return Number.isInteger(value)
  return typeof value === type
}

/** Whether no value fits two of these schemas: different types, or different constants of one required property. */
function exclude(schemas: readonly JsonValue[]): boolean {
  const objects = schemas.filter(isJsonObject)
  if (objects.length !== schemas.length) return false
  const types = objects.map(({ type }) => (type === 'integer' ? 'number' : type))
  if (types.every((type) => typeof type === 'string') && new Set(types).size === types.length) return true
  const constants = (schema: JsonObject, key: string): readonly string[] => {
    const properties = schema['properties']
    const required = schema['required']
    const property = isJsonObject(properties) ? properties[key] : undefined
    if (!Array.isArray(required) || !required.includes(key) || !isJsonObject(property) || schema['type'] !== 'object') return []
    const values = Array.isArray(property['enum']) ? property['enum'] : property['const'] === undefined ? [] : [property['const']]
    return values.map((value: unknown) => JSON.stringify(value))
  }
  const first = objects[0]?.['properties']
  return Object.keys(isJsonObject(first) ? first : {}).some((key) => {
    const all = objects.map((schema) => constants(schema, key))
    return all.every((values) => values.length > 0) && new Set(all.flat()).size === all.flat().length
  })
}

/** A reference within the schema becomes a rule, so that it may refer to itself. */
function readReference(target: JsonValue, { reader, pointer, root }: Place): GrammarNode {
  if (typeof target !== 'string' || !/^#(\/|$)/.test(target)) throw unsupported('$ref to another document', pointer)
  const rule = `ref ${target}`
  if (reader.rules.has(rule)) return ref(rule)
  let part: JsonValue | undefined = root
  for (const step of target.split('/').slice(1)) {
    const key = decodeStep(step)
    part = memberOf(part, key)
  }
  if (part === undefined) throw invalid(pointer, `there is nothing at ${target}`)
  reader.rules.set(rule, text(''))
  reader.rules.set(rule, reader.read(part, target.slice(1)))
  return ref(rule)
}

function memberOf(value: JsonValue | undefined, key: string): JsonValue | undefined {
  if (isJsonObject(value)) return Object.hasOwn(value, key) ? value[key] : undefined
  const items: readonly JsonValue[] = Array.isArray(value) ? value : []
  return /^\d+$/.test(key) ? items[Number(key)] : undefined
}

function decodeStep(step: string): string {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return step
  }
}

function readTyped(schema: JsonObject, type: string, place: Place): GrammarNode {
  const { reader, pointer } = place
  switch (type) {
    case 'object':
      return objectRule(schema, { reader, pointer })
    case 'array':
      return readArray(schema, place)
    case 'string':
      return readString(schema, pointer)
    case 'boolean':
      return choice(text('true'), text('false'))
    case 'null':
      return text('null')
    default:
      return numberBetween(schema, { whole: type === 'integer', pointer })
  }
}

function readString(schema: JsonObject, pointer: string): GrammarNode {
  const [min, max] = bounds(schema, { keys: ['minLength', 'maxLength'], pointer })
  const { pattern, format } = schema
  const special = ['pattern', 'format', 'minLength', 'maxLength'].filter((key) => schema[key] !== undefined)
  if (pattern !== undefined || format !== undefined) {
    if (special.length > 1) throw unsupported(`${special[1] ?? ''} beside ${special[0] ?? ''}`, pointer)
    if (typeof pattern === 'string') return stringOf(parseRegex(pattern, { search: true }))
    const known = typeof format === 'string' ? JSON_FORMATS[format] : undefined
    if (known === undefined)
      throw pattern === undefined
        ? unsupported(typeof format === 'string' ? `format ${format}` : 'format', pointer)
        : invalid(pointer, 'a pattern is a text')
    return sequence(text('"'), parseRegex(known), text('"'))
  }
  return anyString(min, max)
}

/** A pair of whole-number bounds, the lower one 0 and the upper one null where they are absent. */
function bounds(
  schema: JsonObject,
  { keys, pointer }: { readonly keys: readonly [string, string]; readonly pointer: string },
): readonly [number, number | null] {
  const [min, max] = keys.map((key) => {
    const value = schema[key]
    if (value === undefined) return null
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
      throw invalid(`${pointer}/${key}`, 'it must be a whole number, 0 or more')
    return value
  })
  if (typeof max === 'number' && max < (min ?? 0)) throw invalid(pointer, `${keys[1]} is below ${keys[0]}`)
  return [min ?? 0, max ?? null]
}

function readArray(schema: JsonObject, { reader, pointer }: Place): GrammarNode {
  const [min, max] = bounds(schema, { keys: ['minItems', 'maxItems'], pointer })
  const prefix = schema['prefixItems'] ?? []
  if (!Array.isArray(prefix)) throw invalid(`${pointer}/prefixItems`, 'it must be a list')
  const items = schema['items'] ?? true
  const most = items === false ? Math.min(max ?? prefix.length, prefix.length) : max
  if (most !== null && most < min) throw invalid(pointer, 'no array is as long as minItems asks')
  const first = prefix
    .slice(0, most ?? prefix.length)
    .map((part: JsonValue, index) => sequence(reader.read(part, `${pointer}/prefixItems/${index}`), space))
  const comma = sequence(text(','), space)
  const item = items === false ? null : sequence(itemRule(items, { reader, pointer }), space)
  const [restMin, restMax] = [Math.max(0, min - first.length), most === null ? null : most - first.length]
  let tail: GrammarNode = text('')
  if (item !== null && restMax !== 0) {
    const more = (from: number, to: number | null): GrammarNode => repeat(sequence(comma, item), from, to)
    if (first.length > 0) tail = more(restMin, restMax)
    else {
      const filled = sequence(item, more(Math.max(0, restMin - 1), restMax === null ? null : restMax - 1))
      tail = restMin === 0 ? optional(filled) : filled
    }
  }
  for (let index = first.length - 1; index >= 0; index--) {
    const here = sequence(...(index > 0 ? [comma] : []), first[index] ?? text(''), tail)
    tail = index >= min ? optional(here) : here
  }
  return list('[', tail, ']')
}

/** Items as a rule of their own: repeated a hundred times they are one reference each. */
function itemRule(items: JsonValue, { reader, pointer }: { readonly reader: SchemaReader; readonly pointer: string }): GrammarNode {
  const rule = reader.name('items')
  reader.rules.set(rule, text(''))
  reader.rules.set(rule, reader.read(items, `${pointer}/items`))
  return ref(rule)
}
