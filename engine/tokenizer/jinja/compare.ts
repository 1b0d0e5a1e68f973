// Equality, order, hashing and `in` of Python's values.
import type { Budget } from './budget'
import { PythonError, typeError } from './failures'
import { iterate } from './iteration'
import { type DictValue, type ObjectValue, type TupleValue, type Value, isObject, isUndefined, numberOf, textOf, typeName } from './values'

/** a == b. */
export function equals(a: Value, b: Value, budget: Budget): boolean {
  if (typeof a === 'string' && typeof b === 'string') return a === b
  const [x, y] = [numberOf(a), numberOf(b)]
  if (x !== null && y !== null) return sameNumber(x, y)
  if (a === null || b === null || x !== null || y !== null) return a === b
  const [s, t] = [textOf(a), textOf(b)]
  if (s !== null && t !== null) return s === t
  if (!isObject(a) || !isObject(b)) return false
  return budget.nested(() => equalObjects(a, b, budget))
}

/** A whole number and a float compare exactly, neither made into the other. */
function sameNumber(a: bigint | number, b: bigint | number): boolean {
  if (typeof a === typeof b) return a === b
  return a <= b && a >= b
}

function equalObjects(a: ObjectValue, b: ObjectValue, budget: Budget): boolean {
  if (a === b) return true
  if ((a.kind === 'list' && b.kind === 'list') || (a.kind === 'tuple' && b.kind === 'tuple')) {
    budget.spend(1)
    return a.items.length === b.items.length && a.items.every((item, index) => equals(item, b.items[index] ?? null, budget))
  }
  if (a.kind === 'dict' && b.kind === 'dict') return equalDicts(a, b, budget)
  if (a.kind === 'undefined') return b.kind === 'undefined'
  if (a.kind === 'range' && b.kind === 'range') {
    return a.length === b.length && (a.length === 0 || (a.start === b.start && (a.length === 1 || a.step === b.step)))
  }
  if (a.kind === 'view' && b.kind === 'view' && a.of !== 'values' && b.of !== 'values') {
    const [left, right] = [[...iterate(a, budget)], [...iterate(b, budget)]]
    return left.length === right.length && left.every((item) => right.some((other) => equals(item, other, budget)))
  }
  return false
}

function equalDicts(a: DictValue, b: DictValue, budget: Budget): boolean {
  budget.spend(1 + a.entries.size)
  if (a.entries.size !== b.entries.size) return false
  for (const [key, entry] of a.entries) {
    const other = b.entries.get(key)
    if (!other || !equals(entry.value, other.value, budget)) return false
  }
  return true
}

/** a < b. Throws TypeError for values that have no order, UndefinedError for undefined ones. */
export function isLess(a: Value, b: Value, budget: Budget): boolean {
  return compare(a, b, { operator: '<', budget })
}

/** a `operator` b for an order. Throws TypeError, UndefinedError. */
export function compare(
  a: Value,
  b: Value,
  { operator, budget }: { readonly operator: '<' | '<=' | '>' | '>='; readonly budget: Budget },
): boolean {
  const undefinedOne = isUndefined(a) ? a : isUndefined(b) ? b : null
  if (undefinedOne) throw new PythonError('UndefinedError', undefinedOne.message)
  const [x, y] = [numberOf(a), numberOf(b)]
  if (x !== null && y !== null) return decide(operator, x < y ? -1 : x > y ? 1 : sameNumber(x, y) ? 0 : NaN)
  const [s, t] = [textOf(a), textOf(b)]
  if (s !== null && t !== null) return decide(operator, compareTexts(s, t))
  if (isObject(a) && isObject(b) && ((a.kind === 'list' && b.kind === 'list') || (a.kind === 'tuple' && b.kind === 'tuple'))) {
    return budget.nested(() => {
      budget.spend(1)
      const length = Math.min(a.items.length, b.items.length)
      for (let index = 0; index < length; index++) {
        const [left = null, right = null] = [a.items[index], b.items[index]]
        if (!equals(left, right, budget)) return compare(left, right, { operator, budget })
      }
      return decide(operator, a.items.length - b.items.length)
    })
  }
  throw typeError(`'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`)
}

function decide(operator: '<' | '<=' | '>' | '>=', order: number): boolean {
  switch (operator) {
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '>=':
      return order >= 0
  }
}

const SURROGATES = /[\ud800-\udfff]/

/** Order by code points: JavaScript's is by UTF-16 units. */
function compareTexts(a: string, b: string): number {
  if (a === b) return 0
  if (!SURROGATES.test(a) && !SURROGATES.test(b)) return a < b ? -1 : 1
  const [left, right] = [Array.from(a), Array.from(b)]
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const difference = (left[index]?.codePointAt(0) ?? 0) - (right[index]?.codePointAt(0) ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

/** Sorts as sorted() does: stable, with `<` alone. */
export function sorted(
  items: readonly Value[],
  { key, reverse, budget }: { readonly key: (item: Value) => Value; readonly reverse: boolean; readonly budget: Budget },
): Value[] {
  const keyed = items.map((item) => ({ item, key: key(item) }))
  const order = (a: Value, b: Value) => (isLess(a, b, budget) ? -1 : isLess(b, a, budget) ? 1 : 0)
  keyed.sort((a, b) => {
    budget.spend(1)
    return reverse ? order(b.key, a.key) : order(a.key, b.key)
  })
  return keyed.map(({ item }) => item)
}

const UNDEFINED_KEY = Symbol('undefined')

/** What stands for a value as a dict's key: equal values give the same. Throws TypeError for what has no hash. */
export function hashKey(value: Value, budget: Budget): unknown {
  if (typeof value === 'string') return value.charCodeAt(0) === 0 ? `\0s${value}` : value
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value
  if (typeof value === 'boolean') return BigInt(value)
  if (!isObject(value)) return value
  switch (value.kind) {
    case 'markup':
      return hashKey(value.text, budget)
    case 'tuple':
      return budget.nested(() => tupleKey(value, budget))
    case 'undefined':
      return UNDEFINED_KEY
    case 'list':
    case 'dict':
    case 'view':
      throw typeError(`unhashable type: '${typeName(value)}'`)
    default:
      return value
  }
}

function tupleKey(value: TupleValue, budget: Budget): unknown {
  const parts = value.items.map((item) => {
    const key = hashKey(item, budget)
    if (typeof key === 'object' && key !== null) throw typeError('an object in a tuple is no key here')
    return `${typeof key} ${String(key).length} ${String(key)}`
  })
  const key = `\0t${parts.join(',')}`
  budget.text(key.length)
  return key
}

/** item in container. Throws TypeError. */
export function contains(container: Value, item: Value, budget: Budget): boolean {
  const text = textOf(container)
  if (text !== null) {
    const part = textOf(item)
    if (part === null) throw typeError(`'in <string>' requires string as left operand, not ${typeName(item)}`)
    budget.text(text.length)
    return text.includes(part)
  }
  if (isObject(container)) {
    if (container.kind === 'dict') return container.entries.has(hashKey(item, budget))
    if (container.kind === 'view' && container.of === 'keys') return container.dict.entries.has(hashKey(item, budget))
    if (container.kind === 'namespace') throw typeError("argument of type 'Namespace' is not iterable")
  }
  for (const member of iterate(container, budget)) if (equals(member, item, budget)) return true
  return false
}
