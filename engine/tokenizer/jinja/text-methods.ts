// Methods of str (and of Markup). Follows Python 3.11: positions count code points.
import { asIndex, asText, bind } from './arguments'
import { PythonError, typeError, valueError } from './failures'
import { iterate, textLength } from './iteration'
import { htmlEscape, markup } from './markup'
import { pythonStrip } from './python-space'
import type { Reach } from './reach'
import { braceFormat } from './str-format'
import { isTrue, str } from './repr'
import { textClass } from './text-classes'
import { capitalized, centered, expandTabs, padded, splitLines, splitText, swapCase, titleCase, translated } from './text-shapes'
import { type Arguments, type FunctionValue, type Value, isObject, list, textOf, tuple, typeName } from './values'

interface TextMethodOptions {
  readonly name: string
  readonly reach: Reach
  readonly isMarkup: boolean
}

/** The method of a text; undefined where str has none of that name. Methods of a Markup give Markup. */
export function textMethod(text: string, { name, reach, isMarkup }: TextMethodOptions): FunctionValue | undefined {
  if (!Object.hasOwn(METHODS, name)) return undefined
  const run = METHODS[name]
  if (!run) return undefined
  const call = (args: Arguments): Value => {
    reach.budget.text(text.length)
    const result = run({ text, args, reach, isMarkup })
    checkLength(result, reach)
    return isMarkup ? asMarkup(result) : result
  }
  return { kind: 'function', name, shown: `<built-in method ${name} of str object>`, call }
}

function checkLength(result: Value, { budget }: Reach): void {
  if (typeof result === 'string') budget.text(result.length)
  else if (isObject(result) && result.kind === 'list') budget.items(result.items.length)
}

function asMarkup(value: Value): Value {
  if (typeof value === 'string') return markup(value)
  if (isObject(value) && value.kind === 'list') return list(value.items.map(asMarkup))
  return isObject(value) && value.kind === 'tuple' ? tuple(value.items.map(asMarkup)) : value
}

interface Call {
  readonly text: string
  readonly args: Arguments
  readonly reach: Reach
  readonly isMarkup: boolean
}

type Method = (call: Call) => Value

/** A method without arguments. */
const plain =
  (name: string, run: (text: string) => Value): Method =>
  ({ text, args }) => {
    bind(name, args, [])
    return run(text)
  }

const stripping =
  (name: string, sides: 'both' | 'left' | 'right'): Method =>
  ({ text, args }) => {
    const [characters = null] = bind(name, args, ['chars/?'])
    return pythonStrip(text, { sides, ...(characters !== null && { characters: asText(characters) }) })
  }

/** start and end of find, count, startswith: code points, negative ones from the end. */
function window(
  text: string,
  start: Value | undefined,
  end: Value | undefined,
): { readonly part: string; readonly offset: number; readonly isInside: boolean } {
  const isWhole = (start === undefined || start === null) && (end === undefined || end === null)
  if (isWhole) return { part: text, offset: 0, isInside: true }
  const points = Array.from(text)
  const place = (value: Value | undefined, absent: number) => {
    if (value === undefined || value === null) return absent
    const index = asIndex(value)
    return index < 0 ? Math.max(0, index + points.length) : index
  }
  const [from, to] = [place(start, 0), Math.min(place(end, points.length), points.length)]
  return { part: points.slice(from, Math.max(from, to)).join(''), offset: from, isInside: from <= points.length && from <= to }
}

const finding =
  (name: string, { last, raises }: { readonly last: boolean; readonly raises: boolean }): Method =>
  ({ text, args }) => {
    const [sub = null, start, end] = bind(name, args, ['sub/', 'start/?', 'end/?'])
    const { part, offset, isInside } = window(text, start, end)
    const wanted = asText(sub)
    const at = isInside ? (last ? part.lastIndexOf(wanted) : part.indexOf(wanted)) : -1
    if (at === -1 && raises) throw valueError('substring not found')
    return at === -1 ? -1n : BigInt(offset + textLength(part.slice(0, at)))
  }

