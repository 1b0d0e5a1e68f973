// The evaluator of a template under limits, with the differences between @huggingface/jinja 0.5.11 and Python's jinja2 3.1 that public templates meet evened out.
import { parse, type Interpreter } from '@huggingface/jinja'
import { engineError } from '../errors'
import type { JinjaProgram } from './jinja-compile'
import { binaryShim, FILTER_ALIASES, filterShim, methodShim, TEXT_METHODS, type ShimResult } from './jinja-shims'
import { htmlEscape, pythonStr, pythonStrip, textOf, type JinjaValue } from './jinja-python'

/** More text than any context window holds, and little enough to hold a few copies of. */
export const MAX_OUTPUT_CHARACTERS = 16 * 1024 * 1024
/** The most a public template needs is about ten million, for a thousand messages; most need a hundredth of that. */
export const MAX_STEPS = 20_000_000
/** Templates indent by 2 or 4. */
export const MAX_INDENT = 256

type JinjaNode = JinjaProgram['body'][number]
type JinjaScope = Interpreter['global']

/** Statements print nothing by themselves; everything else in a block is an expression whose value is printed. */
const STATEMENTS: ReadonlySet<string> = new Set([
  'Set',
  'If',
  'For',
  'Macro',
  'CallStatement',
  'FilterStatement',
  'Break',
  'Continue',
  'Comment',
])
/** Filters that Python applies to an undefined value as to an empty text or list. */
const TEXT_FILTERS: ReadonlySet<string> = new Set(['trim', 'string', 'upper', 'lower', 'title', 'capitalize', 'replace', 'indent'])
const LIST_FILTERS: ReadonlySet<string> = new Set([
  'list',
  'length',
  'join',
  'selectattr',
  'rejectattr',
  'map',
  'items',
  'sort',
  'unique',
  'first',
  'last',
  'select',
  'reject',
  'reverse',
  'batch',
  'sum',
  'count',
  'groupby',
])
/** The lazy ones test `if seq` first, so that None is an empty list to them, and give generators, which are no JSON. */
const LAZY_FILTERS: ReadonlySet<string> = new Set(['select', 'reject', 'selectattr', 'rejectattr', 'map'])
const STRIP_METHODS: Readonly<Record<string, 'both' | 'left' | 'right'>> = { strip: 'both', lstrip: 'left', rstrip: 'right' }

/** Operators that Python has for more kinds of values than the library. */
const SHIMMED_OPERATORS: ReadonlySet<string> = new Set(['+', '~', '*', '%', '<', '>', '<=', '>='])

/** Which nodes stand where a value is printed, and which where a loop takes its items from. */
export interface NodeRoles {
  readonly printed: ReadonlySet<object>
  readonly looped: ReadonlySet<object>
}

/** Finds the roles of a template's nodes. */
export function rolesOf(program: JinjaProgram): NodeRoles {
  const printed = new Set<object>()
  const looped = new Set<object>()
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(visit)
    else if (node instanceof Map) [...node].flat().forEach(visit)
    else if (isNode(node)) {
      for (const key of ['body', 'alternate', 'defaultBlock']) {
        const block = field(node, key)
        for (const child of Array.isArray(block) ? block : []) if (isNode(child) && !STATEMENTS.has(child.type)) printed.add(child)
      }
      if (node.type === 'For') {
        const iterable = child(node, 'iterable')
        const items = iterable?.type === 'SelectExpression' ? child(iterable, 'lhs') : iterable
        if (items) looped.add(items)
      }
      Object.values(node).forEach(visit)
    }
  }
  visit(program)
  return { printed, looped }
}

function isNode(value: unknown): value is JinjaNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

function field(node: JinjaNode, key: string): unknown {
  return Reflect.get(node, key)
}

function child(node: JinjaNode, key: string): JinjaNode | null {
  const value = field(node, key)
  return isNode(value) ? value : null
}

const EMPTY = parse([])

/** A node like another, with some fields of its own. */
function derived(node: JinjaNode, fields: Readonly<Record<string, unknown>>): JinjaNode {
  const copy: unknown = Object.assign(Object.create(Reflect.getPrototypeOf(node)), node, fields)
  if (!isNode(copy)) throw new TypeError('a template node without a type')
  return copy
}

/** What the interpreter calls for every node. */
export type Evaluate = (node: JinjaNode | undefined, scope: JinjaScope) => JinjaValue

export interface EvaluatorOptions {
  readonly source: string
  readonly roles: NodeRoles
  readonly original: Evaluate
  readonly maxSteps: number
}

/**
 * Wraps the interpreter's `evaluate` with counting and the differences.
 * What it returns throws "template/limit-exceeded" beside the errors of the library.
 */
