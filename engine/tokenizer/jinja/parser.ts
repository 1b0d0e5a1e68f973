// The grammar of Jinja's statements, with loopcontrols and the `generation` tag of Transformers 5.18. Follows jinja2 3.1.6 (parser.py).
import { reads } from './names'
import { tokenize } from './lexer'
import type { Expression, MacroNode, Signature, Statement, Target } from './nodes'
import { endsTuple, parseExpression, parseFilterChain, parsePrimary, parseTuple } from './parse-expression'
import { describe, TokenStream } from './token-stream'

/** Parses the text of a template. Throws TemplateSyntaxError. */
export function parseTemplate(text: string): Statement[] {
  const stream = new TokenStream(tokenize(text))
  const body = parseBody(stream, [])
  if (stream.current.kind !== 'end') stream.fail(`unexpected ${describe(stream.current)}`)
  return body
}

/** Statements up to one of the tags in `ends`, which stays the current token. */
function parseBody(stream: TokenStream, ends: readonly string[], line = stream.current.line): Statement[] {
  const body: Statement[] = []
  while (stream.current.kind !== 'end') {
    const token = stream.take()
    if (token.kind === 'data') body.push({ kind: 'text', text: token.value })
    else if (token.kind === 'variableBegin') {
      body.push({ kind: 'print', value: parseTuple(stream) })
      stream.expect('variableEnd')
    } else {
      if (stream.current.kind === 'name' && ends.includes(stream.current.value)) return body
      body.push(...stream.nested(() => parseStatement(stream)))
      stream.expect('blockEnd')
    }
  }
  if (ends.length > 0) stream.fail(`the block that begins here has no ${ends.join(' or ')}`, line)
  return body
}

/** The body of a block; the tag that ends it is taken and named. */
function parseBlock(stream: TokenStream, ends: readonly string[]): { readonly body: Statement[]; readonly end: string } {
  stream.skipOperator(':')
  const { line } = stream.expect('blockEnd')
  const body = parseBody(stream, ends, line)
  return { body, end: stream.take().value }
}

function parseStatement(stream: TokenStream): Statement[] {
  const token = stream.expect('name')
  switch (token.value) {
    case 'for':
      return [parseFor(stream)]
    case 'if':
      return [parseIf(stream)]
    case 'set':
      return [parseSet(stream)]
    case 'with':
      return [parseWith(stream)]
    case 'macro':
      return [parseMacro(stream)]
    case 'call':
      return [parseCallBlock(stream)]
    case 'filter':
      return [parseFilterBlock(stream)]
    case 'print':
      return parsePrint(stream)
    case 'generation':
      // Its body is called like that of a call block, so what it sets stays inside.
      return [{ kind: 'scope', body: parseBlock(stream, ['endgeneration']).body }]
    case 'block':
      return [parseNamedBlock(stream)]
    case 'break':
    case 'continue':
      return [{ kind: token.value }]
    case 'include':
    case 'import':
    case 'from':
    case 'extends':
      return [parseLoad(stream, token.value)]
    default:
      return stream.fail(`encountered the unknown tag '${token.value}'`, token.line)
  }
}

function parseFor(stream: TokenStream): Statement {
  const target = parseTarget(stream, { endsAt: 'in' })
  stream.expectName('in')
  const iterable = parseTuple(stream, { conditions: false, endsAt: 'recursive' })
  const test = stream.skipName('if') ? parseExpression(stream) : null
  const recursive = stream.skipName('recursive')
  const { body, end } = parseBlock(stream, ['endfor', 'else'])
  const otherwise = end === 'else' ? parseBlock(stream, ['endfor']).body : []
  return { kind: 'for', target, iterable, test, recursive, body, otherwise }
}

function parseIf(stream: TokenStream): Statement {
  const branches: { test: Expression; body: readonly Statement[] }[] = []
  for (;;) {
    const test = parseTuple(stream, { conditions: false })
    const { body, end } = parseBlock(stream, ['elif', 'else', 'endif'])
    branches.push({ test, body })
    if (end === 'elif') continue
    return { kind: 'if', branches, otherwise: end === 'else' ? parseBlock(stream, ['endif']).body : [] }
  }
}

function parseSet(stream: TokenStream): Statement {
  const target = parseTarget(stream, { namespaces: true })
  if (stream.skipOperator('=')) return { kind: 'set', target, value: parseTuple(stream) }
  const filter = parseFilterChain(stream, null)
  return { kind: 'setBlock', target, filter, body: parseBlock(stream, ['endset']).body }
}

