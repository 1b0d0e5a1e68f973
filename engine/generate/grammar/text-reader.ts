// A cursor over the characters of a grammar or pattern, with the place for error messages.
import { engineError, type EngineError } from '../../errors'
import { checkGrammarLimit, GRAMMAR_LIMITS } from './nodes'

/** Reads code points one by one; '' is the end. */
export interface TextReader {
  readonly peek: (ahead?: number) => string
  readonly next: () => string
  /** Takes these characters if they come next. */
  readonly take: (expected: string) => boolean
  /** Takes what the pattern (sticky) matches here, or ''. */
  readonly match: (pattern: RegExp) => string
  /** "generate/grammar-syntax" at this place. */
  readonly fail: (reason: string) => EngineError
}

/** A reader at the beginning. Throws "generate/grammar-too-large". */
export function createTextReader(text: string, what: string): TextReader {
  checkGrammarLimit('the length of the text', text.length, GRAMMAR_LIMITS.textChars)
  let at = 0
  const charAt = (index: number): string => {
    const codePoint = text.codePointAt(index)
    return codePoint === undefined ? '' : String.fromCodePoint(codePoint)
  }
  return {
    peek: (ahead = 0) => (ahead === 0 ? charAt(at) : text.charAt(at + ahead)),
    next: () => {
      const character = charAt(at)
      at += character.length
      return character
    },
    take: (expected) => {
      if (!text.startsWith(expected, at)) return false
      at += expected.length
      return true
    },
    match: (pattern) => {
      const sticky = new RegExp(pattern.source, 'y')
      sticky.lastIndex = at
      const found = sticky.exec(text)?.[0] ?? ''
      at += found.length
      return found
    },
    fail: (reason) => {
      const before = text.slice(0, at).split('\n')
      return engineError('generate/grammar-syntax', {
        where: `${what}, line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`,
        reason,
      })
    },
  }
}

/** Hexadecimal digits as a code point. */
export function readHex(reader: TextReader, digits: number): number {
  const found = reader.match(/[0-9A-Fa-f]*/)
  const value = Number.parseInt(found.slice(0, digits), 16)
  if (found.length !== digits || value > 0x10ffff) throw reader.fail(`an escape needs ${digits} hexadecimal digits of a character`)
  return value
}
