// Patterns of normalizers and pre-tokenizers: a text, or an expression of Oniguruma (Ruby syntax), as Hugging Face tokenizers 0.23 matches them (tokenizer/pattern.rs).
import { toRegExp } from 'oniguruma-to-es'
import { isJsonObject, type JsonValue } from '../../bytes/json'
import { engineError } from '../../errors'
import { runWithin } from '../time-limit'

/** The longest public expression (DeepSeek's) has 700 characters, character tables written out some thousands. */
const MAX_PATTERN_CHARACTERS = 20_000
/** Translating an expression takes about a millisecond. */
const MAX_COMPILE_MS = 1000

/** A stretch of a text and whether the pattern matched it. The stretches of a text cover it without gap. */
export interface Stretch {
  readonly start: number
  readonly end: number
  readonly isMatch: boolean
}

/** Cuts a text into matches and what lies between. */
export type FindStretches = (text: string) => Stretch[]

/** Reads `{String}` or `{Regex}` (or a text alone). Throws "tokenizer/corrupt-json", "tokenizer/limit-exceeded". */
export function readPattern(value: JsonValue | undefined, path: string): FindStretches {
  if (typeof value === 'string') return textPattern(value)
  if (isJsonObject(value)) {
    if (typeof value['String'] === 'string') return textPattern(value['String'])
    if (typeof value['Regex'] === 'string') return expressionPattern(value['Regex'], path)
  }
  throw engineError('tokenizer/corrupt-json', { path, reason: 'a pattern is neither a text nor an expression' })
}

/** Matches of an expression in the syntax of Oniguruma. Throws "tokenizer/corrupt-json" when it does not compile, "tokenizer/limit-exceeded". */
export function expressionPattern(source: string, path: string): FindStretches {
  if (source.length > MAX_PATTERN_CHARACTERS) {
    throw engineError('tokenizer/limit-exceeded', {
      path,
      what: 'the length of an expression',
      found: source.length,
      max: MAX_PATTERN_CHARACTERS,
    })
  }
  const regex = compile(source, path)
  return (text) => {
    // The library does not even look into a text without characters.
    if (text === '') return []
    const stretches: Stretch[] = []
    let done = 0
    let lastMatchEnd = -1
    let from = 0
    while (from <= text.length) {
      regex.lastIndex = from
      const match = regex.exec(text)
      if (!match) break
      const start = match.index
      const end = start + match[0].length
      if (end === start && end === lastMatchEnd) {
        // An empty match right behind the one before does not count.
        from += characterLength(text, from)
        continue
      }
      if (done !== start) stretches.push({ start: done, end: start, isMatch: false })
      stretches.push({ start, end, isMatch: true })
      done = end
      from = end
      lastMatchEnd = end
    }
    if (done !== text.length) stretches.push({ start: done, end: text.length, isMatch: false })
    return stretches
  }
}

/** Oniguruma's \w in a class: the translator's lacks letters in circles and has every kind of number. */
const WORD_IN_CLASS = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}'
/** By itself it also has the superscripts and fractions of Latin-1, an oddity of Oniguruma's table. */
const WORD = `${WORD_IN_CLASS}\\u00B2\\u00B3\\u00B9\\u00BC-\\u00BE`
const WORD_BORDER = `(?:(?<=[${WORD}])(?![${WORD}])|(?<![${WORD}])(?=[${WORD}]))`
const NO_WORD_BORDER = `(?:(?<=[${WORD}])(?=[${WORD}])|(?<![${WORD}])(?![${WORD}]))`

/** The expression with \w, \W, \b and \B written as what they stand for. */
function spellOutWords(source: string): string {
  let depth = 0
  return source.replace(/\\[^]|\[|\]/g, (part) => {
    if (part === '[') depth++
    else if (part === ']') depth = Math.max(0, depth - 1)
    else if (part === '\\w') return depth > 0 ? WORD_IN_CLASS : `[${WORD}]`
    else if (part === '\\W') return `[^${depth > 0 ? WORD_IN_CLASS : WORD}]`
    else if (part === '\\b' && depth === 0) return WORD_BORDER
    else if (part === '\\B' && depth === 0) return NO_WORD_BORDER
    return part
  })
}

function compile(source: string, path: string): RegExp {
  try {
    return runWithin(() => toRegExp(spellOutWords(source), { global: true }), {
      maxMs: MAX_COMPILE_MS,
      onTimeout: () => engineError('tokenizer/too-slow', { path, maxMs: MAX_COMPILE_MS }),
    })
  } catch (cause) {
    const reason = `an expression does not compile (${cause instanceof Error ? cause.message : String(cause)})`
    throw engineError('tokenizer/corrupt-json', { path, reason }, cause)
  }
}

function characterLength(text: string, index: number): number {
  return (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1
}

function textPattern(needle: string): FindStretches {
  return (text) => {
    if (needle === '') return text === '' ? [] : [{ start: 0, end: text.length, isMatch: false }]
    const stretches: Stretch[] = []
    let done = 0
    for (let at = text.indexOf(needle); at !== -1; at = text.indexOf(needle, done)) {
      if (at !== done) stretches.push({ start: done, end: at, isMatch: false })
      done = at + needle.length
      stretches.push({ start: at, end: done, isMatch: true })
    }
    if (done !== text.length) stretches.push({ start: done, end: text.length, isMatch: false })
    return stretches
  }
}

/** Matches of single characters. */
export function characterPattern(test: (character: string) => boolean): FindStretches {
  return (text) => {
    const stretches: Stretch[] = []
    let open = 0
    let at = 0
    for (const character of text) {
      const end = at + character.length
      if (test(character)) {
        if (open !== at) stretches.push({ start: open, end: at, isMatch: false })
        stretches.push({ start: at, end, isMatch: true })
        open = end
      }
      at = end
    }
    if (open !== at) stretches.push({ start: open, end: at, isMatch: false })
    return stretches
  }
}
