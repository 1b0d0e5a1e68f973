// Functions that every template has: those of jinja2 3.1.6 (defaults.py), and raise_exception and strftime_now of Transformers 5.18.
import { engineError } from '../../errors'
import { asIndex, asText, bind } from './arguments'
import { dictOf, pairsOf } from './collection-methods'
import { PythonError, typeError, valueError } from './failures'
import type { Reach } from './reach'
import { str } from './repr'
import { type Arguments, type AttributesValue, type FunctionValue, type Value, isObject } from './values'

/** Templates count messages and tools; jinja2's sandbox has the same limit. */
export const MAX_RANGE = 100_000

export interface GlobalOptions {
  readonly reach: Reach
  readonly strftimeNow: (format: string) => string
}

function builtin(name: string, call: (args: Arguments) => Value, shown?: string): [string, FunctionValue] {
  return [name, { kind: 'function', name, call, ...(shown !== undefined && { shown }) }]
}

/** The functions by name. */
export function createGlobals({ reach, strftimeNow }: GlobalOptions): Map<string, Value> {
  const { budget } = reach
  return new Map<string, Value>([
    builtin('range', (args) => range(args, budget.source)),
    ['dict', dictClass(reach)],
    builtin('namespace', (args) => namespace(args, reach), "<class 'jinja2.utils.Namespace'>"),
    builtin('cycler', cycler, "<class 'jinja2.utils.Cycler'>"),
    builtin('joiner', joiner, "<class 'jinja2.utils.Joiner'>"),
    builtin('raise_exception', (args) => {
      const [message = null] = bind('raise_exception', args, ['message'])
      throw engineError('template/raised', { source: budget.source, message: str(message, budget) })
    }),
    builtin('strftime_now', (args) => {
      const [format = null] = bind('strftime_now', args, ['format'])
      return strftimeNow(asText(format))
    }),
  ])
}

function range({ positional, named }: Arguments, source: string): Value {
  if (named.size > 0) throw typeError('range() takes no keyword arguments')
  const bounds = positional.map((value) => {
    asIndex(value)
    return typeof value === 'bigint' ? value : BigInt(value === true)
  })
  const [first, second, step = 1n] = bounds
  if (first === undefined || bounds.length > 3) throw typeError(`range expected 1 to 3 arguments, got ${bounds.length}`)
  const [start, stop] = second === undefined ? [0n, first] : [first, second]
  if (step === 0n) throw valueError('range() arg 3 must not be zero')
  const span = step > 0n ? stop - start : start - stop
  const size = step > 0n ? step : -step
  const length = span <= 0n ? 0n : (span + size - 1n) / size
  if (length > BigInt(MAX_RANGE)) throw engineError('template/limit-exceeded', { source, what: 'the length of a range', max: MAX_RANGE })
  return { kind: 'range', start, stop, step, length: Number(length) }
}

/** The class, with its one method that needs no dict. */
function dictClass(reach: Reach): FunctionValue {
  const fromKeys = reach.attributeOf({ kind: 'dict', entries: new Map() }, 'fromkeys')
  return {
    kind: 'function',
    name: 'dict',
    call: (args) => dict(args, reach),
    shown: "<class 'dict'>",
    attributes: new Map([['fromkeys', fromKeys]]),
  }
}

function dict({ positional, named }: Arguments, reach: Reach): Value {
  if (positional.length > 1) throw typeError(`dict expected at most 1 argument, got ${positional.length}`)
  const [given] = positional
  return dictOf([...(given === undefined ? [] : pairsOf(given, reach)), ...[...named].map(([key, value]) => ({ key, value }))], reach)
}

function namespace(args: Arguments, reach: Reach): Value {
  const made = dict(args, reach)
  const attributes = new Map<string, Value>()
  if (isObject(made) && made.kind === 'dict') {
    for (const { key, value } of made.entries.values()) if (typeof key === 'string') attributes.set(key, value)
  }
  return { kind: 'namespace', attributes }
}

function cycler({ positional, named }: Arguments): AttributesValue {
  if (named.size > 0) throw typeError('cycler() takes no keyword arguments')
  if (positional.length === 0) throw new PythonError('TemplateRuntimeError', 'at least one item has to be provided')
  let at = 0
  const current = () => positional[at] ?? null
  const functions = new Map([
    builtin('next', (args) => {
      bind('next', args, [])
      const value = current()
      at = (at + 1) % positional.length
      return value
    }),
    builtin('reset', (args) => {
      bind('reset', args, [])
      at = 0
      return null
    }),
  ])
  return {
    kind: 'attributes',
    shown: () => '<jinja2.utils.Cycler object>',
    attribute: (name) => {
      if (name === 'current') return current()
      if (name === 'pos') return BigInt(at)
      return name === 'items' ? { kind: 'tuple', items: positional } : functions.get(name)
    },
  }
}

function joiner(args: Arguments): AttributesValue {
  const [separator = ', '] = bind('joiner', args, ['sep?'])
  let used = false
  return {
    kind: 'attributes',
    shown: () => '<jinja2.utils.Joiner object>',
    attribute: (name) => (name === 'sep' ? separator : name === 'used' ? used : undefined),
    call: (inner) => {
      bind('joiner', inner, [])
      if (used) return separator
      used = true
      return ''
    },
  }
}
