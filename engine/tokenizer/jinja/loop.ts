// The `loop` of a for statement. Follows jinja2 3.1.6 (runtime.py, LoopContext): it looks ahead only when asked to.
import { bind } from './arguments'
import { PythonError, typeError } from './failures'
import { equals } from './compare'
import { iterate, lengthOf } from './iteration'
import type { Reach } from './reach'
import { type Arguments, type AttributesValue, type Value, tuple, undefinedValue } from './values'

/** A loop under way. */
export interface Loop {
  readonly value: AttributesValue
  /** The next item, or undefined at the end. */
  readonly next: () => Value | undefined
}

export interface LoopOptions {
  readonly reach: Reach
  readonly depth0: number
  /** Runs the loop's body over other items, where the loop is recursive. */
  readonly recurse: ((items: Value, depth0: number) => Value) | null
}

/** Items taken one by one; `undefined` stands for the end. */
interface Cursor {
  readonly take: () => Value | undefined
  readonly peek: () => Value | undefined
  /** Items that were not taken yet; they are read through for it. */
  readonly countRest: () => number
}

function createCursor(iterable: Value, budget: Reach['budget']): Cursor {
  let source: Iterator<Value> = iterate(iterable, budget)
  let ahead: { readonly item: Value | undefined } | null = null
  const pull = (): Value | undefined => {
    const result = source.next()
    return result.done === true ? undefined : result.value
  }
  return {
    take: () => {
      const item = ahead === null ? pull() : ahead.item
      ahead = null
      return item
    },
    peek: () => {
      ahead ??= { item: pull() }
      return ahead.item
    },
    countRest: () => {
      const rest: Value[] = []
      for (let item = pull(); item !== undefined; item = pull()) {
        budget.items(1)
        rest.push(item)
      }
      source = rest.values()
      // What was looked at already is not in the rest.
      return rest.length + (ahead !== null && ahead.item !== undefined ? 1 : 0)
    },
  }
}

/** Begins to go through `iterable`. Throws TypeError where that is impossible. */
export function createLoop(iterable: Value, { reach, depth0, recurse }: LoopOptions): Loop {
  const cursor = createCursor(iterable, reach.budget)
  let index0 = -1
  let current: Value | undefined
  let before: Value | undefined
  let changedFrom: Value | undefined
  let known: number | null = null

  const length = (): number => (known ??= lengthOf(iterable) ?? cursor.countRest() + index0 + 1)
  const call = (args: Arguments): Value => {
    const [items = null] = bind('loop', args, ['iterable'])
    if (!recurse) throw typeError("The loop must have the 'recursive' marker to be called recursively.")
    return reach.budget.nested(() => recurse(items, depth0 + 1))
  }
  const functions: Readonly<Record<string, (args: Arguments) => Value>> = {
    cycle: ({ positional }) => {
      if (positional.length === 0) throw typeError('no items for cycling given')
      return positional[index0 % positional.length] ?? null
    },
    changed: ({ positional }) => {
      const given = tuple(positional)
      const same = changedFrom !== undefined && equals(changedFrom, given, reach.budget)
      changedFrom = given
      return !same
    },
  }
  const attributes: Readonly<Record<string, () => Value>> = {
    index: () => BigInt(index0 + 1),
    index0: () => BigInt(index0),
    revindex: () => BigInt(length() - index0),
    revindex0: () => BigInt(length() - index0 - 1),
    first: () => index0 === 0,
    last: () => cursor.peek() === undefined,
    length: () => BigInt(length()),
    depth: () => BigInt(depth0 + 1),
    depth0: () => BigInt(depth0),
    previtem: () => neighbour(index0 === 0 ? undefined : before, 'there is no previous item'),
    nextitem: () => neighbour(cursor.peek(), 'there is no next item'),
  }
  const next = (): Value | undefined => {
    const item = cursor.take()
    if (item === undefined) return undefined
    index0++
    before = current
    return (current = item)
  }
  const value: AttributesValue = {
    kind: 'attributes',
    shown: () => `<LoopContext ${index0 + 1}/${length()}>`,
    attribute: (name) => {
      const read = Object.hasOwn(attributes, name) ? attributes[name] : undefined
      if (read) return read()
      const run = Object.hasOwn(functions, name) ? functions[name] : undefined
      return run && { kind: 'function', name, call: run }
    },
    call,
    length,
    iterate: () => ({
      next: () => {
        const item = next()
        if (item === undefined) return { done: true, value: undefined }
        return { done: false, value: tuple([item, value]) }
      },
    }),
  }
  return { value, next }
}

function neighbour(item: Value | undefined, message: string): Value {
  return item === undefined ? undefinedValue(message) : item
}

/** `loop` where a loop's own `if` is evaluated: nothing of it is known yet. */
export function noLoopYet(): never {
  throw new PythonError('UndefinedError', "The 'loop' variable is not available in the condition of its own loop")
}
