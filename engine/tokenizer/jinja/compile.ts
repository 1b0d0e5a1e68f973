// Compiles the text of a chat template once and says in which line it fails.
import { engineError } from '../../errors'
import { TemplateSyntaxError } from './failures'
import type { Statement } from './nodes'
import { parseTemplate } from './parser'

/** The longest public template has 30,000 characters. */
export const MAX_TEMPLATE_CHARACTERS = 256 * 1024

/** A compiled template. */
export interface CompiledTemplate {
  readonly body: readonly Statement[]
  /** Where it comes from, for errors. */
  readonly source: string
}

/** Compiles `text`. Throws "template/invalid" with the line, "template/limit-exceeded". */
export function compileTemplate(text: string, source: string): CompiledTemplate {
  if (text.length > MAX_TEMPLATE_CHARACTERS) {
    throw engineError('template/limit-exceeded', { source, what: 'the number of its characters', max: MAX_TEMPLATE_CHARACTERS })
  }
  try {
    return { body: parseTemplate(text), source }
  } catch (cause) {
    if (!(cause instanceof TemplateSyntaxError)) throw cause
    throw engineError('template/invalid', { source, line: cause.line, reason: cause.message.replace(/\.$/, '') }, cause)
  }
}
