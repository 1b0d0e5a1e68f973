// JSON as Python's json module reads and writes it (3.11): whole numbers of any size, 1.0 apart from 1, NaN and Infinity.
import type { Budget } from './budget'
import { equals, hashKey, sorted } from './compare'
import { typeError, valueError } from './failures'
import { floatRepr } from './numbers'
import { integerText } from './repr'
import { type DictEntry, type DictValue, type Value, isObject, list, textOf, typeName } from './values'

/** Deeper than any schema, and less than Python's own recursion allows. */
const MAX_JSON_DEPTH = 128

/** Reads a JSON text. Throws ValueError. */
export function parseJson(text: string, budget: Budget): Value {
  const parser = new JsonParser(text, budget)
  return parser.document()
}

const CONTROL_CHARACTERS = '\\0-\\x1f'
const CONTROL = new RegExp(`[${CONTROL_CHARACTERS}]`)
const ESCAPED = new RegExp(`["\\\\${CONTROL_CHARACTERS}]`, 'g')
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?/y
const SPACE = /[ \t\n\r]*/y
const STRING = /"((?:[^"\\]|\\[^])*)"/y
const WORDS: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
])

class JsonParser {
  readonly #text: string
  readonly #budget: Budget
  #at = 0

  constructor(text: string, budget: Budget) {
    this.#text = text
    this.#budget = budget
  }

  document(): Value {
    const value = this.#value(0)
    this.#space()
    if (this.#at < this.#text.length) this.#fail()
    return value
  }

  #fail(): never {
    throw valueError(`not JSON at character ${this.#at}`)
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match) this.#at += match[0].length
    return match
  }

  #space(): void {
    this.#match(SPACE)
  }

  #skip(character: string): boolean {
    this.#space()
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  #value(depth: number): Value {
    if (depth > MAX_JSON_DEPTH) throw valueError(`JSON nested more than ${MAX_JSON_DEPTH} deep`)
    this.#space()
    this.#budget.items(1)
    if (this.#skip('{')) return this.#object(depth)
    if (this.#skip('[')) return this.#array(depth)
    if (this.#text[this.#at] === '"') return this.#string()
    for (const [word, value] of WORDS) {
      if (!this.#text.startsWith(word, this.#at)) continue
      this.#at += word.length
      return value
    }
    const number = this.#match(NUMBER)
    if (!number) return this.#fail()
    const [whole, fraction, exponent] = number
    if (fraction !== undefined || exponent !== undefined) return Number(whole)
    if (whole.length > 4300) throw valueError('a number of more than 4300 digits')
    return BigInt(whole)
  }

  #string(): string {
    const match = this.#match(STRING)
    if (!match) return this.#fail()
    const [whole, inner = ''] = match
    // JSON.parse refuses line breaks in a string as Python does, and knows all escapes.
    const parsed: unknown = inner.includes('\\') || CONTROL.test(inner) ? JSON.parse(whole) : inner
    return typeof parsed === 'string' ? parsed : this.#fail()
  }

  #array(depth: number): Value {
    const items: Value[] = []
    if (this.#skip(']')) return list(items)
    do items.push(this.#value(depth + 1))
    while (this.#skip(','))
    if (!this.#skip(']')) this.#fail()
    return list(items)
  }

  #object(depth: number): DictValue {
    const entries = new Map<unknown, DictEntry>()
    if (this.#skip('}')) return { kind: 'dict', entries }
    do {
      this.#space()
      const key = this.#string()
      if (!this.#skip(':')) this.#fail()
      entries.set(hashKey(key, this.#budget), { key, value: this.#value(depth + 1) })
    } while (this.#skip(','))
    if (!this.#skip('}')) this.#fail()
    return { kind: 'dict', entries }
  }
}

export interface JsonStyle {
  readonly ensureAscii: boolean
  /** The text of one level, or null for one line. */
  readonly indent: string | null
  readonly itemSeparator: string
  readonly keySeparator: string
  readonly sortKeys: boolean
}

/** json.dumps. Throws TypeError for what is no JSON. */
export function writeJson(value: Value, style: JsonStyle, budget: Budget): string {
  const parts: string[] = []
  let length = 0
  const put = (text: string) => {
    budget.characters((length += text.length))
    budget.text(text.length)
    parts.push(text)
  }
  const write = (item: Value, indent: string): void => {
    const scalar = scalarJson(item, style)
    if (scalar !== null) put(scalar)
    else if (isObject(item) && (item.kind === 'list' || item.kind === 'tuple')) {
      budget.nested(() => within(item.items, { brackets: '[]', indent, each: write }))
    } else if (isObject(item) && item.kind === 'dict') {
      const pairs = pairsInOrder(item, style, budget)
      const each = ({ key, value: inner }: DictEntry, deeper: string) => {
        put(jsonString(jsonKey(key), style.ensureAscii) + style.keySeparator)
        write(inner, deeper)
      }
      budget.nested(() => within(pairs, { brackets: '{}', indent, each }))
    } else throw typeError(`Object of type ${typeName(item)} is not JSON serializable`)
  }
  const within = <T>(
    items: readonly T[],
    {
      brackets,
      indent,
      each,
    }: { readonly brackets: '[]' | '{}'; readonly indent: string; readonly each: (item: T, indent: string) => void },
  ): void => {
    if (items.length === 0) {
      put(brackets)
      return
    }
    const deeper = indent + (style.indent ?? '')
    const line = style.indent === null ? '' : `\n${deeper}`
    items.forEach((item, index) => {
      put((index === 0 ? brackets.charAt(0) : style.itemSeparator) + line)
      each(item, deeper)
    })
    put((style.indent === null ? '' : `\n${indent}`) + brackets.charAt(1))
  }
  write(value, '')
  return parts.join('')
}

function pairsInOrder(dict: DictValue, { sortKeys }: JsonStyle, budget: Budget): readonly DictEntry[] {
  const pairs = [...dict.entries.values()]
  budget.spend(1 + pairs.length)
  if (!sortKeys) return pairs
  const keys = sorted(
    pairs.map(({ key }) => key),
    { key: (key) => key, reverse: false, budget },
  )
  return keys.map((key) => pairs.find((pair) => pair.key === key || equals(pair.key, key, budget)) ?? { key, value: null })
}

function scalarJson(value: Value, { ensureAscii }: JsonStyle): string | null {
  const text = textOf(value)
  if (text !== null) return jsonString(text, ensureAscii)
  if (value === null) return 'null'
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (typeof value === 'bigint') return integerText(value)
  return typeof value === 'number' ? jsonFloat(value) : null
}

function jsonFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? floatRepr(value) : value > 0 ? 'Infinity' : '-Infinity'
}

function jsonKey(key: Value): string {
  const text = textOf(key)
  if (text !== null) return text
  if (key === null) return 'null'
  if (typeof key === 'boolean') return key ? 'true' : 'false'
  if (typeof key === 'bigint') return integerText(key)
  if (typeof key === 'number') return jsonFloat(key)
  throw typeError(`keys must be str, int, float, bool or None, not ${typeName(key)}`)
}

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\f': '\\f',
  '\b': '\\b',
}

function jsonString(text: string, ensureAscii: boolean): string {
  const escaped = text.replace(ensureAscii ? /["\\]|[^ -~]/g : ESCAPED, (unit) => {
    return SHORT[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
  return `"${escaped}"`
}
