// Compiles a chat template once with @huggingface/jinja 0.5.11 (trim_blocks and lstrip_blocks on, as Transformers sets them) and says in which line it fails.
import { parse, tokenize } from '@huggingface/jinja'
import { engineError } from '../errors'

/** The longest public template has 30,000 characters; the lexer's time grows with more than their number. */
export const MAX_TEMPLATE_CHARACTERS = 128 * 1024
/** The lexer looks at every pair of places in a run of blanks, and no template needs a longer one. */
export const MAX_BLANK_RUN = 2000

const LEXER_OPTIONS = { trim_blocks: true, lstrip_blocks: true }

/** A compiled template. */
export type JinjaProgram = ReturnType<typeof parse>

/** Compiles `text`. Throws "template/invalid" with the line, "template/limit-exceeded". */
export function compileTemplate(text: string, source: string): JinjaProgram {
  if (text.length > MAX_TEMPLATE_CHARACTERS) {
    throw engineError('template/limit-exceeded', { source, what: 'the number of its characters', max: MAX_TEMPLATE_CHARACTERS })
  }
  if (new RegExp(`\\s{${MAX_BLANK_RUN + 1}}`).test(text)) {
    throw engineError('template/limit-exceeded', { source, what: 'the length of a run of blanks', max: MAX_BLANK_RUN })
  }
  const invalid = (line: number, cause: unknown) => engineError('template/invalid', { source, line, reason: reasonOf(cause) }, cause)
  let tokens: ReturnType<typeof tokenize>
  try {
    tokens = tokenize(text, LEXER_OPTIONS)
  } catch (cause) {
    throw invalid(lineOfLexerError(text), cause)
  }
  let furthest = 0
  // The parser names no place, but the last token it looked at is one.
  const watched = new Proxy(tokens, {
    get: (target, key, receiver): unknown => {
      if (typeof key === 'string' && /^\d+$/.test(key)) furthest = Math.max(furthest, Number(key))
      return Reflect.get(target, key, receiver)
    },
  })
  try {
    return parse(watched)
  } catch (cause) {
    const tag = tokens.slice(0, furthest + 1).filter((token) => token.type === 'OpenStatement' || token.type === 'OpenExpression').length
    throw invalid(lineOfTag(text, tag), cause)
  }
}

function reasonOf(cause: unknown): string {
  // Running past the last token shows as a property of undefined.
  if (cause instanceof TypeError) return 'a block or an expression is not closed'
  return cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause)
}

/** The line of the first tag with which the text up to its end no longer lexes. */
function lineOfLexerError(text: string): number {
  const ends = [...text.matchAll(/%\}|\}\}|#\}/g)].map((match) => match.index + 2)
  for (const end of ends) {
    try {
      tokenize(text.slice(0, end), LEXER_OPTIONS)
    } catch {
      return lineAt(text, text.lastIndexOf('{', end - 3))
    }
  }
  return lineAt(text, text.lastIndexOf('{'))
}

/** The line of the n-th `{{` or `{%`, comments left aside. */
function lineOfTag(text: string, count: number): number {
  let seen = 0
  for (const match of text.matchAll(/\{#[^]*?#\}|\{\{|\{%(?!-?\s*(?:end)?generation\s*-?%\})/g)) {
    if (match[0].startsWith('{#')) continue
    if (++seen === count) return lineAt(text, match.index)
  }
  return lineAt(text, text.length)
}

function lineAt(text: string, index: number): number {
  return text.slice(0, Math.max(0, index)).split('\n').length
}
