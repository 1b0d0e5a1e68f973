// Attributes and items of values, as the sandbox of jinja2 3.1.6 (ImmutableSandboxedEnvironment) lets a template have them.
import type { Budget } from './budget'
import { hashKey } from './compare'
import { PythonError, typeError, valueError } from './failures'
import { collectionMethod, MUTATING } from './collection-methods'
import { textLength } from './iteration'
import { markup } from './markup'
import { numberAttribute } from './number-methods'
import type { Reach } from './reach'
import { repr } from './repr'
import { textMethod } from './text-methods'
import {
  type DictValue,
  type ObjectValue,
  type TupleValue,
  type Value,
  isObject,
  isUndefined,
  list,
  textOf,
  tuple,
  typeName,
  undefinedValue,
} from './values'

/** What lets functions look into values. */
export function createReach(budget: Budget): Reach {
  const reach: Reach = {
    budget,
    attributeOf: (object, name) => attributeOf(object, name, reach),
    itemOf: (object, index) => itemOf(object, index, reach),
  }
  return reach
}

/** object.name: an attribute, else the item of that name, else undefined. Throws UndefinedError for attributes of undefined values. */
function attributeOf(object: Value, name: string, reach: Reach): Value {
  reach.budget.spend(1)
  const attribute = pythonAttribute(object, name, reach)
  if (attribute !== undefined) return attribute
  if (isUndefined(object)) throw new PythonError('UndefinedError', object.message)
  const item = isObject(object) && object.kind === 'dict' ? dictItem(object, name, reach.budget) : undefined
  return item === undefined ? missing(object, name, reach.budget) : item
}

/** object[index]: an item, else the attribute of that name, else undefined. Throws UndefinedError for items of undefined values. */
function itemOf(object: Value, index: Value, reach: Reach): Value {
  reach.budget.spend(1)
  if (isUndefined(object)) throw new PythonError('UndefinedError', object.message)
  const item = subscript(object, index, reach.budget)
  if (item !== undefined) return item
  const name = textOf(index)
  const attribute = name === null ? undefined : pythonAttribute(object, name, reach)
  return attribute === undefined ? missing(object, index, reach.budget) : attribute
}

function missing(object: Value, name: Value, budget: Budget): Value {
  const shown = textOf(name)
  if (shown !== null) {
    return undefinedValue(
      isObject(object) && object.kind === 'dict'
        ? `'dict object' has no attribute '${shown}'`
        : `'${typeName(object)} object' has no attribute '${shown}'`,
    )
  }
  return undefinedValue(`${typeName(object)} object has no element ${isObject(name) ? typeName(name) : repr(name, budget)}`)
}

/** getattr(); undefined where Python has an AttributeError. What the sandbox refuses is an undefined value. */
function pythonAttribute(object: Value, name: string, reach: Reach): Value | undefined {
  // Whether it is there or not, a template does not get it.
  if (name.startsWith('__') && !(isUndefined(object) && name !== '__class__'))
    return { kind: 'undefined', message: `access to attribute '${name}' is unsafe`, unsafe: true }
  const text = textOf(object)
  if (text !== null) return textMethod(text, { name, reach, isMarkup: typeof object !== 'string' })
  if (!isObject(object)) return numberAttribute(object, name)
  switch (object.kind) {
    case 'list':
    case 'dict':
    case 'tuple':
    case 'range':
    case 'view': {
      if (MUTATING[object.kind]?.has(name) === true) {
        return { kind: 'undefined', message: `access to attribute '${name}' of '${typeName(object)}' object is unsafe.`, unsafe: true }
      }
      if (object.kind === 'tuple') {
        const named = object.names?.indexOf(name) ?? -1
        if (named !== -1) return object.items[named]
      }
      return collectionMethod(object, name, reach)
    }
    case 'namespace':
      return object.attributes.get(name)
    case 'function':
      return object.attributes?.get(name)
    case 'attributes':
      return object.attribute(name)
    default:
      return undefined
  }
}

/** object[index] of Python; undefined where it has a TypeError, IndexError or KeyError. */
function subscript(object: Value, index: Value, budget: Budget): Value | undefined {
  if (isObject(object) && object.kind === 'dict') return dictItem(object, index, budget)
  const position = typeof index === 'boolean' ? Number(index) : typeof index === 'bigint' ? Number(index) : null
  const text = textOf(object)
  if (position === null) return undefined
  if (text !== null) {
    const character = characterAt(text, position)
    return character === undefined || typeof object === 'string' ? character : markup(character)
  }
  if (!isObject(object)) return undefined
  if (object.kind === 'list' || object.kind === 'tuple') return object.items.at(position)
  if (object.kind !== 'range') return undefined
  const at = position < 0 ? position + object.length : position
  return at < 0 || at >= object.length ? undefined : object.start + BigInt(at) * object.step
}

