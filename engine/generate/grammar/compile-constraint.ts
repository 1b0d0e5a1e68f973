// What a reply must look like, as a person writes it, to a compiled program.
import { parseJson } from '../../bytes/json'
import { EngineError, engineError } from '../../errors'
import { parseJsonSchema } from './json-schema'
import { checkGrammarLimit, GRAMMAR_LIMITS, type Grammar } from './nodes'
import { parseGbnf } from './parse-gbnf'
import { parseRegex } from './parse-regex'
import { compileGrammar, type Program } from './program'

/** A reply's form: a JSON schema (as text), a GBNF grammar, or a regular expression that all of it must match. */
export interface OutputConstraint {
  readonly kind: 'json-schema' | 'grammar' | 'regex'
  readonly text: string
}

/**
 * Compiles a constraint. Throws "generate/schema-invalid", "generate/schema-unsupported", "generate/grammar-syntax", "generate/pattern-unsupported",
 * "generate/grammar-left-recursion", "generate/grammar-too-large".
 */
export function compileConstraint(constraint: OutputConstraint): Program {
  return compileGrammar(readConstraint(constraint))
}

function readConstraint({ kind, text }: OutputConstraint): Grammar {
  checkGrammarLimit('the length of the text', text.length, GRAMMAR_LIMITS.textChars)
  if (kind === 'grammar') return parseGbnf(text)
  if (kind === 'regex') return { rules: new Map([['root', parseRegex(text)]]), root: 'root' }
  return parseJsonSchema(readSchemaText(text))
}

function readSchemaText(text: string): ReturnType<typeof parseJson> {
  try {
    return parseJson(new TextEncoder().encode(text), 'schema')
  } catch (cause) {
    throw engineError(
      'generate/schema-invalid',
      { pointer: '/', reason: cause instanceof EngineError ? cause.message : String(cause) },
      cause,
    )
  }
}