function parseWith(stream: TokenStream): Statement {
  const bindings: { target: Target; value: Expression }[] = []
  while (stream.current.kind !== 'blockEnd') {
    if (bindings.length > 0) stream.expectOperator(',')
    const target = parseTarget(stream, {})
    stream.expectOperator('=')
    bindings.push({ target, value: parseExpression(stream) })
  }
  return { kind: 'with', bindings, body: parseBlock(stream, ['endwith']).body }
}

function parseMacro(stream: TokenStream): Statement {
  const name = stream.expect('name').value
  const signature = parseSignature(stream)
  return { kind: 'macro', macro: macroNode(stream, { name, signature, body: parseBlock(stream, ['endmacro']).body }) }
}

function parseCallBlock(stream: TokenStream): Statement {
  const signature = stream.isOperator('(') ? parseSignature(stream) : { names: [], defaults: [] }
  const call = parseExpression(stream)
  if (call.kind !== 'call') return stream.fail('expected a call')
  const body = parseBlock(stream, ['endcall']).body
  return { kind: 'callBlock', call, caller: macroNode(stream, { name: 'caller', signature, body }) }
}

function macroNode(stream: TokenStream, parts: Omit<MacroNode, 'reads'>): MacroNode {
  const { names, defaults } = parts.signature
  const explicit = names.indexOf('caller')
  if (explicit !== -1 && explicit < names.length - defaults.length) stream.fail('the parameter "caller" needs a default')
  return { ...parts, reads: reads(parts.body) }
}

function parseSignature(stream: TokenStream): Signature {
  const names: string[] = []
  const defaults: Expression[] = []
  stream.expectOperator('(')
  while (!stream.isOperator(')')) {
    if (names.length > 0) stream.expectOperator(',')
    names.push(stream.expect('name').value)
    if (stream.skipOperator('=')) defaults.push(parseExpression(stream))
    else if (defaults.length > 0) stream.fail('a parameter without a default follows one with a default')
  }
  stream.expectOperator(')')
  return { names, defaults }
}

function parseFilterBlock(stream: TokenStream): Statement {
  const filter = parseFilterChain(stream, null, true)
  if (filter === null) return stream.fail('expected a filter')
  return { kind: 'filterBlock', filter, body: parseBlock(stream, ['endfilter']).body }
}

function parsePrint(stream: TokenStream): Statement[] {
  const printed: Statement[] = []
  while (stream.current.kind !== 'blockEnd') {
    if (printed.length > 0) stream.expectOperator(',')
    printed.push({ kind: 'print', value: parseExpression(stream) })
  }
  return printed
}

function parseNamedBlock(stream: TokenStream): Statement {
  const name = stream.expect('name').value
  const scoped = stream.skipName('scoped')
  const required = stream.skipName('required')
  const { body } = parseBlock(stream, ['endblock'])
  if (required) stream.fail('a required block has nothing to be overridden by')
  stream.skipName(name)
  return { kind: 'block', name, scoped, body }
}

/** Templates know no other templates: what asks for one fails when it runs, as in Transformers. */
function parseLoad(stream: TokenStream, what: string): Statement {
  parseExpression(stream)
  while (stream.current.kind !== 'blockEnd' && stream.current.kind !== 'end') stream.take()
  return { kind: 'load', what }
}

interface TargetOptions {
  readonly endsAt?: string
  readonly namespaces?: boolean
}

const RESERVED: ReadonlySet<string> = new Set(['true', 'false', 'none', 'True', 'False', 'None'])

function parseTarget(stream: TokenStream, options: TargetOptions): Target {
  const items: Target[] = []
  let isTuple = false
  for (;;) {
    if (items.length > 0) stream.expectOperator(',')
    if (endsTuple(stream, options.endsAt)) break
    items.push(parseSingleTarget(stream, options))
    if (!stream.isOperator(',')) break
    isTuple = true
  }
  const [only] = items
  if (isTuple) return { kind: 'targets', items }
  return only ?? stream.fail(`expected a name, got ${describe(stream.current)}`)
}

function parseSingleTarget(stream: TokenStream, { namespaces = false }: TargetOptions): Target {
  const { kind, value } = stream.current
  if (kind === 'name' && !RESERVED.has(value)) {
    stream.take()
    if (namespaces && stream.skipOperator('.')) return { kind: 'namespace', object: value, attribute: stream.expect('name').value }
    return { kind: 'name', name: value }
  }
  return asTarget(stream, parsePrimary(stream))
}

/** What stands in parentheses is read as an expression first. */
function asTarget(stream: TokenStream, node: Expression): Target {
  if (node.kind === 'name') return { kind: 'name', name: node.name }
  if (node.kind !== 'tuple') return stream.fail(`cannot assign to ${node.kind}`)
  return { kind: 'targets', items: node.items.map((item) => asTarget(stream, item)) }
}
