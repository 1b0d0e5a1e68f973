// Cuts the text of a template into tokens. Follows jinja2 3.1.6 (lexer.py) with trim_blocks and lstrip_blocks, in time linear in the text.
import { TemplateSyntaxError } from './failures'
import { PYTHON_SPACE, isPythonSpace } from './python-space'
import { unescapeString } from './string-literal'

/** What a token is; an operator's value is its text. */
export type TokenKind =
  'data' | 'blockBegin' | 'blockEnd' | 'variableBegin' | 'variableEnd' | 'name' | 'string' | 'integer' | 'float' | 'operator' | 'end'

/** A token with the line where it begins, counted from 1. */
export interface Token {
  readonly kind: TokenKind
  readonly value: string
  readonly line: number
}

/** The longest public template has about 8,000. */
const MAX_TOKENS = 100_000

const S = `[${PYTHON_SPACE}]`
const RAW_BEGIN = new RegExp(`\\{%([-+]?)${S}*raw${S}*(?:-%\\}${S}*|%\\})`, 'y')
const RAW_END = new RegExp(`\\{%([-+]?)${S}*endraw${S}*(?:\\+%\\}|-%\\}${S}*|%\\}\\n?)`, 'g')
const COMMENT_END = new RegExp(`\\+#\\}|-#\\}${S}*|#\\}\\n?`, 'g')
const BLOCK_END = new RegExp(`\\+%\\}|-%\\}${S}*|%\\}\\n?`, 'y')
const VARIABLE_END = new RegExp(`-\\}\\}${S}*|\\}\\}`, 'y')
const SPACES = new RegExp(`${S}+`, 'y')
const FLOAT = /(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?[eE][+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/y
const INTEGER = /0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[\da-fA-F])+|[1-9](?:_?\d)*|0(?:_?0)*/y
const NAME = /[\p{L}\p{N}\p{Mn}\p{Mc}_]+/uy
const IDENTIFIER = /^[\p{ID_Start}_][\p{ID_Continue}]*$/u
const STRING = /'[^'\\]*(?:\\[^][^'\\]*)*'|"[^"\\]*(?:\\[^][^"\\]*)*"/y
const OPERATOR = /\/\/|\*\*|==|!=|>=|<=|[-+/*%~[\](){}<>=.:|,;]/y
const CLOSING: Readonly<Record<string, string>> = { '{': '}', '(': ')', '[': ']' }

/** Cuts `template` into tokens; the last one is `end`. Throws TemplateSyntaxError. */
export function tokenize(template: string): Token[] {
  const source = template.replace(/\r\n|\r/g, '\n').replace(/\n$/, '')
  return new Lexer(source).run()
}

/** A token with the text that it was read from. */
interface Scanned {
  readonly kind: TokenKind
  readonly text: string
  readonly value: string
}

class Lexer {
  readonly #source: string
  readonly #tokens: Token[] = []
  #position = 0
  #line = 1
  #counted = 0
  /** Whether the text before the position ends a line. */
  #lineStarts = true

  constructor(source: string) {
    this.#source = source
  }

  run(): Token[] {
    while (this.#position < this.#source.length) this.#data()
    this.#push('end', '')
    return this.#tokens
  }

  #lineAt(index: number): number {
    for (let at = this.#counted; at < index; at++) if (this.#source.charCodeAt(at) === 10) this.#line++
    this.#counted = Math.max(this.#counted, index)
    return this.#line
  }

  #push(kind: TokenKind, value: string, at = this.#position): void {
    if (this.#tokens.length >= MAX_TOKENS) this.#fail(`more than ${MAX_TOKENS} tokens`)
    this.#tokens.push({ kind, value, line: this.#lineAt(at) })
  }

  #fail(message: string, at = this.#position): never {
    throw new TemplateSyntaxError(message, this.#lineAt(at))
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#position
    return pattern.exec(this.#source)
  }

  #advance(length: number): void {
    this.#position += length
    this.#lineStarts = this.#source[this.#position - 1] === '\n'
  }

  /** Text up to the next tag, and that tag. */
  #data(): void {
    const begin = this.#position
    const tag = this.#nextTag()
    if (tag === null) {
      this.#push('data', this.#source.slice(begin), begin)
      this.#position = this.#source.length
      return
    }
    const kind = this.#source[tag + 1]
    const sign = this.#source[tag + 2] ?? ''
    this.#position = tag
    const raw = kind === '%' ? this.#match(RAW_BEGIN) : null
    this.#text({ begin, end: tag, sign: raw ? (raw[1] ?? '') : sign, lstrips: kind !== '{' })
    if (raw) {
      this.#advance(raw[0].length)
      this.#raw()
      return
    }
    const signed = sign === '-' || sign === '+'
    if (kind !== '#') this.#push(kind === '%' ? 'blockBegin' : 'variableBegin', '', tag)
    this.#advance(signed ? 3 : 2)
    if (kind === '#') this.#comment()
    else this.#tag(kind === '%')
  }

  #nextTag(): number | null {
    for (let at = this.#source.indexOf('{', this.#position); at !== -1; at = this.#source.indexOf('{', at + 1)) {
      const next = this.#source[at + 1]
      if (next === '%' || next === '{' || next === '#') return at
    }
    return null
  }

  /** Text before a tag: `-` strips it, and blanks alone on the tag's line go too. */
  #text({
    begin,
    end,
    sign,
    lstrips,
  }: {
    readonly begin: number
    readonly end: number
    readonly sign: string
    readonly lstrips: boolean
  }): void {
    let stop = end
    if (sign === '-') {
      while (stop > begin && isPythonSpace(this.#source.charAt(stop - 1))) stop--
    } else if (sign !== '+' && lstrips) {
      let blank = end
      while (blank > begin && this.#source[blank - 1] !== '\n' && isPythonSpace(this.#source.charAt(blank - 1))) blank--
      const atLineStart = blank > begin ? this.#source[blank - 1] === '\n' : this.#lineStarts
      if (atLineStart) stop = blank
    }
    if (stop > begin) this.#push('data', this.#source.slice(begin, stop), begin)
  }

  #raw(): void {
    const begin = this.#position
    const end = this.#match(RAW_END)
    if (!end) this.#fail('Missing end of raw directive')
    this.#text({ begin, end: end.index, sign: end[1] ?? '', lstrips: true })
    this.#advance(end.index + end[0].length - begin)
  }

  #comment(): void {
    const end = this.#match(COMMENT_END)
    if (!end) this.#fail('Missing end of comment tag')
    this.#advance(end.index + end[0].length - this.#position)
  }

  /** The tokens inside a tag, up to its end. */
  #tag(isBlock: boolean): void {
    const open: string[] = []
    while (this.#position < this.#source.length) {
      if (open.length === 0) {
        const end = this.#match(isBlock ? BLOCK_END : VARIABLE_END)
        if (end) {
          this.#push(isBlock ? 'blockEnd' : 'variableEnd', '')
          this.#advance(end[0].length)
          return
        }
      }
      this.#token(open)
    }
  }

  #token(open: string[]): void {
    const spaces = this.#match(SPACES)
    if (spaces) {
      this.#advance(spaces[0].length)
      return
    }
    const { kind, text, value } = this.#number() ?? this.#word() ?? this.#operator(open)
    this.#push(kind, value)
    this.#advance(text.length)
  }

  #number(): Scanned | null {
    // A number after a dot is an index, as in `pair.0.1`.
    const float = this.#source[this.#position - 1] === '.' ? null : this.#match(FLOAT)
    const [text] = float ?? this.#match(INTEGER) ?? []
    return text === undefined ? null : { kind: float ? 'float' : 'integer', text, value: text.replaceAll('_', '') }
  }

  #word(): Scanned | null {
    const [name] = this.#match(NAME) ?? []
    if (name !== undefined) {
      if (!IDENTIFIER.test(name)) this.#fail('Invalid character in identifier')
      return { kind: 'name', text: name, value: name }
    }
    const [string] = this.#match(STRING) ?? []
    if (string === undefined) return null
    const value = unescapeString(string.slice(1, -1))
    if (value === null) this.#fail('an escape sequence is cut off')
    return { kind: 'string', text: string, value }
  }

  #operator(open: string[]): Scanned {
    const [text] = this.#match(OPERATOR) ?? []
    if (text === undefined) this.#fail(`unexpected char '${String.fromCodePoint(this.#source.codePointAt(this.#position) ?? 0)}'`)
    this.#balance(text, open)
    return { kind: 'operator', text, value: text }
  }

  #balance(operator: string, open: string[]): void {
    const closing = CLOSING[operator]
    if (closing !== undefined) open.push(closing)
    else if (operator === '}' || operator === ')' || operator === ']') {
      const expected = open.pop()
      if (expected === undefined) this.#fail(`unexpected '${operator}'`)
      if (expected !== operator) this.#fail(`unexpected '${operator}', expected '${expected}'`)
    }
  }
}
