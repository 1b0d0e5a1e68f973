// What Python does and @huggingface/jinja 0.5.11 lacks: operators, text methods and filters of jinja2 3.1, on the library's runtime values. Every function gives null for what is not its own.
import { htmlEscape, pythonStr, pythonStrip, textOf, type JinjaValue } from './jinja-python'

/** A result before it is a value of the library's; `items` become a list. */
export type ShimResult =
  | { readonly text: string }
  | { readonly integer: number }
  | { readonly float: number }
  | { readonly boolean: boolean }
  | { readonly items: readonly (JinjaValue | string)[] }

/** Names that the library has under another one. */
export const FILTER_ALIASES: Readonly<Record<string, string>> = { d: 'default', count: 'length' }

function numberOf(value: JinjaValue | undefined): number | null {
  const inner: unknown = value?.value
  return (value?.type === 'IntegerValue' || value?.type === 'FloatValue') && typeof inner === 'number' ? inner : null
}

function itemsOf(value: JinjaValue): readonly JinjaValue[] {
  const inner: unknown = value.value
  return Array.isArray(inner) ? inner.filter(isValue) : []
}

function isValue(value: unknown): value is JinjaValue {
  return typeof value === 'object' && value !== null && 'type' in value && 'value' in value
}

/** The operators `*`, `%`, `~` and comparisons of texts. `checkLength` is asked before a text is repeated. */
export function binaryShim(
  operator: string,
  operands: { readonly left: JinjaValue; readonly right: JinjaValue; readonly checkLength: (length: number) => void },
): ShimResult | null {
  const { left, right, checkLength } = operands
  if (operator === '~') return { text: pythonStr(left) + pythonStr(right) }
  const bothText = left.type === 'StringValue' && right.type === 'StringValue'
  if (bothText && ['<', '>', '<=', '>='].includes(operator)) return { boolean: compares(operator, textOf(left), textOf(right)) }
  if (operator === '*') return repeated(left, right, checkLength) ?? repeated(right, left, checkLength)
  if (operator !== '%') return null
  if (left.type === 'StringValue') return { text: percentFormat(textOf(left), right.type === 'TupleValue' ? itemsOf(right) : [right]) }
  const [a, b] = [numberOf(left), numberOf(right)]
  // The sign is the divisor's.
  if (a === null || b === null || b === 0 || left.type !== 'IntegerValue' || right.type !== 'IntegerValue') return null
  return { integer: a - b * Math.floor(a / b) }
}

function compares(operator: string, left: string, right: string): boolean {
  const order = Buffer.compare(Buffer.from(left), Buffer.from(right))
  if (operator === '<') return order < 0
  if (operator === '>') return order > 0
  return operator === '<=' ? order <= 0 : order >= 0
}

function repeated(value: JinjaValue, times: JinjaValue, checkLength: (length: number) => void): ShimResult | null {
  const count = times.type === 'IntegerValue' ? Math.max(0, numberOf(times) ?? 0) : null
  if (count === null) return null
  if (value.type === 'StringValue') {
    checkLength(textOf(value).length * count)
    return { text: textOf(value).repeat(count) }
  }
  if (value.type !== 'ArrayValue') return null
  checkLength(itemsOf(value).length * count)
  return { items: Array.from({ length: count }, () => itemsOf(value)).flat() }
}

/** Widths beyond this are no layout. */
const MAX_WIDTH = 1000

