// GBNF, the grammar notation of llama.cpp (grammars/README.md at release b6700): rules, literals, classes, groups, alternatives, repetitions. Token references are refused.
import {
  checkGrammarLimit,
  choice,
  codePoints,
  EMPTY,
  GRAMMAR_LIMITS,
  LAST_CODE_POINT,
  ref,
  repeat,
  sequence,
  text,
  type Grammar,
  type GrammarNode,
} from './nodes'
import { createTextReader, readHex, type TextReader } from './text-reader'

const NAME = /[a-zA-Z0-9_-]+/

/** Reads a grammar; its root rule is `root`. Throws "generate/grammar-syntax" with line and column, "generate/grammar-too-large". */
export function parseGbnf(source: string): Grammar {
  const reader = createTextReader(source, 'grammar')
  const rules = new Map<string, GrammarNode>()
  skipSpace(reader, true)
  while (reader.peek() !== '') {
    const name = reader.match(NAME)
    if (name === '') throw reader.fail('a rule name was expected')
    if (rules.has(name)) throw reader.fail(`the rule ${name} is there twice`)
    skipSpace(reader, false)
    if (!reader.take('::=')) throw reader.fail(`::= was expected after ${name}`)
    skipSpace(reader, true)
    rules.set(name, readChoice(reader, 0))
    if (reader.peek() !== '' && reader.match(/\r?\n/) === '') throw reader.fail('the end of the line was expected')
    skipSpace(reader, true)
  }
  if (!rules.has('root')) throw reader.fail('there is no rule root')
  return { rules, root: 'root' }
}

/** Spaces and comments; with `lines` line breaks too. */
function skipSpace(reader: TextReader, lines: boolean): void {
  while (reader.match(lines ? /[ \t\r\n]+|#[^\n]*/ : /[ \t]+|#[^\n]*/) !== '');
}

function readChoice(reader: TextReader, depth: number): GrammarNode {
  checkGrammarLimit('the nesting of groups', depth, GRAMMAR_LIMITS.depth)
  const options = [readSequence(reader, depth)]
  while (reader.take('|')) {
    skipSpace(reader, true)
    options.push(readSequence(reader, depth))
  }
  const [only] = options
  return options.length === 1 && only !== undefined ? only : choice(...options)
}

function readSequence(reader: TextReader, depth: number): GrammarNode {
  const items: GrammarNode[] = []
  for (let item = readItem(reader, depth); item !== null; item = readItem(reader, depth)) {
    skipSpace(reader, depth > 0)
    for (let range = readRange(reader); range !== null; range = readRange(reader)) {
      item = repeat(item, range.min, range.max)
      skipSpace(reader, depth > 0)
    }
    items.push(item)
  }
  return items.length === 0 ? EMPTY : sequence(...items)
}

function readItem(reader: TextReader, depth: number): GrammarNode | null {
  if (reader.take('"')) return readLiteral(reader)
  if (reader.take('[')) return readClass(reader)
  if (reader.take('.')) return codePoints([[0, LAST_CODE_POINT]])
  if (reader.take('(')) {
    skipSpace(reader, true)
    const inner = readChoice(reader, depth + 1)
    if (!reader.take(')')) throw reader.fail(') was expected')
    return inner
  }
  if (reader.peek() === '<' || reader.peek() === '!') throw reader.fail('references to tokens are not supported')
  const name = reader.match(NAME)
  return name === '' ? null : ref(name)
}

function readLiteral(reader: TextReader): GrammarNode {
  let value = ''
  while (!reader.take('"')) value += String.fromCodePoint(readCharacter(reader))
  return text(value)
}

function readClass(reader: TextReader): GrammarNode {
  const negated = reader.take('^')
  const ranges: [number, number][] = []
  while (!reader.take(']')) {
    const from = readCharacter(reader)
    const to = reader.peek() === '-' && reader.peek(1) !== ']' && reader.take('-') ? readCharacter(reader) : from
    if (to < from) throw reader.fail('a range runs backwards')
    ranges.push([from, to])
  }
  return codePoints(ranges, { negated })
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '\\': '\\',
  '"': '"',
  '[': '[',
  ']': ']',
  '-': '-',
  '^': '^',
}

function readCharacter(reader: TextReader): number {
  const character = reader.next()
  if (character === '' || character === '\n') throw reader.fail('the text ends inside quotes or brackets')
  if (character !== '\\') return character.codePointAt(0) ?? 0
  const escape = reader.next()
  if (escape === 'x') return readHex(reader, 2)
  if (escape === 'u') return readHex(reader, 4)
  if (escape === 'U') return readHex(reader, 8)
  const meaning = ESCAPES[escape]
  if (meaning === undefined) throw reader.fail(`\\${escape} is no escape`)
  return meaning.codePointAt(0) ?? 0
}

/** A repetition, or null. Bounds are checked when the grammar is compiled, by what they unroll into. */
export function readRange(reader: TextReader): { readonly min: number; readonly max: number | null } | null {
  if (reader.take('*')) return { min: 0, max: null }
  if (reader.take('+')) return { min: 1, max: null }
  if (reader.take('?')) return { min: 0, max: 1 }
  const written = reader.match(/\{ *\d{0,15} *(?:, *\d{0,15} *)?\}/)
  if (written === '') {
    if (reader.peek() === '{') throw reader.fail('a repetition is written {m}, {m,} or {m,n}')
    return null
  }
  const [low = '', high] = written
    .slice(1, -1)
    .split(',', 2)
    .map((part) => part.trim())
  if (low === '' && (high ?? '') === '') throw reader.fail('a repetition needs a number')
  const min = Number(low)
  const max = high === undefined ? min : high === '' ? null : Number(high)
  if (max !== null && max < min) throw reader.fail('a repetition runs backwards')
  return { min, max }
}
