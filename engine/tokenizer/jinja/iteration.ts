// iter(), len() and list() of Python's values.
import type { Budget } from './budget'
import { typeError } from './failures'
import { type RangeValue, type Value, type ViewValue, isObject, textOf, tuple, typeName } from './values'

/** The items of a value one by one. Throws TypeError for what cannot be gone through. */
export function iterate(value: Value, budget: Budget): Iterable<Value> & Iterator<Value> {
  const text = textOf(value)
  if (text !== null) return paid(text, budget)
  if (isObject(value)) {
    switch (value.kind) {
      case 'list':
      case 'tuple':
        return paid(value.items, budget)
      case 'dict':
        return paid(keysOf(value.entries.values()), budget)
      case 'view':
        return paid(viewItems(value), budget)
      case 'range':
        return paid(rangeItems(value), budget)
      case 'undefined':
        return paid([], budget)
      case 'iterator':
        return paid(resumed(value.iterator), budget)
      case 'attributes':
        if (value.iterate) return paid(resumed(value.iterate()), budget)
        break
      default:
    }
  }
  throw typeError(`'${typeName(value)}' object is not iterable`)
}

function* paid(items: Iterable<Value>, budget: Budget): Generator<Value, undefined> {
  for (const item of items) {
    budget.spend(1)
    yield item
  }
}

function* keysOf(entries: Iterable<{ readonly key: Value }>): Generator<Value> {
  for (const { key } of entries) yield key
}

function* viewItems(view: ViewValue): Generator<Value> {
  for (const { key, value } of view.dict.entries.values()) {
    yield view.of === 'keys' ? key : view.of === 'values' ? value : tuple([key, value])
  }
}

function* rangeItems({ start, step, length }: RangeValue): Generator<Value> {
  for (let index = 0; index < length; index++) yield start + BigInt(index) * step
}

/** An iterator that a loop may leave and another go on with. */
function resumed(iterator: Iterator<Value>): Iterable<Value> {
  return { [Symbol.iterator]: () => ({ next: () => iterator.next() }) }
}

/** list(value). Throws TypeError. */
export function toItems(value: Value, budget: Budget): readonly Value[] {
  if (isObject(value) && (value.kind === 'list' || value.kind === 'tuple')) return value.items
  const items: Value[] = []
  for (const item of iterate(value, budget)) {
    budget.items(1)
    items.push(item)
  }
  return items
}

const SURROGATES = /[\ud800-\udfff]/

/** len(str): Python counts code points. */
export function textLength(text: string): number {
  if (!SURROGATES.test(text)) return text.length
  let count = 0
  for (const _ of text) count++
  return count
}

/** len(value), or null where it has none. */
export function lengthOf(value: Value): number | null {
  const text = textOf(value)
  if (text !== null) return textLength(text)
  if (!isObject(value)) return null
  switch (value.kind) {
    case 'list':
    case 'tuple':
      return value.items.length
    case 'dict':
      return value.entries.size
    case 'view':
      return value.dict.entries.size
    case 'range':
      return value.length
    case 'undefined':
      return 0
    case 'attributes':
      return value.length?.() ?? null
    default:
      return null
  }
}

/** len(value). Throws TypeError. */
export function length(value: Value): number {
  const found = lengthOf(value)
  if (found === null) throw typeError(`object of type '${typeName(value)}' has no len()`)
  return found
}
