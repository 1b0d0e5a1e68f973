// Filters over lists, dicts and numbers. Follows jinja2 3.1.6 (filters.py). Those that are generators there are lazy here too.
import { groupTuple } from './access'
import { asIndex, bind } from './arguments'
import { attributeGetter, ignoringCase, multiAttributeGetter } from './attributes-of'
import { pairTuple } from './collection-methods'
import { equals, hashKey, isLess, sorted } from './compare'
import { PythonError, typeError, valueError } from './failures'
import { iterate, length, toItems } from './iteration'
import { integerOf, parseFloatText, parseInteger, roundFloat, roundInteger, toFloat } from './numbers'
import { binary } from './operators'
import type { Filter, Runtime } from './registry'
import { isTrue } from './repr'
import { type Arguments, type Value, isObject, isUndefined, iterator, list, numberOf, textOf, typeName, undefinedValue } from './values'

const abs: Filter = (value, args) => {
  bind('abs', args, [])
  const number = numberOf(value)
  if (number === null) throw typeError(`bad operand type for abs(): '${typeName(value)}'`)
  return typeof number === 'bigint' ? (number < 0n ? -number : number) : Math.abs(number)
}

const attr: Filter = (value, args, runtime) => {
  const name = textOf(bind('attr', args, ['name'])[0])
  if (name === null) throw typeError('attr needs the name of an attribute')
  // Items are no attributes to this filter.
  if (isObject(value) && value.kind === 'dict') return runtime.attributeOf({ kind: 'dict', entries: new Map() }, name)
  return runtime.attributeOf(value, name)
}

const batch: Filter = (value, args, { budget }) => {
  const [count = null, fill = null] = bind('batch', args, ['linecount', 'fill_with?'])
  return iterator(
    (function* () {
      let row: Value[] = []
      const size = numberOf(count)
      for (const item of iterate(value, budget)) {
        budget.items(1)
        if (BigInt(row.length) === size || row.length === size) {
          yield list(row)
          row = []
        }
        row.push(item)
      }
      if (row.length === 0) return
      if (fill !== null) {
        const missing = asIndex(count) - row.length
        budget.items(Math.max(0, missing))
        for (let added = 0; added < missing; added++) row.push(fill)
      }
      yield list(row)
    })(),
  )
}

const slice: Filter = (value, args, { budget }) => {
  const [count = null, fill = null] = bind('slice', args, ['slices', 'fill_with?'])
  return iterator(
    (function* () {
      const items = toItems(value, budget)
      const slices = asIndex(count)
      if (slices === 0) throw new PythonError('ZeroDivisionError', 'integer division or modulo by zero')
      const each = Math.floor(items.length / slices)
      const longer = items.length - each * slices
      let start = 0
      for (let number = 0; number < slices; number++) {
        const end = start + each + (number < longer ? 1 : 0)
        budget.items(1 + end - start)
        yield list([...items.slice(start, end), ...(fill !== null && number >= longer ? [fill] : [])])
        start = end
      }
    })(),
  )
}

const fallback: Filter = (value, args) => {
  const [otherwise = '', boolean = false] = bind('default', args, ['default_value?', 'boolean?'])
  return isUndefined(value) || (isTrue(boolean) && !isTrue(value)) ? otherwise : value
}

const dictsort: Filter = (value, args, runtime) => {
  const [caseSensitive = false, by = 'key', reverse = false] = bind('dictsort', args, ['case_sensitive?', 'by?', 'reverse?'])
  if (by !== 'key' && by !== 'value') throw new PythonError('FilterArgumentError', 'You can only sort by either "key" or "value"')
  if (isUndefined(value)) throw new PythonError('UndefinedError', value.message)
  if (!isObject(value) || value.kind !== 'dict') throw typeError('dictsort needs a dict')
  const key = (item: Value) => {
    const part = runtime.itemOf(item, by === 'key' ? 0n : 1n)
    return isTrue(caseSensitive) ? part : ignoringCase(part)
  }
  return list(sorted([...value.entries.values()].map(pairTuple), { key, reverse: isTrue(reverse), budget: runtime.budget }))
}

const first: Filter = (value, args, { budget }) => {
  bind('first', args, [])
  for (const item of iterate(value, budget)) return item
  return undefinedValue('No first item, sequence was empty.')
}

const last: Filter = (value, args, { budget }) => {
  bind('last', args, [])
  const [item] = reversedItems(value, budget)
  return item === undefined ? undefinedValue('No last item, sequence was empty.') : item
}

/** reversed(value) as a list. Throws TypeError for generators. */
function reversedItems(value: Value, budget: Runtime['budget']): Value[] {
  if (isObject(value) && (value.kind === 'iterator' || value.kind === 'attributes'))
    throw typeError(`'${typeName(value)}' object is not reversible`)
  return toItems(value, budget).toReversed()
}