const affix =
  (name: string, matches: (part: string, affix: string) => boolean): Method =>
  ({ text, args }) => {
    const [wanted = null, start, end] = bind(name, args, ['prefix/', 'start/?', 'end/?'])
    const { part, isInside } = window(text, start, end)
    const candidates = isObject(wanted) && wanted.kind === 'tuple' ? wanted.items : [wanted]
    return candidates.some((candidate) => {
      if (textOf(candidate) === null) throw typeError(`${name} first arg must be str or a tuple of str, not ${typeName(candidate)}`)
      return isInside && matches(part, asText(candidate))
    })
  }

const splitting =
  (name: string, fromRight: boolean): Method =>
  ({ text, args }) => {
    const [separator = null, maxSplit = -1n] = bind(name, args, ['sep?', 'maxsplit?'])
    if (separator !== null && asText(separator) === '') throw valueError('empty separator')
    return list(splitText(text, { separator: separator === null ? null : asText(separator), maxSplit: asIndex(maxSplit), fromRight }))
  }

const partition =
  (name: string, last: boolean): Method =>
  ({ text, args }) => {
    const separator = asText(bind(name, args, ['sep/'])[0] ?? null)
    if (separator === '') throw valueError('empty separator')
    const at = last ? text.lastIndexOf(separator) : text.indexOf(separator)
    if (at === -1) return tuple(last ? ['', '', text] : [text, '', ''])
    return tuple([text.slice(0, at), separator, text.slice(at + separator.length)])
  }

const justifying =
  (name: string, shape: (text: string, width: number, fill: string) => string): Method =>
  ({ text, args, reach }) => {
    const [width = null, fill = ' '] = bind(name, args, ['width/', 'fillchar/?'])
    const size = asIndex(width)
    reach.budget.text(Math.max(0, size))
    if (textLength(asText(fill)) !== 1) throw typeError('The fill character must be exactly one character long')
    return shape(text, size, asText(fill))
  }

const formatting = ({ text, args, reach, isMarkup }: Call): Value => braceFormat(text, args, { reach, escapes: isMarkup })

