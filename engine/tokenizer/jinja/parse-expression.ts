// The grammar of Jinja's expressions. Follows jinja2 3.1.6 (parser.py): `**` is left-associative, filters bind closer than signs, comparisons chain.
import { NO_ARGUMENTS, type BinaryOperator, type CallArguments, type CompareOperator, type Expression, type NamedCall } from './nodes'
import { describe, type TokenStream } from './token-stream'

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>='])

/** `conditions: false` leaves `x if y` alone, as where a loop's own `if` follows. */
export interface ExpressionOptions {
  readonly conditions?: boolean
  /** A name that ends a tuple after its comma. */
  readonly endsAt?: string
}

/** One expression. Throws TemplateSyntaxError. */
export function parseExpression(stream: TokenStream, options: ExpressionOptions = {}): Expression {
  return stream.nested(() => (options.conditions === false ? parseOr(stream) : parseCondition(stream)))
}

/** An expression, or several with commas between, which are a tuple. */
export function parseTuple(stream: TokenStream, options: ExpressionOptions & { readonly inParentheses?: boolean } = {}): Expression {
  const items: Expression[] = []
  let isTuple = false
  for (;;) {
    if (items.length > 0) stream.expectOperator(',')
    if (endsTuple(stream, options.endsAt)) break
    items.push(parseExpression(stream, options))
    if (!stream.isOperator(',')) break
    isTuple = true
  }
  const [only] = items
  if (!isTuple && only) return only
  if (!isTuple && options.inParentheses !== true) stream.fail(`expected an expression, got ${describe(stream.current)}`)
  return { kind: 'tuple', items }
}

/** Whether no further item of a tuple can follow. */
export function endsTuple(stream: TokenStream, endsAt: string | undefined): boolean {
  const { kind } = stream.current
  return kind === 'variableEnd' || kind === 'blockEnd' || stream.isOperator(')') || (endsAt !== undefined && stream.isName(endsAt))
}

function parseCondition(stream: TokenStream): Expression {
  let then = parseOr(stream)
  while (stream.skipName('if')) {
    const test = parseOr(stream)
    const otherwise = stream.skipName('else') ? stream.nested(() => parseCondition(stream)) : null
    then = { kind: 'condition', test, then, otherwise }
  }
  return then
}

function parseOr(stream: TokenStream): Expression {
  let left = parseAnd(stream)
  while (stream.skipName('or')) left = { kind: 'or', left, right: parseAnd(stream) }
  return left
}

function parseAnd(stream: TokenStream): Expression {
  let left = parseNot(stream)
  while (stream.skipName('and')) left = { kind: 'and', left, right: parseNot(stream) }
  return left
}

function parseNot(stream: TokenStream): Expression {
  if (stream.skipName('not')) return { kind: 'unary', operator: 'not', operand: stream.nested(() => parseNot(stream)) }
  return parseCompare(stream)
}

function parseCompare(stream: TokenStream): Expression {
  const first = parseSum(stream)
  const rest: { operator: CompareOperator; operand: Expression }[] = []
  for (let operator = takeComparison(stream); operator !== null; operator = takeComparison(stream)) {
    rest.push({ operator, operand: parseSum(stream) })
  }
  return rest.length === 0 ? first : { kind: 'compare', first, rest }
}

function takeComparison(stream: TokenStream): CompareOperator | null {
  const { kind, value } = stream.current
  if (kind === 'operator' && isComparison(value)) {
    stream.take()
    return value
  }
  if (stream.skipName('in')) return 'in'
  if (!stream.isName('not') || stream.next.kind !== 'name' || stream.next.value !== 'in') return null
  stream.take()
  stream.take()
  return 'not in'
}

function isComparison(value: string): value is CompareOperator {
  return COMPARISONS.has(value)
}

/** A level of operators that group from the left. */
function leftAssociative(
  stream: TokenStream,
  { operators, operand }: { readonly operators: readonly BinaryOperator[]; readonly operand: (stream: TokenStream) => Expression },
): Expression {
  let left = operand(stream)
  for (;;) {
    const operator = operators.find((candidate) => stream.skipOperator(candidate))
    if (operator === undefined) return left
    left = { kind: 'binary', operator, left, right: operand(stream) }
  }
}

