// Checked access to the fields of a configuration file: type, limit, and an error that names the field.
import { isJsonObject, type JsonObject, type JsonValue } from '../bytes/json'
import { engineError } from '../errors'
import type { NumberLimit } from './limits'

/** An object of a configuration file; `prefix` is where it lies in the file, as in `rope_parameters.`. */
export interface ConfigFields {
  readonly json: JsonObject
  readonly path: string
  readonly prefix: string
  /** Collects the names that were looked at, so that what is left over can be judged. */
  readonly seen?: Set<string>
}

/** The value of a field; undefined when it is absent, null when it is written as null. Reads own keys only. */
export function fieldValue(fields: ConfigFields, name: string): JsonValue | undefined {
  fields.seen?.add(name)
  return Object.hasOwn(fields.json, name) ? fields.json[name] : undefined
}

/** An object inside the configuration, or null when the field is absent or null. */
export function optionalObject(fields: ConfigFields, name: string): ConfigFields | null {
  const value = fieldValue(fields, name)
  if (value === undefined || value === null) return null
  if (!isJsonObject(value)) throw wrongType(fields, name, 'an object')
  return { json: value, path: fields.path, prefix: `${fields.prefix}${name}.` }
}

/** The error for a field of the wrong type. */
export function wrongType(fields: ConfigFields, name: string, expected: string): Error {
  return engineError('config/wrong-type', {
    path: fields.path,
    field: fields.prefix + name,
    found: fieldValue(fields, name) ?? null,
    expected,
  })
}

/** The error for a switch whose value would change the result. */
export function unsupportedSwitch(fields: ConfigFields, name: string, supported: string): Error {
  return engineError('config/unsupported-switch', {
    path: fields.path,
    field: fields.prefix + name,
    found: fieldValue(fields, name) ?? null,
    supported,
  })
}

function checkLimit(fields: ConfigFields, name: string, value: number, limit: NumberLimit): number {
  if (value >= limit.min && value <= limit.max) return value
  throw engineError('config/out-of-range', { path: fields.path, field: fields.prefix + name, found: value, ...limit })
}

/** A number within its limit, or null when the field is absent or null. */
export function optionalNumber(fields: ConfigFields, name: string, limit: NumberLimit): number | null {
  const value = fieldValue(fields, name)
  if (value === undefined || value === null) return null
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrongType(fields, name, 'a finite number')
  return checkLimit(fields, name, value, limit)
}

/** A whole number within its limit, or null when the field is absent or null. */
export function optionalInteger(fields: ConfigFields, name: string, limit: NumberLimit): number | null {
  const value = optionalNumber(fields, name, limit)
  if (value !== null && !Number.isInteger(value)) throw wrongType(fields, name, 'a whole number')
  return value
}

/** A boolean, or null when the field is absent or null. */
export function optionalBoolean(fields: ConfigFields, name: string): boolean | null {
  const value = fieldValue(fields, name)
  if (value === undefined || value === null) return null
  if (typeof value !== 'boolean') throw wrongType(fields, name, 'true or false')
  return value
}

/** A list of finite numbers, or null when the field is absent or null. */
export function optionalNumbers(fields: ConfigFields, name: string, limit: NumberLimit): readonly number[] | null {
  const value = fieldValue(fields, name)
  if (value === undefined || value === null) return null
  if (!Array.isArray(value)) throw wrongType(fields, name, 'a list of numbers')
  return value.map((number: unknown) => {
    if (typeof number !== 'number' || !Number.isFinite(number)) throw wrongType(fields, name, 'a list of numbers')
    return checkLimit(fields, name, number, limit)
  })
}

/** A string, or null when the field is absent or null. */
export function optionalString(fields: ConfigFields, name: string): string | null {
  const value = fieldValue(fields, name)
  if (value === undefined || value === null) return null
  if (typeof value !== 'string') throw wrongType(fields, name, 'a string')
  return value
}
