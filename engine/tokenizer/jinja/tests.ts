// Tests (`x is odd`). Follows jinja2 3.1.6 (tests.py).
import { bind } from './arguments'
import { compare, contains, equals } from './compare'
import { typeError } from './failures'
import { iterate, lengthOf } from './iteration'
import { binary } from './operators'
import { str } from './repr'
import type { Runtime, Test } from './registry'
import { isLower, textClass } from './text-classes'
import { type Value, isObject, isUndefined, numberOf, textOf } from './values'

/** A test without arguments. */
const plain =
  (name: string, holds: (value: Value, runtime: Runtime) => boolean): Test =>
  (value, args, runtime) => {
    bind(name, args, [])
    return holds(value, runtime)
  }

/** A test against one other value. */
const against =
  (name: string, holds: (value: Value, other: Value, runtime: Runtime) => boolean): Test =>
  (value, args, runtime) => {
    const [other = null] = bind(name, args, ['other'])
    return holds(value, other, runtime)
  }

function remainderIs(value: Value, divisor: Value, { rest, runtime }: { readonly rest: bigint; readonly runtime: Runtime }): boolean {
  return equals(binary('%', { left: value, right: divisor }, runtime.budget), rest, runtime.budget)
}

/** `a is b` of Python: the same object, or one of the values it keeps once. */
function isSame(value: Value, other: Value): boolean {
  if (isObject(value) || isObject(other)) return value === other
  return typeof value === typeof other && value === other
}

const order = (operator: '<' | '<=' | '>' | '>='): Test =>
  against(operator, (value, other, { budget }) => compare(value, other, { operator, budget }))

const isKind = (value: Value, kinds: readonly string[]) => isObject(value) && kinds.includes(value.kind)

function isIterable(value: Value, { budget }: Runtime): boolean {
  if (textOf(value) !== null) return true
  if (!isObject(value)) return false
  if (value.kind === 'attributes') return value.iterate !== undefined
  if (value.kind === 'iterator') return true
  return isKind(value, ['list', 'tuple', 'dict', 'view', 'range', 'undefined']) && Boolean(iterate(value, budget))
}

const isCallable = (value: Value) =>
  isKind(value, ['function', 'undefined']) || (isObject(value) && value.kind === 'attributes' && value.call !== undefined)
const isEqual = against('eq', (value, other, { budget }) => equals(value, other, budget))
const isUnequal = against('ne', (value, other, { budget }) => !equals(value, other, budget))

function named(value: Value, has: (name: string) => boolean): boolean {
  const text = textOf(value)
  if (text === null && isObject(value) && ['list', 'dict', 'view'].includes(value.kind)) throw typeError('unhashable type')
  return text !== null && has(text)
}

export const TESTS: ReadonlyMap<string, Test> = new Map<string, Test>([
  ['odd', plain('odd', (value, runtime) => remainderIs(value, 2n, { rest: 1n, runtime }))],
  ['even', plain('even', (value, runtime) => remainderIs(value, 2n, { rest: 0n, runtime }))],
  [
    'divisibleby',
    (value, args, runtime) => {
      const [divisor = null] = bind('divisibleby', args, ['num'])
      return remainderIs(value, divisor, { rest: 0n, runtime })
    },
  ],
  ['defined', plain('defined', (value) => !isUndefined(value))],
  ['undefined', plain('undefined', isUndefined)],
  ['filter', plain('filter', (value, { hasFilter }) => named(value, hasFilter))],
  ['test', plain('test', (value, { hasTest }) => named(value, hasTest))],
  ['none', plain('none', (value) => value === null)],
  ['boolean', plain('boolean', (value) => typeof value === 'boolean')],
  ['false', plain('false', (value) => value === false)],
  ['true', plain('true', (value) => value === true)],
  ['integer', plain('integer', (value) => typeof value === 'bigint')],
  ['float', plain('float', (value) => typeof value === 'number')],
  ['lower', plain('lower', (value, { budget }) => isLower(str(value, budget)))],
  ['upper', plain('upper', (value, { budget }) => textClass('isupper', str(value, budget)))],
  ['string', plain('string', (value) => textOf(value) !== null)],
  ['mapping', plain('mapping', (value) => isKind(value, ['dict']))],
  ['number', plain('number', (value) => numberOf(value) !== null)],
  ['sequence', plain('sequence', (value) => lengthOf(value) !== null && !isKind(value, ['view', 'attributes']))],
  ['iterable', plain('iterable', isIterable)],
  ['callable', plain('callable', isCallable)],
  ['sameas', against('sameas', isSame)],
  ['escaped', plain('escaped', (value) => isKind(value, ['markup']))],
  ['in', against('in', (value, container, { budget }) => contains(container, value, budget))],
  ['==', isEqual],
  ['eq', isEqual],
  ['equalto', isEqual],
  ['!=', isUnequal],
  ['ne', isUnequal],
  ['>', order('>')],
  ['gt', order('>')],
  ['greaterthan', order('>')],
  ['ge', order('>=')],
  ['>=', order('>=')],
  ['<', order('<')],
  ['lt', order('<')],
  ['lessthan', order('<')],
  ['<=', order('<=')],
  ['le', order('<=')],
])