export function createEvaluator({ source, roles, original, maxSteps }: EvaluatorOptions): Evaluate {
  let steps = 0
  const known = new WeakMap<object, JinjaValue>()
  const safe = new WeakSet<object>()

  const literal = (type: string, value: unknown, scope: JinjaScope): JinjaValue => {
    return original(derived(EMPTY, { type, value }), scope)
  }
  const text = (value: string, scope: JinjaScope) => literal('StringLiteral', value, scope)
  const list = (nodes: readonly JinjaNode[], scope: JinjaScope) => literal('ArrayLiteral', nodes, scope)
  /** A node that stands for a value computed already. */
  const solved = (value: JinjaValue): JinjaNode => {
    const node = derived(EMPTY, { type: 'Solved' })
    known.set(node, value)
    return node
  }

  const checkLength = (length: number): void => {
    if (length > MAX_OUTPUT_CHARACTERS) {
      throw engineError('template/limit-exceeded', { source, what: 'the length of its text', max: MAX_OUTPUT_CHARACTERS })
    }
  }

  const fromShim = (result: ShimResult, scope: JinjaScope): JinjaValue => {
    if ('text' in result) return text(result.text, scope)
    if ('integer' in result) return literal('IntegerLiteral', result.integer, scope)
    if ('float' in result) return literal('FloatLiteral', result.float, scope)
    if ('boolean' in result) return original(derived(EMPTY, { type: 'Identifier', value: result.boolean ? 'true' : 'false' }), scope)
    return list(
      result.items.map((item) => solved(typeof item === 'string' ? text(item, scope) : item)),
      scope,
    )
  }

  /** Values of positional arguments; null where there are others. */
  const positional = (args: unknown, scope: JinjaScope): JinjaValue[] | null => {
    if (!Array.isArray(args)) return []
    const values: JinjaValue[] = []
    for (const argument of args) {
      if (!isNode(argument) || argument.type === 'KeywordArgumentExpression' || argument.type === 'SpreadExpression') return null
      values.push(evaluate(argument, scope))
    }
    return values
  }

  const filter = (given: JinjaNode, scope: JinjaScope): JinjaValue => {
    const node = withoutAlias(given)
    const operandNode = child(node, 'operand')
    const filterNode = child(node, 'filter')
    const name = nameOfFilter(node)
    if (!operandNode || !filterNode || name === null) return original(node, scope)
    let operand = evaluate(operandNode, scope)
    if (name === 'tojson' && operandNode.type === 'FilterExpression' && LAZY_FILTERS.has(nameOfFilter(operandNode) ?? '')) {
      throw new Error('Object of type generator is not JSON serializable')
    }
    if (name === 'safe') return markAsSafe(text(pythonStr(operand), scope))
    if (name === 'indent' || name === 'tojson') checkIndent(filterNode, scope)
    if (operand.type === 'UndefinedValue') {
      if (name === 'first' || name === 'last') return operand
      if (TEXT_FILTERS.has(name)) operand = text('', scope)
      else if (LIST_FILTERS.has(name)) operand = list([], scope)
    } else if (operand.type === 'NullValue') {
      if (LAZY_FILTERS.has(name)) operand = list([], scope)
      else if (name === 'trim' || name === 'string') operand = text('None', scope)
    }
    if (operand.type === 'StringValue' && name === 'trim' && filterNode.type === 'Identifier') {
      return text(pythonStrip(textOf(operand), { sides: 'both' }), scope)
    }
    if (operand.type === 'StringValue' && name === 'list') return charactersOf(operand, scope)
    // Of an empty list the library takes an element that is not there.
    if ((name === 'first' || name === 'last') && Array.isArray(operand.value) && operand.value.length === 0)
      return original(undefined, scope)
    if (name === 'string' && operand.type !== 'StringValue') return text(pythonStr(operand), scope)
    const args = positional(field(filterNode, 'args'), scope)
    const shimmed = args && filterShim(name, operand, args)
    if (shimmed) return fromShim(shimmed, scope)
    return original(derived(node, { operand: solved(operand) }), scope)
  }

  const markAsSafe = (value: JinjaValue): JinjaValue => {
    safe.add(value)
    return value
  }

  /** Text marked `safe` escapes what is added to it. */
  const binary = (node: JinjaNode, scope: JinjaScope): JinjaValue => {
    const operator = child(node, 'operator')
    const [leftNode, rightNode] = [child(node, 'left'), child(node, 'right')]
    const sign = operator && field(operator, 'value')
    if (!leftNode || !rightNode || typeof sign !== 'string' || !SHIMMED_OPERATORS.has(sign)) return original(node, scope)
    const [left, right] = [evaluate(leftNode, scope), evaluate(rightNode, scope)]
    const shimmed = safe.has(left) || safe.has(right) ? null : binaryShim(sign, { left, right, checkLength })
    if (shimmed) return fromShim(shimmed, scope)
    if (sign !== '+') return original(derived(node, { left: solved(left), right: solved(right) }), scope)
    if (safe.has(left) || safe.has(right)) {
      const part = (value: JinjaValue) => (safe.has(value) ? textOf(value) : htmlEscape(pythonStr(value)))
      return markAsSafe(text(part(left) + part(right), scope))
    }
    return original(derived(node, { left: solved(left), right: solved(right) }), scope)
  }

  const checkIndent = (filterNode: JinjaNode, scope: JinjaScope): void => {
    const args = field(filterNode, 'args')
    for (const argument of Array.isArray(args) ? args : []) {
      if (!isNode(argument)) continue
      const value = evaluate(
        argument.type === 'KeywordArgumentExpression' ? (child(argument, 'value') ?? undefined) : argument,
        scope,
      ).value
      if (typeof value === 'number' && value > MAX_INDENT) {
        throw engineError('template/limit-exceeded', { source, what: 'an indentation', max: MAX_INDENT })
      }
    }
  }

  const charactersOf = (value: JinjaValue, scope: JinjaScope): JinjaValue =>
    list(
      Array.from(textOf(value), (character) => solved(text(character, scope))),
      scope,
    )

  /** A call of str.strip and its kind: the library ignores what is to be stripped. */
  const call = (node: JinjaNode, scope: JinjaScope): JinjaValue => {
    const callee = child(node, 'callee')
    const args = field(node, 'args')
    const property = callee?.type === 'MemberExpression' && field(callee, 'computed') === false ? child(callee, 'property') : null
    const objectNode = callee && child(callee, 'object')
    const name: unknown = property ? field(property, 'value') : null
    const sides = typeof name === 'string' && Object.hasOwn(STRIP_METHODS, name) ? STRIP_METHODS[name] : undefined
    if (typeof name === 'string' && TEXT_METHODS.has(name) && callee && objectNode) {
      const object = evaluate(objectNode, scope)
      const values = object.type === 'StringValue' ? positional(args, scope) : null
      const shimmed = values && methodShim(name, textOf(object), values)
      if (shimmed) return fromShim(shimmed, scope)
      return original(derived(node, { callee: derived(callee, { object: solved(object) }) }), scope)
    }
    if (!sides || !callee || !objectNode || !Array.isArray(args) || args.length > 1) return original(node, scope)
    const object = evaluate(objectNode, scope)
    if (object.type !== 'StringValue') {
      return original(derived(node, { callee: derived(callee, { object: solved(object) }) }), scope)
    }
    const argument: unknown = args[0]
    const characters = isNode(argument) ? evaluate(argument, scope) : null
    const given = characters?.type === 'StringValue' ? { characters: textOf(characters) } : {}
    return text(pythonStrip(textOf(object), { sides, ...given }), scope)
  }

  const member = (node: JinjaNode, scope: JinjaScope): JinjaValue => {
    const objectNode = child(node, 'object')
    if (!objectNode) return original(node, scope)
    const object = evaluate(objectNode, scope)
    if (object.type === 'UndefinedValue') {
      const name: unknown = objectNode.type === 'Identifier' ? field(objectNode, 'value') : 'a value'
      throw new Error(`${typeof name === 'string' ? name : 'a value'} is undefined`)
    }
    return original(derived(node, { object: solved(object) }), scope)
  }

  const byType = (node: JinjaNode, scope: JinjaScope): JinjaValue => {
    switch (node.type) {
      case 'FilterExpression':
        return filter(node, scope)
      case 'CallExpression':
        return call(node, scope)
      case 'MemberExpression':
        return member(node, scope)
      case 'BinaryExpression':
        return binary(node, scope)
      default:
        return original(node, scope)
    }
  }

  const evaluate: Evaluate = (node, scope) => {
    if (++steps > maxSteps) throw engineError('template/limit-exceeded', { source, what: 'the number of its steps', max: maxSteps })
    if (!node) return original(node, scope)
    const before = known.get(node)
    if (before) return before
    let value = byType(node, scope)
    if (roles.looped.has(node)) {
      if (value.type === 'UndefinedValue') value = list([], scope)
      else if (value.type === 'StringValue') value = charactersOf(value, scope)
    }
    if (roles.printed.has(node) && value.type !== 'StringValue') value = text(pythonStr(value), scope)
    if (typeof value.value === 'string' && value.value.length > MAX_OUTPUT_CHARACTERS) {
      throw engineError('template/limit-exceeded', { source, what: 'the length of its text', max: MAX_OUTPUT_CHARACTERS })
    }
    return value
  }
  return evaluate
}

function nameOfFilter(node: JinjaNode): string | null {
  const filterNode = child(node, 'filter')
  const named = filterNode?.type === 'CallExpression' ? child(filterNode, 'callee') : filterNode
  const name: unknown = named?.type === 'Identifier' ? field(named, 'value') : null
  return typeof name === 'string' ? name : null
}

/** A filter under the name that the library has for it. */
function withoutAlias(node: JinjaNode): JinjaNode {
  const name = nameOfFilter(node)
  const alias = name !== null && Object.hasOwn(FILTER_ALIASES, name) ? FILTER_ALIASES[name] : undefined
  const filterNode = child(node, 'filter')
  if (alias === undefined || !filterNode) return node
  const callee = child(filterNode, 'callee')
  const renamed = callee ? derived(filterNode, { callee: derived(callee, { value: alias }) }) : derived(filterNode, { value: alias })
  return derived(node, { filter: renamed })
}