const reverse: Filter = (value, args, { budget }) => {
  bind('reverse', args, [])
  const text = textOf(value)
  if (text !== null) {
    budget.text(text.length)
    const reversed = Array.from(text).reverse().join('')
    return typeof value === 'string' ? reversed : { kind: 'markup', text: reversed }
  }
  if (isObject(value) && value.kind === 'iterator') return list(toItems(value, budget).toReversed())
  return iterator(reversedItems(value, budget).values())
}

const groupby: Filter = (value, args, runtime) => {
  const [attribute = null, otherwise = null, caseSensitive = false] = bind('groupby', args, ['attribute', 'default?', 'case_sensitive?'])
  const { budget } = runtime
  const plain = attributeGetter(attribute, runtime, otherwise)
  const key = (item: Value) => (isTrue(caseSensitive) ? plain(item) : ignoringCase(plain(item)))
  const groups: { key: Value; items: Value[] }[] = []
  for (const item of sorted(toItems(value, budget), { key, reverse: false, budget })) {
    const group = groups.at(-1)
    if (group && equals(group.key, key(item), budget)) group.items.push(item)
    else groups.push({ key: key(item), items: [item] })
  }
  return list(groups.map(({ items }) => groupTuple(plain(items[0] ?? null), items)))
}

const toInteger: Filter = (value, args) => {
  const [otherwise = 0n, base = 10n] = bind('int', args, ['default?', 'base?'])
  const text = textOf(value)
  const number = numberOf(value)
  if (typeof number === 'bigint') return number
  try {
    if (number !== null) return integerOf(number)
    if (text !== null) return parseInteger(text, asIndex(base))
  } catch (error) {
    if (!(error instanceof PythonError) || error.kind === 'OverflowError') throw error
  }
  if (isUndefined(value)) throw new PythonError('UndefinedError', value.message)
  try {
    if (text !== null) return integerOf(parseFloatText(text))
  } catch (error) {
    if (!(error instanceof PythonError)) throw error
  }
  return otherwise
}

const toFloatFilter: Filter = (value, args) => {
  const [otherwise = 0] = bind('float', args, ['default?'])
  const number = numberOf(value)
  if (number !== null) return toFloat(number)
  if (isUndefined(value)) throw new PythonError('UndefinedError', value.message)
  try {
    const text = textOf(value)
    if (text !== null) return parseFloatText(text)
  } catch (error) {
    if (!(error instanceof PythonError)) throw error
  }
  return otherwise
}

const items: Filter = (value, args) => {
  bind('items', args, [])
  return iterator(
    (function* () {
      if (isUndefined(value)) return
      if (!isObject(value) || value.kind !== 'dict') throw typeError('Can only get item pairs from a mapping.')
      for (const entry of value.entries.values()) yield pairTuple(entry)
    })(),
  )
}

const map: Filter = (value, args, runtime) =>
  iterator(
    (function* () {
      if (!isTrue(value)) return
      const apply = mapping(args, runtime)
      for (const item of iterate(value, runtime.budget)) yield apply(item)
    })(),
  )

function mapping({ positional, named }: Arguments, runtime: Runtime): (item: Value) => Value {
  const attribute = named.get('attribute')
  if (positional.length === 0 && attribute !== undefined) {
    const more = [...named.keys()].find((key) => key !== 'attribute' && key !== 'default')
    if (more !== undefined) throw new PythonError('FilterArgumentError', `Unexpected keyword argument '${more}'`)
    return attributeGetter(attribute, runtime, named.get('default'))
  }
  const [name, ...rest] = positional
  if (name === undefined) throw new PythonError('FilterArgumentError', 'map requires a filter argument')
  return (item) => runtime.filter(textOf(name) ?? typeName(name), item, { positional: rest, named })
}

/** select, reject, selectattr, rejectattr. */
const selecting =
  ({ keeps, byAttribute }: { readonly keeps: boolean; readonly byAttribute: boolean }): Filter =>
  (value, args, runtime) =>
    iterator(
      (function* () {
        if (!isTrue(value)) return
        const matches = matcher(args, { byAttribute, runtime })
        for (const item of iterate(value, runtime.budget)) if (matches(item) === keeps) yield item
      })(),
    )

function matcher(
  { positional, named }: Arguments,
  { byAttribute, runtime }: { readonly byAttribute: boolean; readonly runtime: Runtime },
): (item: Value) => boolean {
  const [attribute] = positional
  if (byAttribute && attribute === undefined) throw new PythonError('FilterArgumentError', 'Missing parameter for attribute name')
  const get = byAttribute ? attributeGetter(attribute ?? null, runtime) : (item: Value) => item
  const [name, ...rest] = positional.slice(byAttribute ? 1 : 0)
  if (name === undefined) return (item) => isTrue(get(item))
  return (item) => runtime.test(textOf(name) ?? typeName(name), get(item), { positional: rest, named })
}

const extreme =
  (name: string, takes: (candidate: Value, best: Value, budget: Runtime['budget']) => boolean): Filter =>
  (value, args, runtime) => {
    const [caseSensitive = false, attribute = null] = bind(name, args, ['case_sensitive?', 'attribute?'])
    const get = attributeGetter(attribute, runtime)
    let best: { item: Value; key: Value } | null = null
    for (const item of iterate(value, runtime.budget)) {
      const key = isTrue(caseSensitive) ? get(item) : ignoringCase(get(item))
      if (best === null || takes(key, best.key, runtime.budget)) best = { item, key }
    }
    return best === null ? undefinedValue('No aggregated item, sequence was empty.') : best.item
  }

