// Filters that make text. Follows jinja2 3.1.6 (filters.py) and the `tojson` of Transformers 5.18.
import { asIndex, asText, bind } from './arguments'
import { typeError, valueError } from './failures'
import { iterate, length, textLength, toItems } from './iteration'
import { writeJson } from './json'
import { htmlEscape, markup } from './markup'
import { fixedDigits, parseFloatText, toFloat } from './numbers'
import { printfFormat } from './printf'
import { PYTHON_SPACE, pythonStrip } from './python-space'
import type { Filter } from './registry'
import { attributeGetter } from './attributes-of'
import { isTrue, repr, str } from './repr'
import { replaceText } from './text-methods'
import { capitalized, centered, splitLines } from './text-shapes'
import { wrapText } from './wrap'
import { type Value, isObject, isUndefined, NO_NAMED, numberOf, textOf, tuple } from './values'

/** A filter from text to text, without arguments. A Markup stays one. */
const ofText =
  (name: string, shape: (text: string) => string): Filter =>
  (value, args, { budget }) => {
    bind(name, args, [])
    const text = str(value, budget)
    budget.text(text.length)
    return like(value, shape(text))
  }

/** Text that is a Markup where the original was. */
function like(original: Value, text: string): Value {
  return isObject(original) && original.kind === 'markup' ? markup(text) : text
}

const WORD_BEGINS = new RegExp(`([-${PYTHON_SPACE}({\\[<]+)`)

function title(text: string): string {
  return text
    .split(WORD_BEGINS)
    .map((item) => item.slice(0, 1).toUpperCase() + item.slice(1).toLowerCase())
    .join('')
}

const escape: Filter = (value, args, { budget }) => {
  bind('escape', args, [])
  return isObject(value) && value.kind === 'markup' ? value : markup(htmlEscape(str(value, budget)))
}

const indent: Filter = (value, args, runtime) => {
  const [width = 4n, first = false, blank = false] = bind('indent', args, ['width?', 'first?', 'blank?'])
  const { budget } = runtime
  if (typeof width === 'bigint') budget.text(Math.max(0, Number(width)))
  const indention = textOf(width) ?? ' '.repeat(Math.max(0, asIndex(width)))
  const text = asText(value)
  // The added end makes the last empty line count.
  const lines = splitLines(`${text}\n`)
  budget.text(text.length + lines.length * indention.length)
  const [head = '', ...rest] = lines
  const shown = isTrue(blank)
    ? lines.join(`\n${indention}`)
    : [head, ...rest.map((line) => (line === '' ? '' : indention + line))].join('\n')
  return like(value, (isTrue(first) ? indention : '') + shown)
}

const join: Filter = (value, args, runtime) => {
  const [separator = '', attribute = null] = bind('join', args, ['d?', 'attribute?'])
  const get = attributeGetter(attribute, runtime)
  const parts: string[] = []
  const between = str(separator, runtime.budget)
  let total = 0
  for (const item of iterate(value, runtime.budget)) {
    const part = str(get(item), runtime.budget)
    total += part.length + between.length
    runtime.budget.characters(total)
    runtime.budget.text(part.length)
    parts.push(part)
  }
  return parts.join(between)
}

const replace: Filter = (value, args, runtime) => {
  const [old = null, replacement = null, count = null] = bind('replace', args, ['old', 'new', 'count?'])
  const text = str(value, runtime.budget)
  const options = {
    old: str(old, runtime.budget),
    replacement: str(replacement, runtime.budget),
    count: count === null ? -1 : asIndex(count),
  }
  return replaceText(text, options, runtime)
}

const trim: Filter = (value, args, { budget }) => {
  const [characters = null] = bind('trim', args, ['chars?'])
  const text = str(value, budget)
  budget.text(text.length)
  return like(value, pythonStrip(text, { sides: 'both', ...(characters !== null && { characters: asText(characters) }) }))
}

/** How much longer than asked a text may stay whole. */
const LEEWAY = 5