const METHODS: Readonly<Record<string, Method>> = {
  capitalize: plain('capitalize', capitalized),
  casefold: plain('casefold', (text) => text.toLowerCase().replaceAll('ß', 'ss')),
  center: justifying('center', centered),
  count: ({ text, args }) => {
    const [sub = null, start, end] = bind('count', args, ['sub/', 'start/?', 'end/?'])
    const { part, isInside } = window(text, start, end)
    if (!isInside) return 0n
    const wanted = asText(sub)
    return BigInt(wanted === '' ? textLength(part) + 1 : part.split(wanted).length - 1)
  },
  endswith: affix('endswith', (part, suffix) => part.endsWith(suffix)),
  expandtabs: ({ text, args, reach }) => {
    const size = asIndex(bind('expandtabs', args, ['tabsize?'])[0] ?? 8n)
    reach.budget.text(Math.max(0, size) * (text.split('\t').length - 1))
    return expandTabs(text, size)
  },
  find: finding('find', { last: false, raises: false }),
  format: formatting,
  format_map: ({ text, args, reach, isMarkup }) => {
    const mapping = bind('format_map', args, ['mapping/'])[0] ?? null
    if (!isObject(mapping) || mapping.kind !== 'dict') throw typeError('format_map() needs a mapping')
    const named = new Map<string, Value>()
    for (const { key, value } of mapping.entries.values()) if (typeof key === 'string') named.set(key, value)
    return braceFormat(text, { positional: [], named }, { reach, escapes: isMarkup })
  },
  index: finding('index', { last: false, raises: true }),
  join: ({ text, args, reach, isMarkup }) => {
    const [items = null] = bind('join', args, ['iterable/'])
    const parts: string[] = []
    let length = 0
    for (const item of iterate(items, reach.budget)) {
      const part = textOf(item)
      if (part === null && !isMarkup) throw typeError(`sequence item ${parts.length}: expected str instance, ${typeName(item)} found`)
      const shown = isMarkup && typeof item === 'string' ? htmlEscape(item) : (part ?? str(item, reach.budget))
      reach.budget.characters((length += shown.length + text.length))
      reach.budget.text(shown.length + text.length)
      parts.push(shown)
    }
    return parts.join(text)
  },
  ljust: justifying('ljust', (text, width, fill) => padded(text, { width, fill, side: 'right' })),
  lower: plain('lower', (text) => text.toLowerCase()),
  lstrip: stripping('lstrip', 'left'),
  partition: partition('partition', false),
  removeprefix: ({ text, args }) => {
    const prefix = asText(bind('removeprefix', args, ['prefix/'])[0] ?? null)
    return text.startsWith(prefix) ? text.slice(prefix.length) : text
  },
  removesuffix: ({ text, args }) => {
    const suffix = asText(bind('removesuffix', args, ['suffix/'])[0] ?? null)
    return suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text
  },
  replace: ({ text, args, reach, isMarkup }) => {
    const [old = null, replacement = null, count = -1n] = bind('replace', args, ['old/', 'new/', 'count/?'])
    const made = isMarkup && typeof replacement === 'string' ? htmlEscape(replacement) : asText(replacement)
    return replaceText(text, { old: asText(old), replacement: made, count: asIndex(count) }, reach)
  },
  rfind: finding('rfind', { last: true, raises: false }),
  rindex: finding('rindex', { last: true, raises: true }),
  rjust: justifying('rjust', (text, width, fill) => padded(text, { width, fill, side: 'left' })),
  rpartition: partition('rpartition', true),
  rsplit: splitting('rsplit', true),
  rstrip: stripping('rstrip', 'right'),
  split: splitting('split', false),
  splitlines: ({ text, args }) => {
    const [keepEnds = false] = bind('splitlines', args, ['keepends?'])
    return list(splitLines(text, isTrue(keepEnds)))
  },
  startswith: affix('startswith', (part, prefix) => part.startsWith(prefix)),
  strip: stripping('strip', 'both'),
  swapcase: plain('swapcase', swapCase),
  title: plain('title', titleCase),
  translate: ({ text, args, reach }) => {
    const table = bind('translate', args, ['table/'])[0] ?? null
    return translated(text, (code) =>
      isObject(table) && table.kind === 'dict' ? table.entries.get(code)?.value : reach.itemOf(table, code),
    )
  },
  upper: plain('upper', (text) => text.toUpperCase()),
  zfill: ({ text, args, reach }) => {
    const width = asIndex(bind('zfill', args, ['width/'])[0] ?? null)
    reach.budget.text(Math.max(0, width))
    const sign = /^[+-]/.exec(text)?.[0] ?? ''
    return sign + padded(text.slice(sign.length), { width: width - sign.length, fill: '0', side: 'left' })
  },
  ...Object.fromEntries(
    [
      'isalnum',
      'isalpha',
      'isascii',
      'isdecimal',
      'isdigit',
      'isidentifier',
      'islower',
      'isnumeric',
      'isprintable',
      'isspace',
      'istitle',
      'isupper',
    ].map((name) => [name, plain(name, (text) => textClass(name, text))]),
  ),
  encode: () => {
    throw new PythonError('TypeError', 'bytes are not supported')
  },
}

/** str.replace; every place between characters where `old` is empty. */
export function replaceText(
  text: string,
  { old, replacement, count }: { readonly old: string; readonly replacement: string; readonly count: number },
  { budget }: Reach,
): string {
  if (count === 0) return text
  const max = count < 0 ? Infinity : count
  const points = old === '' ? Array.from(text) : null
  const pieces = points ?? text.split(old)
  const places = Math.min(max, points ? points.length + 1 : pieces.length - 1)
  budget.text(text.length + Math.max(0, replacement.length - old.length) * places)
  if (points) {
    const parts = points.map((point, index) => (index < places ? replacement + point : point))
    return parts.join('') + (points.length < places ? replacement : '')
  }
  if (places >= pieces.length - 1) return pieces.join(replacement)
  return [pieces.slice(0, places + 1).join(replacement), ...pieces.slice(places + 1)].join(old)
}
