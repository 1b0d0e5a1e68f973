// Regular expressions (ECMA-262 syntax without look-around, back references and word borders) as grammars. The whole text must match unless `search` is set.
import { engineError } from '../../errors'
import {
  checkGrammarLimit,
  choice,
  codePoints,
  complement,
  EMPTY,
  GRAMMAR_LIMITS,
  LAST_CODE_POINT,
  repeat,
  sequence,
  text,
  type CodePointRanges,
  type GrammarNode,
} from './nodes'
import { readRange } from './parse-gbnf'
import { createTextReader, readHex, type TextReader } from './text-reader'

const DIGIT: CodePointRanges = [[0x30, 0x39]]
const WORD: CodePointRanges = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
]
const SPACE: CodePointRanges = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]
const LINE_ENDS: CodePointRanges = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
]
const CLASS_ESCAPES: Readonly<Record<string, CodePointRanges>> = {
  d: DIGIT,
  w: WORD,
  s: SPACE,
  D: complement(DIGIT),
  W: complement(WORD),
  S: complement(SPACE),
}
const CONTROL_ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v', 0: '\0' }
const ANYTHING = repeat(codePoints([[0, LAST_CODE_POINT]]), 0, null)

/**
 * Reads a pattern. `search`: the text may have anything before and after, as JSON Schema's `pattern` means it; ^ and $ at the ends take that away.
 * Throws "generate/grammar-syntax", "generate/pattern-unsupported", "generate/grammar-too-large".
 */
export function parseRegex(pattern: string, { search = false }: { readonly search?: boolean } = {}): GrammarNode {
  const reader = createTextReader(pattern, 'pattern')
  const options: GrammarNode[] = []
  do {
    const starts = reader.take('^')
    const items = readItems(reader, 0)
    const ends = reader.take('$')
    if (ends && reader.peek() !== '' && reader.peek() !== '|') throw unsupported('$ in the middle')
    options.push(sequence(...(search && !starts ? [ANYTHING] : []), ...items, ...(search && !ends ? [ANYTHING] : [])))
  } while (reader.take('|'))
  if (reader.peek() !== '') throw reader.fail(`${reader.peek()} has no beginning`)
  return choice(...options)
}

const unsupported = (what: string) => engineError('generate/pattern-unsupported', { what })

function readItems(reader: TextReader, depth: number): GrammarNode[] {
  const items: GrammarNode[] = []
  while (!['', '|', ')'].includes(reader.peek())) {
    // The end of the pattern, or of an alternative of the whole pattern.
    if (reader.peek() === '$' && depth === 0) break
    let item = readAtom(reader, depth)
    const range = readRange(reader)
    if (range !== null) {
      item = repeat(item, range.min, range.max)
      // Lazy or greedy, the texts that match are the same.
      reader.take('?')
      if (reader.peek() === '+') throw unsupported('a possessive repetition')
    }
    items.push(item)
  }
  return items
}

function readGroup(reader: TextReader, depth: number): GrammarNode {
  checkGrammarLimit('the nesting of groups', depth, GRAMMAR_LIMITS.depth)
  if (reader.take('?')) {
    if (reader.peek() === '<' && !['=', '!'].includes(reader.peek(1))) reader.match(/<[A-Za-z_$][\w$]*>/)
    else if (!reader.take(':')) throw unsupported('a look-around or inline flag')
  }
  const options: GrammarNode[] = []
  do options.push(sequence(...readItems(reader, depth)))
  while (reader.take('|'))
  if (!reader.take(')')) throw reader.fail(') was expected')
  return choice(...options)
}

function readAtom(reader: TextReader, depth: number): GrammarNode {
  const character = reader.next()
  switch (character) {
    case '(':
      return readGroup(reader, depth + 1)
    case '[':
      return readClass(reader)
    case '.':
      return codePoints(LINE_ENDS, { negated: true })
    case '^':
    case '$':
      throw unsupported(`${character} in the middle`)
    case '*':
    case '+':
    case '?':
    case '{':
      throw reader.fail(`${character} has nothing to repeat`)
    case '\\': {
      const escape = readEscape(reader)
      return typeof escape === 'number' ? text(String.fromCodePoint(escape)) : codePoints(escape)
    }
    default:
      return character === '' ? EMPTY : text(character)
  }
}

function readEscape(reader: TextReader): number | CodePointRanges {
  const character = reader.next()
  const ranges = CLASS_ESCAPES[character]
  if (ranges !== undefined) return ranges
  const control = CONTROL_ESCAPES[character]
  if (control !== undefined) return control.codePointAt(0) ?? 0
  if (character === 'x') return readHex(reader, 2)
  if (character === 'u') {
    if (!reader.take('{')) return readHex(reader, 4)
    const digits = reader.match(/[0-9A-Fa-f]{1,6}/)
    const value = Number.parseInt(digits, 16)
    if (digits === '' || value > LAST_CODE_POINT || !reader.take('}')) throw reader.fail('\\u{…} needs hexadecimal digits of a character')
    return value
  }
  if (/^[bBkpPc1-9]$/.test(character)) throw unsupported(`\\${character}`)
  if (character === '' || /^[A-Za-z]$/.test(character)) throw reader.fail(`\\${character} is no escape`)
  return character.codePointAt(0) ?? 0
}

function readClass(reader: TextReader): GrammarNode {
  const negated = reader.take('^')
  const ranges: (readonly [number, number])[] = []
  while (!reader.take(']')) {
    const from = readClassMember(reader)
    if (typeof from !== 'number') {
      ranges.push(...from)
      continue
    }
    const to = reader.peek() === '-' && reader.peek(1) !== ']' && reader.take('-') ? readClassMember(reader) : from
    if (typeof to !== 'number' || to < from) throw reader.fail('a range needs two characters in order')
    ranges.push([from, to])
  }
  return codePoints(ranges, { negated })
}

function readClassMember(reader: TextReader): number | CodePointRanges {
  const character = reader.next()
  if (character === '') throw reader.fail('] was expected')
  if (character !== '\\') return character.codePointAt(0) ?? 0
  if (reader.take('b')) return 8
  return readEscape(reader)
}
