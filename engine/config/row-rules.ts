// Reads what a row's rules say from a config.json: numbers and switches, fixed or from fields.
import type { JsonValue } from '../bytes/json'
import { engineError } from '../errors'
import { fieldValue, optionalBoolean, optionalInteger, optionalNumber, optionalObject, wrongType, type ConfigFields } from './config-fields'
import type { FieldNames, FlagRule, NumberRule, SizeName } from './families/types'
import type { NumberLimit } from './limits'

/** Sizes that are known when a rule is read. */
export type KnownSizes = Partial<Readonly<Record<SizeName, number>>>

interface Place {
  readonly fields: ConfigFields
  readonly name: string
}

/** Where a field lies: `a.b` is field b of the object a; null where that object is absent. */
function placeOf(config: ConfigFields, name: string): Place | null {
  const dot = name.indexOf('.')
  if (dot < 0) return { fields: config, name }
  const inner = optionalObject(config, name.slice(0, dot))
  return inner === null ? null : { fields: inner, name: name.slice(dot + 1) }
}

/** The value of a field as it is written; null where it or an object around it is absent. */
export function valueAt(config: ConfigFields, name: string): JsonValue {
  const place = placeOf(config, name)
  return (place === null ? null : fieldValue(place.fields, place.name)) ?? null
}

/** The first of the named fields that is neither absent nor null. */
export function firstPresent(config: ConfigFields, names: FieldNames): Place | null {
  for (const name of typeof names === 'string' ? [names] : names) {
    const place = placeOf(config, name)
    const value = place === null ? undefined : fieldValue(place.fields, place.name)
    if (place !== null && value !== undefined && value !== null) return place
  }
  return null
}

function firstName(names: FieldNames): string {
  return typeof names === 'string' ? names : (names[0] ?? '')
}

/** Whether the first name is written as null, which is not the same as absent for some defaults. */
function isNull(config: ConfigFields, names: FieldNames): boolean {
  const place = placeOf(config, firstName(names))
  return place !== null && fieldValue(place.fields, place.name) === null
}

interface NumberOptions {
  readonly limit: NumberLimit
  readonly whole?: boolean
  readonly sizes?: KnownSizes
}

/** The number of a rule, or null where it has none. Throws "config/missing-field" for a required field. */
export function ruleNumber(config: ConfigFields, rule: NumberRule, options: NumberOptions): number | null {
  if (rule === null || typeof rule === 'number') return rule
  const place = firstPresent(config, rule.field)
  const read = options.whole === true ? optionalInteger : optionalNumber
  const written = place === null ? null : read(place.fields, place.name, options.limit)
  if (written !== null) {
    return used(written, rule, options)
  }
  const fallback = rule.default
  if (fallback === undefined) throw engineError('config/missing-field', { path: config.path, field: config.prefix + firstName(rule.field) })
  if (fallback === null || isNull(config, rule.field))
    return typeof fallback === 'object' && fallback !== null ? computed(fallback, options) : null
  if (typeof fallback === 'object') return computed(fallback, options)
  return used(fallback, rule, options)
}

/** The number as the family uses what is written. */
function used(written: number, rule: Extract<NumberRule, object>, { sizes = {} }: NumberOptions): number {
  const { as, over, overRootOf } = rule
  const value = as === undefined ? written : as === 'half' ? written / 2 : as === 'inverse' ? 1 / written : 1 / Math.sqrt(written)
  const divisor = over === undefined ? 1 : (sizes[over] ?? 1)
  return value / divisor / Math.sqrt(overRootOf === undefined ? 1 : (sizes[overRootOf] ?? 1))
}

function computed(fallback: { readonly times: number; readonly size: SizeName }, { sizes = {} }: NumberOptions): number | null {
  const size = sizes[fallback.size]
  return size === undefined ? null : size * fallback.times
}

/** A number that must be there. */
export function requiredRuleNumber(config: ConfigFields, rule: NumberRule, options: NumberOptions & { readonly what: string }): number {
  const number = ruleNumber(config, rule, options)
  if (number !== null) return number
  const field = typeof rule === 'object' && rule !== null ? firstName(rule.field) : options.what
  throw engineError('config/missing-field', { path: config.path, field: config.prefix + field })
}

/** The state of a switch. */
export function ruleFlag(config: ConfigFields, rule: FlagRule): boolean {
  if (typeof rule === 'boolean') return rule
  const place = firstPresent(config, rule.field)
  if (place === null) return rule.default
  if (rule.equals === undefined) return optionalBoolean(place.fields, place.name) ?? rule.default
  const value = fieldValue(place.fields, place.name)
  if (value === undefined || value === null) return rule.default
  if (typeof value === 'object') throw wrongType(place.fields, place.name, 'a single value')
  return value === rule.equals
}
