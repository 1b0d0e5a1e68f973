// What Python writes for a value: `str` and `repr` of Python 3.11 on the runtime values of @huggingface/jinja, and str.strip.
import type { Interpreter } from '@huggingface/jinja'

/** A value at render time. */
export type JinjaValue = ReturnType<Interpreter['evaluate']>

/** The text of a text value; of any other nothing. */
export function textOf(value: JinjaValue): string {
  const inner: unknown = value.value
  return typeof inner === 'string' ? inner : ''
}

/** Text that `{{ value }}` prints. */
export function pythonStr(value: JinjaValue): string {
  return value.type === 'StringValue' ? textOf(value) : pythonRepr(value)
}

function pythonRepr(value: JinjaValue): string {
  const inner: unknown = value.value
  switch (value.type) {
    case 'UndefinedValue':
      return ''
    case 'NullValue':
      return 'None'
    case 'BooleanValue':
      return inner === true ? 'True' : 'False'
    case 'StringValue':
      return quote(textOf(value))
    case 'TupleValue': {
      const items = listItems(inner)
      return items.length === 1 ? `(${items.join('')},)` : `(${items.join(', ')})`
    }
    case 'ArrayValue':
      return `[${listItems(inner).join(', ')}]`
    case 'ObjectValue':
    case 'KeywordArgumentsValue':
      return `{${mapItems(inner).join(', ')}}`
    default:
      return value.toString()
  }
}

function isValue(value: unknown): value is JinjaValue {
  return typeof value === 'object' && value !== null && 'type' in value && 'value' in value
}

function listItems(inner: unknown): string[] {
  return Array.isArray(inner) ? inner.map((item: unknown) => (isValue(item) ? pythonRepr(item) : String(item))) : []
}

function mapItems(inner: unknown): string[] {
  if (!(inner instanceof Map)) return []
  return [...inner].map(([key, item]: [unknown, unknown]) => `${quote(String(key))}: ${isValue(item) ? pythonRepr(item) : String(item)}`)
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'"
  const body = text.replace(/[\\\n\r\t]|[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]|[\p{Zs}]/gu, (character) => {
    const known = ESCAPES[character]
    if (known !== undefined) return known
    if (character === ' ') return character
    const code = character.codePointAt(0) ?? 0
    if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`
    return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`
  })
  return mark + (mark === "'" ? body.replaceAll("'", "\\'") : body) + mark
}

const WHITE_SPACE = /^\p{White_Space}$/u

/** str.isspace of Python: White_Space and the separators U+001C to U+001F. JavaScript's trim takes U+FEFF along and leaves those. */
function isPythonSpace(character: string): boolean {
  return WHITE_SPACE.test(character) || (character >= '\x1c' && character <= '\x1f')
}

/** str.strip, lstrip and rstrip: without `characters` whitespace goes, with them exactly those. */
export function pythonStrip(text: string, options: { readonly sides: 'both' | 'left' | 'right'; readonly characters?: string }): string {
  const points = Array.from(text)
  const set = options.characters === undefined ? null : new Set(Array.from(options.characters))
  const goes = (character: string | undefined) => character !== undefined && (set ? set.has(character) : isPythonSpace(character))
  let start = 0
  let end = points.length
  if (options.sides !== 'right') while (start < end && goes(points[start])) start++
  if (options.sides !== 'left') while (end > start && goes(points[end - 1])) end--
  return points.slice(start, end).join('')
}

const HTML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' }

/** What markupsafe.escape writes. */
export function htmlEscape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => HTML[character] ?? character)
}