const truncate: Filter = (value, args) => {
  const [limit = 255n, killWords = false, end = '...', leeway = null] = bind('truncate', args, ['length?', 'killwords?', 'end?', 'leeway?'])
  const [max, tail] = [asIndex(limit), asText(end)]
  const spare = leeway === null ? LEEWAY : asIndex(leeway)
  if (max < textLength(tail)) throw valueError(`expected length >= ${textLength(tail)}, got ${max}`)
  if (spare < 0) throw valueError(`expected leeway >= 0, got ${spare}`)
  if (length(value) <= max + spare) return value
  const points = Array.from(asText(value))
  const cut = points.slice(0, max - textLength(tail)).join('')
  if (isTrue(killWords)) return like(value, cut + tail)
  const space = cut.lastIndexOf(' ')
  return like(value, (space === -1 ? cut : cut.slice(0, space)) + tail)
}

const center: Filter = (value, args, { budget }) => {
  const [width = 80n] = bind('center', args, ['width?'])
  budget.text(Math.max(0, asIndex(width)))
  return like(value, centered(str(value, budget), asIndex(width)))
}

const wordcount: Filter = (value, args, { budget }) => {
  bind('wordcount', args, [])
  return BigInt((str(value, budget).match(/[\p{L}\p{N}_]+/gu) ?? []).length)
}

const striptags: Filter = (value, args, { budget }) => {
  bind('striptags', args, [])
  const text = str(value, budget)
  budget.text(text.length)
  const bare = withoutSpans(withoutSpans(text, '<!--', '-->'), '<', '>')
  return unescapeHtml(
    bare
      .split(new RegExp(`[${PYTHON_SPACE}]+`))
      .filter((word) => word !== '')
      .join(' '),
  )
}

function withoutSpans(text: string, open: string, close: string): string {
  let result = ''
  let at = 0
  for (let start = text.indexOf(open); start !== -1; start = text.indexOf(open, at)) {
    const end = text.indexOf(close, start)
    if (end === -1) break
    result += text.slice(at, start)
    at = end + close.length
  }
  return result + text.slice(at)
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' }

/** The entities that text written for the web has; rarer names stay. */
function unescapeHtml(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([a-z]{2,6}));/g, (whole, decimal?: string, hex?: string, name?: string) => {
    const code = decimal !== undefined ? Number(decimal) : hex !== undefined ? parseInt(hex, 16) : null
    if (code !== null) return code <= 0x10ffff ? String.fromCodePoint(code) : whole
    return (name !== undefined && Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : undefined) ?? whole
  })
}

const tojson: Filter = (value, args, { budget }) => {
  const [ensureAscii = false, indentValue = null, separators = null, sortKeys = false] = bind('tojson', args, [
    'ensure_ascii?',
    'indent?',
    'separators?',
    'sort_keys?',
  ])
  const width = indentValue === null ? null : (textOf(indentValue) ?? ' '.repeat(indentWidth(indentValue, (size) => budget.text(size))))
  const [itemSeparator = null, keySeparator = null, ...more] = separators === null ? [] : toItems(separators, budget)
  if (separators !== null && (itemSeparator === null || keySeparator === null || more.length > 0)) throw valueError('separators are a pair')
  const style = {
    ensureAscii: isTrue(ensureAscii),
    indent: width,
    itemSeparator: itemSeparator === null ? (width === null ? ', ' : ',') : asText(itemSeparator),
    keySeparator: keySeparator === null ? ': ' : asText(keySeparator),
    sortKeys: isTrue(sortKeys),
  }
  return writeJson(value, style, budget)
}

function indentWidth(value: Value, pay: (size: number) => void): number {
  const width = Math.max(0, asIndex(value))
  pay(width)
  return width
}

