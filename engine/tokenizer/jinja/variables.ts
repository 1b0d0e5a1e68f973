// What a conversation gives a template: JavaScript's values, or a JSON text, as Python's values.
import type { Budget } from './budget'
import { typeError, valueError } from './failures'
import { parseJson } from './json'
import { type DictEntry, type Value, isObject, list } from './values'

/** Variables by name; a JSON text keeps 1.0 apart from 1, and whole numbers of any size. */
export type TemplateVariables = Readonly<Record<string, unknown>> | string

/** The variables as Python's values. Throws ValueError where a text is no JSON object. */
export function variablesOf(given: TemplateVariables, budget: Budget): Map<string, Value> {
  const variables = new Map<string, Value>()
  if (typeof given === 'string') {
    const parsed = parseJson(given, budget)
    if (!isObject(parsed) || parsed.kind !== 'dict') throw valueError('the variables are no JSON object')
    for (const { key, value } of parsed.entries.values()) if (typeof key === 'string') variables.set(key, value)
    return variables
  }
  for (const [name, value] of Object.entries(given)) if (value !== undefined) variables.set(name, toValue(value, budget))
  return variables
}

/** Whole numbers become int, others float; undefined members of an object are left out. */
function toValue(value: unknown, budget: Budget): Value {
  budget.items(1)
  switch (typeof value) {
    case 'boolean':
    case 'bigint':
    case 'string':
      return value
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? BigInt(value) : value
    case 'undefined':
      return null
    case 'object':
      return value === null ? null : budget.nested(() => objectValue(value, budget))
    default:
      throw typeError(`a ${typeof value} is no variable of a template`)
  }
}

function objectValue(value: object, budget: Budget): Value {
  if (Array.isArray(value)) return list(value.map((item: unknown) => toValue(item, budget)))
  const entries = new Map<unknown, DictEntry>()
  for (const [key, item] of Object.entries(value)) {
    if (item !== undefined) entries.set(key.charCodeAt(0) === 0 ? `\0s${key}` : key, { key, value: toValue(item, budget) })
  }
  return { kind: 'dict', entries }
}
