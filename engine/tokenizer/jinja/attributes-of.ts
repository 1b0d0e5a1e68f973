// Keys that filters sort, group and select by: `attribute="a.0.b"`. Follows jinja2 3.1.6 (make_attrgetter).
import { asText } from './arguments'
import type { Reach } from './reach'
import { type Value, isObject, isUndefined, list, textOf } from './values'

/** Gives the attribute of an item; null takes the item itself. */
export function attributeGetter(attribute: Value, reach: Reach, otherwise?: Value): (item: Value) => Value {
  const steps = stepsOf(attribute)
  return (item) => {
    let value = item
    for (const step of steps) {
      value = reach.itemOf(value, step)
      if (otherwise !== undefined && otherwise !== null && isUndefined(value)) value = otherwise
    }
    return value
  }
}

/** Several attributes with commas between give a list. */
export function multiAttributeGetter(attribute: Value, reach: Reach): (item: Value) => Value {
  const text = textOf(attribute)
  const parts = text === null ? [attribute] : text.split(',')
  const getters = parts.map((part) => attributeGetter(part, reach))
  return (item) => list(getters.map((get) => get(item)))
}

function stepsOf(attribute: Value): Value[] {
  if (attribute === null) return []
  if (typeof attribute === 'bigint') return [attribute]
  return asText(attribute)
    .split('.')
    .map((part) => (/^\d+$/.test(part) ? BigInt(part) : part))
}

/** Texts in lower case, everything else as it is. */
export function ignoringCase(value: Value): Value {
  if (isObject(value) && value.kind === 'list') return list(value.items.map(ignoringCase))
  return textOf(value)?.toLowerCase() ?? value
}