function parseSum(stream: TokenStream): Expression {
  return leftAssociative(stream, { operators: ['+', '-'], operand: parseConcat })
}

function parseConcat(stream: TokenStream): Expression {
  const first = parseProduct(stream)
  const parts = [first]
  while (stream.skipOperator('~')) parts.push(parseProduct(stream))
  return parts.length === 1 ? first : { kind: 'concat', parts }
}

function parseProduct(stream: TokenStream): Expression {
  return leftAssociative(stream, { operators: ['*', '/', '//', '%'], operand: parsePower })
}

function parsePower(stream: TokenStream): Expression {
  return leftAssociative(stream, { operators: ['**'], operand: (inner) => parseUnary(inner, true) })
}

function parseUnary(stream: TokenStream, filters: boolean): Expression {
  let node: Expression
  if (stream.skipOperator('-')) node = { kind: 'unary', operator: '-', operand: stream.nested(() => parseUnary(stream, false)) }
  else if (stream.skipOperator('+')) node = { kind: 'unary', operator: '+', operand: stream.nested(() => parseUnary(stream, false)) }
  else node = parsePrimary(stream)
  node = parsePostfix(stream, node)
  return filters ? parseFilters(stream, node) : node
}

const CONSTANTS: ReadonlyMap<string, boolean | null> = new Map<string, boolean | null>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['none', null],
  ['None', null],
])

/** A name, a literal or something in brackets. */
export function parsePrimary(stream: TokenStream): Expression {
  const token = stream.current
  switch (token.kind) {
    case 'name': {
      stream.take()
      const constant = CONSTANTS.get(token.value)
      return constant === undefined ? { kind: 'name', name: token.value } : { kind: 'constant', value: constant }
    }
    case 'string': {
      let value = ''
      while (stream.current.kind === 'string') value += stream.take().value
      return { kind: 'constant', value }
    }
    case 'integer':
      stream.take()
      // Python reads no more digits than this from a text.
      if (token.value.length > 4300) stream.fail('a number of more than 4300 digits', token.line)
      return { kind: 'constant', value: BigInt(token.value) }
    case 'float':
      stream.take()
      return { kind: 'constant', value: Number(token.value) }
    case 'operator':
      return parseBrackets(stream)
    default:
      return stream.fail(`unexpected ${describe(token)}`)
  }
}

function parseBrackets(stream: TokenStream): Expression {
  if (stream.skipOperator('(')) {
    const node = parseTuple(stream, { inParentheses: true })
    stream.expectOperator(')')
    return node
  }
  if (stream.skipOperator('[')) {
    return { kind: 'list', items: parseItems(stream, ']', () => parseExpression(stream)) }
  }
  if (!stream.skipOperator('{')) return stream.fail(`unexpected ${describe(stream.current)}`)
  const pairs = parseItems(stream, '}', () => {
    const key = parseExpression(stream)
    stream.expectOperator(':')
    return { key, value: parseExpression(stream) }
  })
  return { kind: 'dict', pairs }
}

/** Items with commas between, up to the closing bracket; a last comma is allowed. */
function parseItems<T>(stream: TokenStream, closing: string, parse: () => T): T[] {
  const items: T[] = []
  while (!stream.isOperator(closing)) {
    if (items.length > 0) stream.expectOperator(',')
    if (stream.isOperator(closing)) break
    items.push(parse())
  }
  stream.expectOperator(closing)
  return items
}

/** Attributes, items and calls that follow a value. */
function parsePostfix(stream: TokenStream, node: Expression): Expression {
  let current = node
  for (;;) {
    if (stream.skipOperator('.')) current = parseDotted(stream, current)
    else if (stream.isOperator('[')) current = { kind: 'item', object: current, index: parseSubscript(stream) }
    else if (stream.isOperator('(')) current = { kind: 'call', callee: current, args: parseArguments(stream) }
    else return current
  }
}

function parseDotted(stream: TokenStream, object: Expression): Expression {
  const token = stream.take()
  if (token.kind === 'name') return { kind: 'attribute', object, name: token.value }
  if (token.kind !== 'integer') stream.fail('expected a name or a number', token.line)
  return { kind: 'item', object, index: { kind: 'constant', value: BigInt(token.value) } }
}