/** printf-style formatting of Python for the conversions that templates use. */
function percentFormat(format: string, values: readonly JinjaValue[]): string {
  let index = 0
  return format.replace(
    /%([-0 +#]*)(\d{0,3})(?:\.(\d{1,2}))?([sdirfxX%])/g,
    (_, flags: string, width: string, digits: string | undefined, kind: string) => {
      if (kind === '%') return '%'
      const value = values[index++]
      if (value === undefined) throw new Error('not enough arguments for format string')
      const shown = converted(value, { kind, digits: digits === undefined ? null : Number(digits) })
      const size = Math.min(Number(width), MAX_WIDTH)
      if (flags.includes('-')) return shown.padEnd(size)
      return shown.padStart(size, flags.includes('0') && kind !== 's' ? '0' : ' ')
    },
  )
}

function converted(value: JinjaValue, options: { readonly kind: string; readonly digits: number | null }): string {
  const { kind, digits } = options
  if (kind === 's') return digits === null ? pythonStr(value) : pythonStr(value).slice(0, digits)
  const number = numberOf(value)
  if (number === null) throw new Error(`%${kind} format: a number is required`)
  if (kind === 'f') return number.toFixed(digits ?? 6)
  const whole = Math.trunc(number)
  if (kind === 'x') return whole.toString(16)
  return kind === 'X' ? whole.toString(16).toUpperCase() : String(whole)
}

/** Filters; arguments are positional. */
export function filterShim(name: string, operand: JinjaValue, args: readonly JinjaValue[]): ShimResult | null {
  if (name === 'e' || name === 'escape' || name === 'forceescape') return { text: htmlEscape(pythonStr(operand)) }
  if (name === 'round' && numberOf(operand) !== null && args.length <= 1)
    return { float: roundHalfEven(numberOf(operand) ?? 0, numberOf(args[0]) ?? 0) }
  if (name === 'tojson' && operand.type === 'FloatValue') return { text: pythonStr(operand) }
  if (name === 'sum' && args.length === 0) return sum(itemsOf(operand))
  if (operand.type !== 'StringValue') return null
  const text = textOf(operand)
  const points = Array.from(text)
  switch (name) {
    case 'first':
      return points[0] === undefined ? null : { text: points[0] }
    case 'last': {
      const last = points.at(-1)
      return last === undefined ? null : { text: last }
    }
    case 'reverse':
      return { text: points.reverse().join('') }
    case 'format':
      return { text: percentFormat(text, args) }
    case 'trim':
      return args[0]?.type === 'StringValue' ? { text: pythonStrip(text, { sides: 'both', characters: textOf(args[0]) }) } : null
    case 'wordcount':
      return { integer: (text.match(/[\p{L}\p{N}_]+/gu) ?? []).length }
    case 'center':
      return { text: centered(text, numberOf(args[0]) ?? 80) }
    default:
      return null
  }
}

function sum(items: readonly JinjaValue[]): ShimResult | null {
  const numbers = items.map(numberOf)
  if (!numbers.every((number) => number !== null)) return null
  const total = numbers.reduce((a, b) => a + b, 0)
  return items.some((item) => item.type === 'FloatValue') ? { float: total } : { integer: total }
}

function roundHalfEven(value: number, digits: number): number {
  const factor = 10 ** digits
  const scaled = value * factor
  const floor = Math.floor(scaled)
  const rest = scaled - floor
  const even = floor % 2 === 0 ? floor : floor + 1
  return (rest === 0.5 ? even : Math.round(scaled)) / factor
}

function centered(text: string, width: number): string {
  const length = Array.from(text).length
  const missing = Math.max(0, Math.min(width, MAX_WIDTH) - length)
  const left = Math.floor(missing / 2) + (missing & Math.min(width, MAX_WIDTH) & 1)
  return ' '.repeat(left) + text + ' '.repeat(missing - left)
}

/** Methods of str that the library lacks. */
export const TEXT_METHODS: ReadonlySet<string> = new Set(
  'count find rfind index rindex rsplit partition splitlines isdigit isalpha isalnum isspace islower isupper swapcase center ljust rjust zfill removeprefix removesuffix join format'.split(
    ' ',
  ),
)

/** Calls one of TEXT_METHODS; arguments are positional. */
export function methodShim(name: string, text: string, args: readonly JinjaValue[]): ShimResult | null {
  const first = args[0]?.type === 'StringValue' ? textOf(args[0]) : null
  const width = Math.min(numberOf(args[0]) ?? 0, MAX_WIDTH)
  const fill = args[1]?.type === 'StringValue' ? textOf(args[1]) : ' '
  const places = (at: number) => (at === -1 ? -1 : Array.from(text.slice(0, at)).length)
  switch (name) {
    case 'count':
      return first === null || first === '' ? null : { integer: text.split(first).length - 1 }
    case 'find':
    case 'index': {
      if (first === null || args.length > 1) return null
      const at = places(text.indexOf(first))
      if (at === -1 && name === 'index') throw new Error('substring not found')
      return { integer: at }
    }
    case 'rfind':
    case 'rindex': {
      if (first === null || args.length > 1) return null
      const at = places(text.lastIndexOf(first))
      if (at === -1 && name === 'rindex') throw new Error('substring not found')
      return { integer: at }
    }
    case 'rsplit':
      return first === null ? null : { items: splitFromRight(text, first, numberOf(args[1]) ?? -1) }
    case 'partition': {
      if (first === null) return null
      const at = text.indexOf(first)
      return { items: at === -1 ? [text, '', ''] : [text.slice(0, at), first, text.slice(at + first.length)] }
    }
    case 'splitlines': {
      const lines = text.split(/\r\n|[\n\r\v\f\x85\u2028\u2029]/)
      if (lines.at(-1) === '') lines.pop()
      return { items: lines }
    }
    case 'ljust':
      return { text: text.padEnd(width, fill) }
    case 'rjust':
      return { text: text.padStart(width, fill) }
    case 'center':
      return { text: centered(text, width) }
    case 'zfill':
      return { text: /^[+-]/.test(text) ? text.charAt(0) + text.slice(1).padStart(width - 1, '0') : text.padStart(width, '0') }
    case 'removeprefix':
      return { text: first !== null && text.startsWith(first) ? text.slice(first.length) : text }
    case 'removesuffix':
      return { text: first !== null && first !== '' && text.endsWith(first) ? text.slice(0, -first.length) : text }
    case 'join':
      return args[0] === undefined ? null : { text: itemsOf(args[0]).map(pythonStr).join(text) }
    case 'format':
      return { text: braceFormat(text, args) }
    case 'swapcase':
      return { text: Array.from(text, (c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase())).join('') }
    default:
      return classOf(name, text)
  }
}

const CLASSES: Readonly<Record<string, RegExp>> = {
  isdigit: /^[\p{Nd}\u00b2\u00b3\u00b9\u2070-\u2079\u2080-\u2089]+$/u,
  isalpha: /^\p{L}+$/u,
  isalnum: /^[\p{L}\p{N}]+$/u,
  isspace: /^\p{White_Space}+$/u,
  islower: /^(?=[^]*\p{Ll})[^\p{Lu}\p{Lt}]+$/u,
  isupper: /^(?=[^]*\p{Lu})[^\p{Ll}\p{Lt}]+$/u,
}

function classOf(name: string, text: string): ShimResult | null {
  const test = Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined
  return test ? { boolean: test.test(text) } : null
}

function splitFromRight(text: string, separator: string, count: number): string[] {
  const parts = text.split(separator)
  if (count < 0 || parts.length <= count + 1) return parts
  const kept = parts.length - count
  return [parts.slice(0, kept).join(separator), ...parts.slice(kept)]
}

/** str.format with `{}` and `{0}`; anything else in braces is left to an error. */
function braceFormat(format: string, args: readonly JinjaValue[]): string {
  let next = 0
  return format.replace(/\{\{|\}\}|\{(\d{0,3})\}|\{[^}]*\}/g, (part, place: string | undefined) => {
    if (part === '{{') return '{'
    if (part === '}}') return '}'
    if (place === undefined) throw new Error(`the replacement field ${part} is not supported`)
    const value = args[place === '' ? next++ : Number(place)]
    if (value === undefined) throw new Error('Replacement index out of range for positional args tuple')
    return pythonStr(value)
  })
}