const filesizeformat: Filter = (value, args, { budget }) => {
  const [binary = false] = bind('filesizeformat', args, ['binary?'])
  const number = numberOf(value)
  const text = textOf(value)
  if (number === null && text === null) throw typeError(`no size: ${repr(value, budget)}`)
  const bytes = number !== null ? toFloat(number) : parseFloatText(text ?? '')
  const base = isTrue(binary) ? 1024 : 1000
  const units = isTrue(binary) ? ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'] : ['kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB']
  if (bytes === 1) return '1 Byte'
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`
  const index = units.findIndex((_, power) => bytes < base ** (power + 2))
  const power = index === -1 ? units.length - 1 : index
  return `${fixedDigits((base * bytes) / base ** (power + 2), 1)} ${units[power] ?? ''}`
}

const xmlattr: Filter = (value, args, { budget }) => {
  const [autospace = true] = bind('xmlattr', args, ['autospace?'])
  if (!isObject(value) || value.kind !== 'dict') throw typeError('xmlattr needs a mapping')
  const parts: string[] = []
  for (const { key, value: item } of value.entries.values()) {
    if (item === null || isUndefined(item)) continue
    if (new RegExp(`[${PYTHON_SPACE}/>=]`).test(asText(key))) throw valueError(`Invalid character in attribute name: ${asText(key)}`)
    const shown = isObject(item) && item.kind === 'markup' ? item.text : htmlEscape(str(item, budget))
    parts.push(`${htmlEscape(asText(key))}="${shown}"`)
  }
  return (isTrue(autospace) && parts.length > 0 ? ' ' : '') + parts.join(' ')
}

const urlencode: Filter = (value, args, runtime) => {
  bind('urlencode', args, [])
  const { budget } = runtime
  const isIterable = runtime.test('iterable', value, { positional: [], named: NO_NAMED })
  if (textOf(value) !== null || !isObject(value) || !isIterable) return quoted(str(value, budget), '/')
  const pairs =
    value.kind === 'dict' ? [...value.entries.values()].map(({ key, value: item }) => tuple([key, item])) : toItems(value, budget)
  return pairs
    .map((pair) => {
      const [key, item, ...more] = toItems(pair, budget)
      if (key === undefined || item === undefined || more.length > 0) throw valueError('urlencode needs pairs')
      const part = (one: Value) => quoted(str(one, budget), '').replaceAll('%20', '+')
      return `${part(key)}=${part(item)}`
    })
    .join('&')
}

function quoted(text: string, safe: string): string {
  let result = ''
  for (const byte of Buffer.from(text)) {
    const character = String.fromCharCode(byte)
    result +=
      byte < 128 && (/[\w.~-]/.test(character) || safe.includes(character))
        ? character
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return result
}

const wordwrap: Filter = (value, args, { budget }) => {
  const [width = 79n, breakLong = true, wrapString = null, breakOnHyphens = true] = bind('wordwrap', args, [
    'width?',
    'break_long_words?',
    'wrapstring?',
    'break_on_hyphens?',
  ])
  const newline = wrapString === null ? '\n' : asText(wrapString)
  const text = asText(value)
  budget.text(text.length * 2)
  const options = { width: asIndex(width), breakLongWords: isTrue(breakLong), breakOnHyphens: isTrue(breakOnHyphens) }
  return splitLines(text)
    .map((line) => wrapText(line, options).join(newline))
    .join(newline)
}

const format: Filter = (value, args, { budget }) => {
  if (args.positional.length > 0 && args.named.size > 0) throw valueError("can't handle positional and keyword arguments at the same time")
  const text = isObject(value) && value.kind === 'markup' ? value : str(value, budget)
  if (args.named.size === 0) return printfFormat(text, tuple(args.positional), budget)
  const entries = new Map([...args.named].map(([key, item]) => [key, { key, value: item }]))
  return printfFormat(text, { kind: 'dict', entries }, budget)
}

export const TEXT_FILTERS: ReadonlyMap<string, Filter> = new Map<string, Filter>([
  ['capitalize', ofText('capitalize', capitalized)],
  ['center', center],
  ['e', escape],
  ['escape', escape],
  ['filesizeformat', filesizeformat],
  ['forceescape', (value, args, { budget }) => (bind('forceescape', args, []), markup(htmlEscape(str(value, budget))))],
  ['format', format],
  ['indent', indent],
  ['join', join],
  ['lower', ofText('lower', (text) => text.toLowerCase())],
  ['pprint', (value, args, { budget }) => (bind('pprint', args, []), repr(value, budget))],
  ['replace', replace],
  ['safe', (value, args, { budget }) => (bind('safe', args, []), markup(str(value, budget)))],
  ['string', (value, args, { budget }) => (bind('string', args, []), textOf(value) === null ? str(value, budget) : value)],
  ['striptags', striptags],
  ['title', ofText('title', title)],
  ['tojson', tojson],
  ['trim', trim],
  ['truncate', truncate],
  ['upper', ofText('upper', (text) => text.toUpperCase())],
  ['urlencode', urlencode],
  ['wordcount', wordcount],
  ['wordwrap', wordwrap],
  ['xmlattr', xmlattr],
])
