// The tokens of a template with a place in them, and how deep its nesting may go.
import { TemplateSyntaxError } from './failures'
import type { Token, TokenKind } from './lexer'

/** Python's own recursion limit ends jinja2 at a smaller depth; no public template goes beyond 20. */
const MAX_NESTING = 150

/** Reads tokens one after the other. */
export class TokenStream {
  readonly #tokens: readonly Token[]
  #index = 0
  #depth = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  get current(): Token {
    return this.#at(this.#index)
  }

  get next(): Token {
    return this.#at(this.#index + 1)
  }

  #at(index: number): Token {
    const token = this.#tokens[Math.min(index, this.#tokens.length - 1)]
    if (!token) throw new TemplateSyntaxError('the template is empty', 1)
    return token
  }

  /** Gives the current token and goes on. */
  take(): Token {
    const token = this.current
    this.#index++
    return token
  }

  isOperator(value: string): boolean {
    return this.current.kind === 'operator' && this.current.value === value
  }

  isName(value: string): boolean {
    return this.current.kind === 'name' && this.current.value === value
  }

  skipOperator(value: string): boolean {
    const found = this.isOperator(value)
    if (found) this.#index++
    return found
  }

  skipName(value: string): boolean {
    const found = this.isName(value)
    if (found) this.#index++
    return found
  }

  expectOperator(value: string): void {
    if (!this.skipOperator(value)) this.fail(`expected '${value}', got ${describe(this.current)}`)
  }

  expectName(value: string): void {
    if (!this.skipName(value)) this.fail(`expected '${value}', got ${describe(this.current)}`)
  }

  expect(kind: TokenKind): Token {
    if (this.current.kind !== kind) this.fail(`expected ${KINDS[kind]}, got ${describe(this.current)}`)
    return this.take()
  }

  fail(message: string, line = this.current.line): never {
    throw new TemplateSyntaxError(message, line)
  }

  /** Runs one level of the grammar that may contain itself. */
  nested<T>(parse: () => T): T {
    if (++this.#depth > MAX_NESTING) this.fail(`nested more than ${MAX_NESTING} deep`)
    const result = parse()
    this.#depth--
    return result
  }
}

const KINDS: Readonly<Record<TokenKind, string>> = {
  data: 'text',
  blockBegin: "'{%'",
  blockEnd: "'%}'",
  variableBegin: "'{{'",
  variableEnd: "'}}'",
  name: 'a name',
  string: 'a string',
  integer: 'a number',
  float: 'a number',
  operator: 'an operator',
  end: 'the end of the template',
}

/** A token as an error names it. */
export function describe(token: Token): string {
  return token.kind === 'name' || token.kind === 'operator' ? `'${token.value}'` : KINDS[token.kind]
}
