// The pieces of JSON (RFC 8259) as grammar: strings, numbers, spaces, and any value. Runs of digits and spaces are bounded, so that a model cannot go on with them for ever.
import {
  charRanges,
  choice,
  codePoints,
  complement,
  ref,
  repeat,
  sequence,
  optional,
  text,
  type CodePointRanges,
  type GrammarNode,
} from './nodes'

const HEX: CodePointRanges = [
  [0x30, 0x39],
  [0x41, 0x46],
  [0x61, 0x66],
]
const hex = codePoints(HEX)
const digit = codePoints([[0x30, 0x39]])
/** Digits that a double keeps. */
const SAFE_DIGITS = 15
/** What a string must escape: control characters, quote, backslash. Surrogates cannot be written in UTF-8. */
const ESCAPED: CodePointRanges = [
  [0, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
]
const SHORT_ESCAPES: Readonly<Record<number, string>> = { 8: '\\b', 9: '\\t', 10: '\\n', 12: '\\f', 13: '\\r', 34: '\\"', 92: '\\\\' }

// Rules, so that a thousand uses are a thousand references.
const SPACE = 'json-space'
const CHARACTER = 'json-character'
/** Nothing, a space, or a line break with indentation: enough for every way of printing, and no endless blank. */
export const space = ref(SPACE)
const spaceRule = optional(choice(text(' '), sequence(text('\n'), repeat(codePoints(charRanges(' \t')), 0, 20))))

/** One character of a string, escaped or not; an escape never stands for half a surrogate pair. */
const characterRule = choice(
  codePoints(ESCAPED, { negated: true }),
  sequence(text('\\'), codePoints(charRanges('"\\/bfnrt'))),
  sequence(
    text('\\u'),
    choice(
      sequence(codePoints([...charRanges('abcefABCEF'), [0x30, 0x39]]), repeat(hex, 3, 3)),
      sequence(codePoints(charRanges('dD')), codePoints([[0x30, 0x37]]), repeat(hex, 2, 2)),
    ),
  ),
)

/** A character of a string without escapes, except those in `others`. */
export function plainCharacter(others: CodePointRanges = []): GrammarNode {
  return codePoints([...ESCAPED, ...others], { negated: true })
}

/** A string whose content matches `content`, a grammar over the characters that the string means. */
export function stringOf(content: GrammarNode): GrammarNode {
  return sequence(text('"'), escaped(content), text('"'))
}

/** Writes what must be escaped in its shortest form. */
function escaped(node: GrammarNode): GrammarNode {
  switch (node.kind) {
    case 'text':
      return text(JSON.stringify(node.text).slice(1, -1))
    case 'class':
      return escapedClass(node.ranges)
    case 'sequence':
      return sequence(...node.items.map(escaped))
    case 'choice':
      return choice(...node.options.map(escaped))
    case 'repeat':
      return repeat(escaped(node.item), node.min, node.max)
    case 'ref':
      return node
  }
}

function escapedClass(ranges: CodePointRanges): GrammarNode {
  const has = (codePoint: number): boolean => ranges.some(([from, to]) => from <= codePoint && codePoint <= to)
  const special = [...Array.from({ length: 32 }, (_, codePoint) => codePoint), 34, 92].filter(has)
  const plain = codePoints([...complement(ranges), ...ESCAPED], { negated: true })
  return choice(plain, ...special.map((codePoint) => text(SHORT_ESCAPES[codePoint] ?? `\\u${codePoint.toString(16).padStart(4, '0')}`)))
}

const unsigned = choice(text('0'), sequence(codePoints([[0x31, 0x39]]), repeat(digit, 0, SAFE_DIGITS)))
/** A fraction of any digits. */
export const fraction = sequence(text('.'), repeat(digit, 1, SAFE_DIGITS))
/** A fraction that is not zero. */
export const positiveFraction = sequence(text('.'), repeat(digit, 0, SAFE_DIGITS - 1), codePoints([[0x31, 0x39]]))
/** A fraction of zeros. */
export const zeroFraction = sequence(text('.'), repeat(text('0'), 1, SAFE_DIGITS))
// Two digits of exponent stay below what overflows a double.
const exponent = sequence(codePoints(charRanges('eE')), optional(codePoints(charRanges('+-'))), repeat(digit, 1, 2))

/** Any number. */
export const number = sequence(optional(text('-')), unsigned, optional(fraction), optional(exponent))
/** Any whole number, written without fraction. */
export const integer = sequence(optional(text('-')), unsigned)

/** Rule names of any value and any object. */
export const ANY_VALUE = 'json-value'
const ANY_OBJECT = 'json-object'

/** Items between brackets, separated by commas; each item brings the space behind it. */
export const list = (open: string, items: GrammarNode, close: string): GrammarNode => sequence(text(open), space, items, text(close))

/** The rules that everything here refers to: any JSON value, spaces, a character of a string. */
export function anyValueRules(): ReadonlyMap<string, GrammarNode> {
  const value = ref(ANY_VALUE)
  const pair = sequence(anyString(), space, text(':'), space, value, space)
  const many = (item: GrammarNode): GrammarNode => optional(sequence(item, repeat(sequence(text(','), space, item), 0, null)))
  return new Map([
    [SPACE, spaceRule],
    [CHARACTER, characterRule],
    [ANY_OBJECT, list('{', many(pair), '}')],
    [
      ANY_VALUE,
      choice(ref(ANY_OBJECT), list('[', many(sequence(value, space)), ']'), anyString(), number, text('true'), text('false'), text('null')),
    ],
  ])
}

/** Any string. */
export function anyString(min = 0, max: number | null = null): GrammarNode {
  return sequence(text('"'), repeat(ref(CHARACTER), min, max), text('"'))
}

/** Any object. */
export const anyObject = ref(ANY_OBJECT)
