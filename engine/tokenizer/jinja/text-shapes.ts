// Texts cut, padded and written in other cases, as str's methods do. Follows Python 3.11.
import { textLength } from './iteration'
import { PYTHON_SPACE, pythonStrip } from './python-space'
import { type Value, numberOf, textOf } from './values'

/** str.ljust and rjust. */
export function padded(
  text: string,
  { width, fill, side }: { readonly width: number; readonly fill: string; readonly side: 'left' | 'right' },
): string {
  const missing = fill.repeat(Math.max(0, width - textLength(text)))
  return side === 'left' ? missing + text : text + missing
}

/** str.center: an odd blank stands left where the width is odd. */
export function centered(text: string, width: number, fill = ' '): string {
  const missing = Math.max(0, width - textLength(text))
  const left = Math.floor(missing / 2) + (missing & width & 1)
  return fill.repeat(left) + text + fill.repeat(missing - left)
}

/** str.capitalize. */
export function capitalized(text: string): string {
  const [first = '', ...rest] = Array.from(text)
  return titleLetter(first) + rest.join('').toLowerCase()
}

/** Letters that are two in one have a title case of their own; upper, title, lower. */
const DIGRAPHS = 'ǄǅǆǇǈǉǊǋǌǱǲǳ'

/** The title case of a letter; of `ß` it is `Ss`. */
function titleLetter(character: string): string {
  const digraph = DIGRAPHS.indexOf(character)
  if (character !== '' && digraph !== -1) return DIGRAPHS.charAt(digraph - (digraph % 3) + 1)
  const upper = character.toUpperCase()
  return upper.length > character.length ? upper.charAt(0) + upper.slice(1).toLowerCase() : upper
}

const CASED = /^[\p{Uppercase}\p{Lowercase}\p{Lt}]$/u

/** Whether a character has a case. */
export function isCased(character: string): boolean {
  return CASED.test(character)
}

/** str.title: a letter after one without case begins a word. */
export function titleCase(text: string): string {
  let inWord = false
  return Array.from(text, (character) => {
    const shown = inWord ? character.toLowerCase() : titleLetter(character)
    inWord = isCased(character)
    return shown
  }).join('')
}

/** str.swapcase. */
export function swapCase(text: string): string {
  return Array.from(text, (c) => (/\p{Lowercase}/u.test(c) ? c.toUpperCase() : /\p{Uppercase}/u.test(c) ? c.toLowerCase() : c)).join('')
}

const LINE_BREAKS = '\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029'
const LINE = new RegExp(`[^${LINE_BREAKS}]*(?:\\r\\n|[${LINE_BREAKS}]|$)`, 'g')
const LINE_END = new RegExp(`(?:\\r\\n|[${LINE_BREAKS}])$`)

/** str.splitlines. */
export function splitLines(text: string, keepEnds = false): string[] {
  const lines = (text.match(LINE) ?? []).filter((line) => line !== '')
  return keepEnds ? lines : lines.map((line) => line.replace(LINE_END, ''))
}

export interface SplitOptions {
  /** Runs of whitespace where null. */
  readonly separator: string | null
  /** Negative for no limit. */
  readonly maxSplit: number
  readonly fromRight: boolean
}

/** str.split and rsplit. */
export function splitText(text: string, { separator, maxSplit, fromRight }: SplitOptions): string[] {
  if (separator === null) return splitSpaces(text, { maxSplit, fromRight })
  const parts = text.split(separator)
  if (maxSplit < 0 || parts.length <= maxSplit + 1) return parts
  if (fromRight) {
    const kept = parts.length - maxSplit
    return [parts.slice(0, kept).join(separator), ...parts.slice(kept)]
  }
  return [...parts.slice(0, maxSplit), parts.slice(maxSplit).join(separator)]
}

const WORDS = new RegExp(`[^${PYTHON_SPACE}]+`, 'g')

function splitSpaces(text: string, { maxSplit, fromRight }: Omit<SplitOptions, 'separator'>): string[] {
  const words = text.match(WORDS) ?? []
  if (maxSplit < 0 || words.length <= maxSplit) return words
  // What is not cut keeps its inner whitespace: it ends, or begins, where the words that are cut off do.
  const kept = fromRight ? words.slice(words.length - maxSplit) : words.slice(0, maxSplit)
  let rest = text
  for (const word of fromRight ? kept.toReversed() : kept) {
    rest = pythonStrip(rest, { sides: fromRight ? 'right' : 'left' })
    rest = fromRight ? rest.slice(0, rest.length - word.length) : rest.slice(word.length)
  }
  rest = pythonStrip(rest, { sides: fromRight ? 'right' : 'left' })
  return fromRight ? [rest, ...kept] : [...kept, rest]
}

/** str.expandtabs. */
export function expandTabs(text: string, size: number): string {
  let column = 0
  return Array.from(text, (character) => {
    if (character === '\t') {
      const blanks = size <= 0 ? 0 : size - (column % size)
      column += blanks
      return ' '.repeat(blanks)
    }
    column = character === '\n' || character === '\r' ? 0 : column + 1
    return character
  }).join('')
}

/** str.translate with a table from code point to text, code point or None. */
export function translated(text: string, lookUp: (code: bigint) => Value | undefined): string {
  return Array.from(text, (character) => {
    const found = lookUp(BigInt(character.codePointAt(0) ?? 0))
    if (found === null) return ''
    const number = numberOf(found)
    return textOf(found) ?? (typeof number === 'bigint' ? String.fromCodePoint(Number(number)) : character)
  }).join('')
}