function parseSubscript(stream: TokenStream): Expression {
  stream.expectOperator('[')
  const items: Expression[] = []
  while (!stream.isOperator(']')) {
    if (items.length > 0) stream.expectOperator(',')
    items.push(parseSubscribed(stream))
  }
  stream.expectOperator(']')
  const [only] = items
  return only && items.length === 1 ? only : { kind: 'tuple', items }
}

function parseSubscribed(stream: TokenStream): Expression {
  const start = stream.isOperator(':') ? null : parseExpression(stream)
  if (!stream.skipOperator(':')) return start ?? stream.fail('expected an expression')
  const part = () => (stream.isOperator(':') || stream.isOperator(']') || stream.isOperator(',') ? null : parseExpression(stream))
  const stop = part()
  const step = stream.skipOperator(':') ? part() : null
  return { kind: 'slice', start, stop, step }
}

function parseArguments(stream: TokenStream): CallArguments {
  const positional: Expression[] = []
  const named: { name: string; value: Expression }[] = []
  let spread: Expression | null = null
  let namedSpread: Expression | null = null
  const { line } = stream.current
  const ensure = (holds: boolean) => {
    if (!holds) stream.fail('invalid syntax for a function call', line)
  }
  stream.expectOperator('(')
  parseItems(stream, ')', () => {
    if (stream.skipOperator('*')) {
      ensure(spread === null && namedSpread === null)
      spread = parseExpression(stream)
    } else if (stream.skipOperator('**')) {
      ensure(namedSpread === null)
      namedSpread = parseExpression(stream)
    } else if (stream.current.kind === 'name' && stream.next.kind === 'operator' && stream.next.value === '=') {
      ensure(namedSpread === null)
      const name = stream.take().value
      stream.take()
      named.push({ name, value: parseExpression(stream) })
    } else {
      ensure(spread === null && namedSpread === null && named.length === 0)
      positional.push(parseExpression(stream))
    }
  })
  return { positional, named, spread, namedSpread }
}

/** Filters, tests and calls that follow a value. */
function parseFilters(stream: TokenStream, node: Expression): Expression {
  let current = node
  for (;;) {
    if (stream.isOperator('|')) current = parseFilterChain(stream, current)
    else if (stream.skipName('is')) current = parseTest(stream, current)
    else if (stream.isOperator('(')) current = { kind: 'call', callee: current, args: parseArguments(stream) }
    else return current
  }
}

/** Filters with their bars; of a block (`startsInline`) the first one has none. */
export function parseFilterChain<T extends Expression | null>(stream: TokenStream, operand: T, startsInline = false): Expression | T {
  let current: Expression | T = operand
  let inline = startsInline
  while (inline || stream.skipOperator('|')) {
    inline = false
    const call = parseNamedCall(stream)
    current = { kind: 'filter', operand: current, ...call, args: stream.isOperator('(') ? parseArguments(stream) : NO_ARGUMENTS }
  }
  return current
}

function parseNamedCall(stream: TokenStream): Omit<NamedCall, 'args'> {
  const { line } = stream.current
  let name = stream.expect('name').value
  while (stream.skipOperator('.')) name += `.${stream.expect('name').value}`
  return { name, line }
}

function parseTest(stream: TokenStream, operand: Expression): Expression {
  const negated = stream.skipName('not')
  const test: Expression = { kind: 'test', operand, ...parseNamedCall(stream), args: parseTestArguments(stream) }
  return negated ? { kind: 'unary', operator: 'not', operand: test } : test
}

/** In parentheses, or one value without. */
function parseTestArguments(stream: TokenStream): CallArguments {
  if (stream.isOperator('(')) return parseArguments(stream)
  const { kind, value } = stream.current
  const begins =
    kind === 'string' || kind === 'integer' || kind === 'float' || stream.isOperator('[') || stream.isOperator('{')
      ? true
      : kind === 'name' && value !== 'else' && value !== 'or' && value !== 'and'
  if (!begins) return NO_ARGUMENTS
  if (stream.isName('is')) stream.fail('tests with "is" cannot be chained')
  return { ...NO_ARGUMENTS, positional: [parsePostfix(stream, parsePrimary(stream))] }
}
