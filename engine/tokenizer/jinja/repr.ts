// str() and repr() of Python 3.11, and the truth of a value.
import type { Budget } from './budget'
import { valueError } from './failures'
import { floatRepr } from './numbers'
import { type ObjectValue, type Value, isObject } from './values'

/** Text that `{{ value }}` prints. */
export function str(value: Value, budget: Budget): string {
  if (typeof value === 'string') return value
  if (isObject(value)) {
    if (value.kind === 'markup') return value.text
    if (value.kind === 'undefined') return ''
  }
  return repr(value, budget)
}

/** repr(value). */
export function repr(value: Value, budget: Budget): string {
  budget.spend(1)
  if (value === null) return 'None'
  switch (typeof value) {
    case 'boolean':
      return value ? 'True' : 'False'
    case 'bigint':
      return integerText(value)
    case 'number':
      return floatRepr(value)
    case 'string':
      budget.text(value.length)
      return quote(value)
    default:
      return budget.nested(() => reprObject(value, budget))
  }
}

/** str(int): Python writes no more than 4300 digits. */
export function integerText(value: bigint): string {
  const text = value.toString()
  if (text.length > 4300 + Number(value < 0n)) throw valueError('Exceeds the limit (4300 digits) for integer string conversion')
  return text
}

function reprObject(value: ObjectValue, budget: Budget): string {
  const items = (values: Iterable<Value>) => joined(values, budget)
  switch (value.kind) {
    case 'markup':
      return `Markup(${quote(value.text)})`
    case 'undefined':
      return 'Undefined'
    case 'list':
      return `[${items(value.items)}]`
    case 'tuple':
      return `(${items(value.items)}${value.items.length === 1 ? ',' : ''})`
    case 'dict':
      return dictRepr(value.entries.values(), budget)
    case 'view':
      return viewRepr(value, budget)
    case 'range':
      return value.step === 1n ? `range(${value.start}, ${value.stop})` : `range(${value.start}, ${value.stop}, ${value.step})`
    case 'iterator':
      return '<generator object>'
    case 'namespace': {
      const entries = [...value.attributes].map(([key, item]) => ({ key, value: item }))
      return `<Namespace ${dictRepr(entries, budget)}>`
    }
    case 'function':
      return value.shown ?? `<function ${value.name}>`
    case 'attributes':
      return value.shown()
  }
}

function joined(values: Iterable<Value>, budget: Budget): string {
  const parts: string[] = []
  let length = 0
  for (const item of values) {
    const part = repr(item, budget)
    length += part.length + 2
    budget.text(part.length)
    budget.characters(length)
    parts.push(part)
  }
  return parts.join(', ')
}

function dictRepr(entries: Iterable<{ readonly key: Value; readonly value: Value }>, budget: Budget): string {
  const parts: string[] = []
  let length = 0
  for (const { key, value } of entries) {
    const part = `${repr(key, budget)}: ${repr(value, budget)}`
    budget.characters((length += part.length + 2))
    budget.text(part.length)
    parts.push(part)
  }
  return `{${parts.join(', ')}}`
}

function viewRepr(view: ObjectValue & { readonly kind: 'view' }, budget: Budget): string {
  const entries = [...view.dict.entries.values()]
  switch (view.of) {
    case 'keys':
      return `dict_keys([${joined(
        entries.map(({ key }) => key),
        budget,
      )}])`
    case 'values':
      return `dict_values([${joined(
        entries.map(({ value }) => value),
        budget,
      )}])`
    case 'items':
      return `dict_items([${entries.map(({ key, value }) => `(${joined([key, value], budget)})`).join(', ')}])`
  }
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }
const UNPRINTABLE = /[\\\n\r\t]|[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|[\p{Zs}]/gu

/** repr(str). */
function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'"
  const body = text.replace(UNPRINTABLE, (character) => {
    const known = ESCAPES[character]
    if (known !== undefined) return known
    return character === ' ' ? character : hexEscape(character)
  })
  return mark + (mark === "'" ? body.replaceAll("'", "\\'") : body) + mark
}

/** A character as `\x`, `\u` or `\U`. */
export function hexEscape(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`
}

/** bool(value). */
export function isTrue(value: Value): boolean {
  if (value === null) return false
  switch (typeof value) {
    case 'boolean':
      return value
    case 'bigint':
      return value !== 0n
    case 'number':
      return value !== 0
    case 'string':
      return value !== ''
    default:
      return isTrueObject(value)
  }
}

function isTrueObject(value: ObjectValue): boolean {
  switch (value.kind) {
    case 'markup':
      return value.text !== ''
    case 'undefined':
      return false
    case 'list':
    case 'tuple':
      return value.items.length > 0
    case 'dict':
      return value.entries.size > 0
    case 'view':
      return value.dict.entries.size > 0
    case 'range':
      return value.length > 0
    case 'attributes':
      return value.length === undefined || value.length() > 0
    default:
      return true
  }
}