const round: Filter = (value, args, { budget }) => {
  const [precision = 0n, method = 'common'] = bind('round', args, ['precision?', 'method?'])
  if (method !== 'common' && method !== 'ceil' && method !== 'floor') {
    throw new PythonError('FilterArgumentError', 'method must be common, ceil or floor')
  }
  const number = numberOf(value)
  if (number === null) throw typeError(`type ${typeName(value)} doesn't define __round__ method`)
  if (method !== 'common') return ceilOrFloor(number, { method, precision }, budget)
  // round(value, None) gives a whole number.
  if (precision === null) return typeof number === 'bigint' ? number : integerOf(roundFloat(number, 0))
  const digits = asIndex(precision)
  if (typeof number === 'number') return roundFloat(number, digits)
  return digits < 0 ? roundInteger(number, digits) : number
}

function ceilOrFloor(
  number: bigint | number,
  { method, precision }: { readonly method: 'ceil' | 'floor'; readonly precision: Value },
  budget: Runtime['budget'],
): Value {
  const digits = asIndex(precision)
  if (Math.abs(digits) > 400) throw valueError('the precision is out of range')
  // 10 ** -n is a float in Python.
  const factor = digits >= 0 ? 10n ** BigInt(digits) : 10 ** digits
  if (typeof number === 'bigint' && typeof factor === 'bigint') return binary('/', { left: number * factor, right: factor }, budget)
  const scaled = toFloat(number) * toFloat(factor)
  const whole = integerOf(Math[method](scaled))
  return binary('/', { left: whole, right: factor }, budget)
}

const sort: Filter = (value, args, runtime) => {
  const [descending = false, caseSensitive = false, attribute = null] = bind('sort', args, ['reverse?', 'case_sensitive?', 'attribute?'])
  const get = multiAttributeGetter(attribute, runtime)
  const key = (item: Value) => (isTrue(caseSensitive) ? get(item) : ignoringCase(get(item)))
  return list(sorted(toItems(value, runtime.budget), { key, reverse: isTrue(descending), budget: runtime.budget }))
}

const sum: Filter = (value, args, runtime) => {
  const [attribute = null, start = 0n] = bind('sum', args, ['attribute?', 'start?'])
  const get = attributeGetter(attribute, runtime)
  if (textOf(start) !== null) throw typeError("sum() can't sum strings [use ''.join(seq) instead]")
  let total = start
  for (const item of iterate(value, runtime.budget)) total = binary('+', { left: total, right: get(item) }, runtime.budget)
  return total
}

const unique: Filter = (value, args, runtime) => {
  const [caseSensitive = false, attribute = null] = bind('unique', args, ['case_sensitive?', 'attribute?'])
  const get = attributeGetter(attribute, runtime)
  return iterator(
    (function* () {
      const seen = new Set<unknown>()
      for (const item of iterate(value, runtime.budget)) {
        runtime.budget.items(1)
        const key = hashKey(isTrue(caseSensitive) ? get(item) : ignoringCase(get(item)), runtime.budget)
        if (seen.has(key)) continue
        seen.add(key)
        yield item
      }
    })(),
  )
}

const count: Filter = (value, args) => {
  bind('length', args, [])
  return BigInt(length(value))
}

/** Picks the first item: a prompt is the same every time it is made. */
const random: Filter = (value, args, runtime) => {
  bind('random', args, [])
  return length(value) === 0 ? undefinedValue('No random item, sequence was empty.') : runtime.itemOf(value, 0n)
}

export const ITEM_FILTERS: ReadonlyMap<string, Filter> = new Map<string, Filter>([
  ['abs', abs],
  ['attr', attr],
  ['batch', batch],
  ['count', count],
  ['d', fallback],
  ['default', fallback],
  ['dictsort', dictsort],
  ['first', first],
  ['float', toFloatFilter],
  ['groupby', groupby],
  ['int', toInteger],
  ['items', items],
  ['last', last],
  ['length', count],
  ['list', (value, args, { budget }) => (bind('list', args, []), list([...toItems(value, budget)]))],
  ['map', map],
  ['max', extreme('max', (candidate, best, budget) => isLess(best, candidate, budget))],
  ['min', extreme('min', (candidate, best, budget) => isLess(candidate, best, budget))],
  ['random', random],
  ['reject', selecting({ keeps: false, byAttribute: false })],
  ['rejectattr', selecting({ keeps: false, byAttribute: true })],
  ['reverse', reverse],
  ['round', round],
  ['select', selecting({ keeps: true, byAttribute: false })],
  ['selectattr', selecting({ keeps: true, byAttribute: true })],
  ['slice', slice],
  ['sort', sort],
  ['sum', sum],
  ['unique', unique],
])