function characterAt(text: string, position: number): string | undefined {
  if (!/[\ud800-\udfff]/.test(text)) return text.at(position)
  return Array.from(text).at(position)
}

function dictItem(dict: DictValue, key: Value, budget: Budget): Value | undefined {
  if (isObject(key) && (key.kind === 'list' || key.kind === 'dict' || key.kind === 'view')) return undefined
  return dict.entries.get(hashKey(key, budget))?.value
}

/** object[start:stop:step]. Throws ValueError, TypeError, UndefinedError. */
export function sliceOf(object: Value, bounds: { readonly start: Value; readonly stop: Value; readonly step: Value }, reach: Reach): Value {
  const { budget } = reach
  if (isUndefined(object)) throw new PythonError('UndefinedError', object.message)
  const text = textOf(object)
  const length = text !== null ? textLength(text) : isObject(object) ? sliceableLength(object) : null
  const step = bound(bounds.step)
  const [start, stop] = [bound(bounds.start), bound(bounds.stop)]
  if (length === null) throw typeError(`'${typeName(object)}' object is not subscriptable`)
  if (step === 0) throw valueError('slice step cannot be zero')
  const positions = slicePositions({ start, stop, step: step ?? 1, length })
  if (text !== null) {
    budget.text(text.length)
    const simple = (step ?? 1) === 1 && length === text.length
    const { first, count } = positions
    const points = simple ? [] : Array.from(text)
    const cut = simple
      ? text.slice(first, first + count)
      : positionsOf(positions)
          .map((position) => points[position] ?? '')
          .join('')
    return typeof object === 'string' ? cut : markup(cut)
  }
  if (isObject(object) && object.kind === 'range') {
    const first = object.start + BigInt(positions.first) * object.step
    const each = object.step * BigInt(positions.step)
    return { kind: 'range', start: first, stop: first + each * BigInt(positions.count), step: each, length: positions.count }
  }
  budget.items(positions.count)
  const from = isObject(object) && (object.kind === 'list' || object.kind === 'tuple') ? object.items : []
  const items = positionsOf(positions).map((position) => from[position] ?? null)
  return isObject(object) && object.kind === 'tuple' ? tuple(items) : list(items)
}

function sliceableLength(object: ObjectValue): number | null {
  if (object.kind === 'list' || object.kind === 'tuple') return object.items.length
  return object.kind === 'range' ? object.length : null
}

/** A bound as a number, null for none. Throws TypeError. */
function bound(value: Value): number | null {
  if (value === null) return null
  if (typeof value !== 'bigint' && typeof value !== 'boolean') throw typeError('slice indices must be integers or None')
  return Number(value)
}

interface Positions {
  readonly first: number
  readonly step: number
  readonly count: number
}

/** slice.indices() of Python. */
function slicePositions({
  start,
  stop,
  step,
  length,
}: {
  readonly start: number | null
  readonly stop: number | null
  readonly step: number
  readonly length: number
}): Positions {
  const [lower, upper] = step > 0 ? [0, length] : [-1, length - 1]
  const clamp = (value: number | null, absent: number) => {
    if (value === null) return absent
    return value < 0 ? Math.max(value + length, lower) : Math.min(value, upper)
  }
  const first = clamp(start, step > 0 ? lower : upper)
  const last = clamp(stop, step > 0 ? upper : lower)
  return { first, step, count: Math.max(0, Math.ceil((last - first) / step)) }
}

function positionsOf({ first, step, count }: Positions): number[] {
  return Array.from({ length: count }, (_, index) => first + index * step)
}

/** The named tuple that groupby gives. */
export function groupTuple(grouper: Value, items: readonly Value[]): TupleValue {
  return { kind: 'tuple', items: [grouper, list(items)], names: ['grouper', 'list'] }
}

/** Calls a value. Throws TypeError, UndefinedError, SecurityError. */
export function callValue(
  callee: Value,
  args: { readonly positional: readonly Value[]; readonly named: ReadonlyMap<string, Value> },
  budget: Budget,
): Value {
  if (isObject(callee)) {
    if (callee.kind === 'function') return budget.nested(() => callee.call(args))
    if (callee.kind === 'attributes' && callee.call) return callee.call(args)
    if (callee.kind === 'undefined') throw new PythonError(callee.unsafe ? 'SecurityError' : 'UndefinedError', callee.message)
  }
  throw typeError(`'${typeName(callee)}' object is not callable`)
}
