// Evaluates the expressions of a template. Follows jinja2 3.1.6 (compiler.py) with the sandbox that Transformers sets up.
import { callValue, sliceOf } from './access'
import { dictOf } from './collection-methods'
import { compare, contains, equals } from './compare'
import { PythonError, typeError } from './failures'
import { iterate } from './iteration'
import type { CallArguments, CompareOperator, Expression } from './nodes'
import { binary, concatenated, signed } from './operators'
import type { Runtime } from './registry'
import { isTrue } from './repr'
import type { Scope } from './scope'
import { type Arguments, type Value, isObject, list, NO_NAMED, textOf, tuple, typeName, undefinedValue } from './values'

/** Evaluates `node` in `scope`. `piped` is what a filter without an operand gets: the block it stands before. */
export function evaluate(node: Expression, scope: Scope, runtime: Runtime, piped: Value = null): Value {
  const { budget } = runtime
  budget.spend(1)
  const at = (inner: Expression) => evaluate(inner, scope, runtime, piped)
  switch (node.kind) {
    case 'constant':
      return node.value
    case 'name': {
      const value = scope.get(node.name)
      return value === undefined ? undefinedValue(`'${node.name}' is undefined`) : value
    }
    case 'list':
      budget.items(node.items.length)
      return list(node.items.map(at))
    case 'tuple':
      budget.items(node.items.length)
      return tuple(node.items.map(at))
    case 'dict':
      return dictOf(
        node.pairs.map(({ key, value }) => ({ key: at(key), value: at(value) })),
        runtime,
      )
    case 'attribute':
      return runtime.attributeOf(at(node.object), node.name)
    case 'item':
      return evaluateItem(node, { at, runtime })
    case 'slice':
      throw typeError('a slice stands in brackets only')
    case 'call':
      return callValue(at(node.callee), evaluateArguments(node.args, { at, runtime }), budget)
    case 'filter': {
      if (!runtime.hasFilter(node.name)) throw new PythonError('TemplateRuntimeError', `No filter named '${node.name}' found.`)
      const operand = node.operand === null ? piped : at(node.operand)
      return runtime.filter(node.name, operand, evaluateArguments(node.args, { at, runtime }))
    }
    case 'test': {
      if (!runtime.hasTest(node.name)) throw new PythonError('TemplateRuntimeError', `No test named '${node.name}' found.`)
      return runtime.test(node.name, at(node.operand), evaluateArguments(node.args, { at, runtime }))
    }
    case 'binary':
      return binary(node.operator, { left: at(node.left), right: at(node.right) }, budget)
    case 'concat':
      return concatenated(node.parts.map(at), budget)
    case 'unary':
      return node.operator === 'not' ? !isTrue(at(node.operand)) : signed(node.operator, at(node.operand))
    case 'and': {
      const left = at(node.left)
      return isTrue(left) ? at(node.right) : left
    }
    case 'or': {
      const left = at(node.left)
      return isTrue(left) ? left : at(node.right)
    }
    case 'compare':
      return evaluateComparison(node, { at, runtime })
    case 'condition':
      if (isTrue(at(node.test))) return at(node.then)
      return node.otherwise === null
        ? undefinedValue('the inline if-expression evaluated to false and no else section was defined.')
        : at(node.otherwise)
  }
}

interface Evaluation {
  readonly at: (node: Expression) => Value
  readonly runtime: Runtime
}

function evaluateItem(node: Expression & { readonly kind: 'item' }, { at, runtime }: Evaluation): Value {
  const object = at(node.object)
  const { index } = node
  if (index.kind !== 'slice') return runtime.itemOf(object, at(index))
  const part = (inner: Expression | null) => (inner === null ? null : at(inner))
  return sliceOf(object, { start: part(index.start), stop: part(index.stop), step: part(index.step) }, runtime)
}

function evaluateArguments(args: CallArguments, { at, runtime }: Evaluation): Arguments {
  const positional = args.positional.map(at)
  if (args.named.length === 0 && args.spread === null && args.namedSpread === null) return { positional, named: NO_NAMED }
  const named = new Map<string, Value>()
  if (args.spread !== null) {
    for (const item of iterate(at(args.spread), runtime.budget)) {
      runtime.budget.items(1)
      positional.push(item)
    }
  }
  const add = (name: string, value: Value) => {
    if (named.has(name)) throw typeError(`got multiple values for keyword argument '${name}'`)
    named.set(name, value)
  }
  for (const { name, value } of args.named) add(name, at(value))
  if (args.namedSpread === null) return { positional, named }
  const mapping = at(args.namedSpread)
  if (!isObject(mapping) || mapping.kind !== 'dict') throw typeError(`argument after ** must be a mapping, not ${typeName(mapping)}`)
  for (const { key, value } of mapping.entries.values()) {
    const name = textOf(key)
    if (name === null) throw typeError('keywords must be strings')
    add(name, value)
  }
  return { positional, named }
}

function evaluateComparison(node: Expression & { readonly kind: 'compare' }, { at, runtime }: Evaluation): Value {
  let left = at(node.first)
  for (const { operator, operand } of node.rest) {
    const right = at(operand)
    if (!holds(operator, { left, right }, runtime)) return false
    left = right
  }
  return true
}

function holds(operator: CompareOperator, { left, right }: { readonly left: Value; readonly right: Value }, { budget }: Runtime): boolean {
  switch (operator) {
    case '==':
      return equals(left, right, budget)
    case '!=':
      return !equals(left, right, budget)
    case 'in':
      return contains(right, left, budget)
    case 'not in':
      return !contains(right, left, budget)
    default:
      return compare(left, right, { operator, budget })
  }
}
