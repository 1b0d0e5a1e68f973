// JSON Schema's bounds of numbers as grammar. Bounds are whole numbers; others are refused, since their digits would have to be compared.
import type { JsonObject } from '../../bytes/json'
import { engineError } from '../../errors'
import { integerRange } from './integer-range'
import { fraction, integer, number, positiveFraction, zeroFraction } from './json-text'
import { choice, optional, sequence, text, type GrammarNode } from './nodes'

interface Bound {
  readonly value: number
  readonly excluded: boolean
}

/** Numbers that the schema's bounds allow. Throws "generate/schema-unsupported", "generate/schema-invalid". */
export function numberBetween(schema: JsonObject, { whole, pointer }: { readonly whole: boolean; readonly pointer: string }): GrammarNode {
  const low = bound(schema, { keys: ['minimum', 'exclusiveMinimum'], pointer })
  const high = bound(schema, { keys: ['maximum', 'exclusiveMaximum'], pointer })
  if (low === null && high === null) return whole ? integer : number
  const from = low === null ? null : low.value + (low.excluded ? 1 : 0)
  const to = high === null ? null : high.value - (high.excluded ? 1 : 0)
  const empty = engineError('generate/schema-invalid', { pointer: pointer || '/', reason: 'no number lies between the bounds' })
  if (whole) {
    if (from !== null && to !== null && from > to) throw empty
    return integerRange(from, to)
  }
  const options = [...decimals(low, high), ...decimals(flip(high), flip(low)).map((node) => sequence(text('-'), node))]
  if (options.length === 0) throw empty
  return choice(...options)
}

/** Decimals of 0 and more between two bounds: whole part and fraction. */
function decimals(low: Bound | null, high: Bound | null): GrammarNode[] {
  const from: Bound = low === null || low.value < 0 ? { value: 0, excluded: false } : low
  if (high !== null && (high.value < from.value || (high.value === from.value && (high.excluded || from.excluded)))) return []
  if (high?.value === from.value) return [sequence(text(String(from.value)), optional(zeroFraction))]
  const options: GrammarNode[] = []
  // From here on the highest whole part that may have any fraction is the one below the upper bound.
  const last = high === null ? null : high.value - 1
  const first = from.excluded ? from.value + 1 : from.value
  if (from.excluded) options.push(sequence(text(String(from.value)), positiveFraction))
  if (last === null || first <= last) options.push(sequence(integerRange(first, last), optional(fraction)))
  if (high !== null && !high.excluded) options.push(sequence(text(String(high.value)), optional(zeroFraction)))
  return options
}

function flip(bound: Bound | null): Bound | null {
  return bound === null ? null : { value: -bound.value, excluded: bound.excluded }
}

/** The stricter of a bound and its exclusive form, or null. */
function bound(
  schema: JsonObject,
  { keys, pointer }: { readonly keys: readonly [string, string]; readonly pointer: string },
): Bound | null {
  const given = keys.filter((key) => schema[key] !== undefined)
  const [key] = given
  if (key === undefined) return null
  if (given.length > 1) throw engineError('generate/schema-unsupported', { keyword: given.join(' beside '), pointer: pointer || '/' })
  const value = schema[key]
  if (typeof value !== 'number')
    throw engineError('generate/schema-invalid', { pointer: `${pointer}/${key}`, reason: 'it must be a number' })
  if (!Number.isSafeInteger(value) || Math.abs(value) >= 1e15)
    throw engineError('generate/schema-unsupported', { keyword: `${key} ${value}`, pointer: pointer || '/' })
  return { value, excluded: key.startsWith('exclusive') }
}
