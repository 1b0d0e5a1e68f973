// Methods of list, tuple, dict, range and views of a dict. Follows Python 3.11; what changes its object is refused, as in an immutable sandbox.
import { bind } from './arguments'
import { contains, equals, hashKey } from './compare'
import { valueError } from './failures'
import { iterate, toItems } from './iteration'
import type { Reach } from './reach'
import { type DictEntry, type DictValue, type ObjectValue, type Value, isObject, list, tuple } from './values'

const LIST_CHANGES: ReadonlySet<string> = new Set(['append', 'clear', 'pop', 'reverse', 'insert', 'sort', 'extend', 'remove'])
const DICT_CHANGES: ReadonlySet<string> = new Set(['clear', 'pop', 'popitem', 'setdefault', 'update'])

/** Methods that change their object, by the kind of it. */
export const MUTATING: Readonly<Partial<Record<ObjectValue['kind'], ReadonlySet<string>>>> = { list: LIST_CHANGES, dict: DICT_CHANGES }

type Collection = Extract<ObjectValue, { kind: 'list' | 'tuple' | 'dict' | 'range' | 'view' }>

/** A method or attribute; undefined where there is none of that name. */
export function collectionMethod(object: Collection, name: string, reach: Reach): Value | undefined {
  switch (object.kind) {
    case 'dict':
      return dictMethod(object, name, reach)
    case 'list':
    case 'tuple':
    case 'range':
      return sequenceMethod(object, name, reach)
    case 'view':
      return name === 'isdisjoint' && object.of !== 'values'
        ? method(name, ['other/'], ([other = null]) => {
            for (const item of iterate(other, reach.budget)) if (contains(object, item, reach.budget)) return false
            return true
          })
        : undefined
  }
}

function method(name: string, parameters: readonly string[], call: (bound: readonly (Value | undefined)[]) => Value): Value {
  return { kind: 'function', name, shown: `<built-in method ${name}>`, call: (args) => call(bind(name, args, parameters)) }
}

function dictMethod(dict: DictValue, name: string, reach: Reach): Value | undefined {
  switch (name) {
    case 'get':
      return method(name, ['key/', 'default/?'], ([key = null, otherwise = null]) => {
        const found = dict.entries.get(hashKey(key, reach.budget))
        return found ? found.value : otherwise
      })
    case 'keys':
    case 'values':
    case 'items':
      return method(name, [], () => ({ kind: 'view', of: name, dict }))
    case 'copy':
      return method(name, [], () => {
        reach.budget.items(dict.entries.size)
        return { kind: 'dict', entries: new Map(dict.entries) }
      })
    case 'fromkeys':
      return method(name, ['iterable/', 'value/?'], ([keys = null, value = null]) =>
        dictOf(
          Array.from(iterate(keys, reach.budget), (key) => ({ key, value })),
          reach,
        ),
      )
    default:
      return undefined
  }
}

/** A dict of these entries; later ones replace earlier ones and keep their place. Throws TypeError for keys without a hash. */
export function dictOf(pairs: Iterable<DictEntry>, { budget }: Reach): DictValue {
  const entries = new Map<unknown, DictEntry>()
  for (const { key, value } of pairs) {
    budget.items(1)
    const hash = hashKey(key, budget)
    // The first of equal keys stays.
    entries.set(hash, { key: entries.get(hash)?.key ?? key, value })
  }
  return { kind: 'dict', entries }
}

function sequenceMethod(
  object: Extract<Collection, { kind: 'list' | 'tuple' | 'range' }>,
  name: string,
  { budget }: Reach,
): Value | undefined {
  const sameAs = (wanted: Value) => (item: Value) => item === wanted || equals(item, wanted, budget)
  switch (name) {
    case 'count':
      return method(name, ['value/'], ([wanted = null]) => BigInt([...iterate(object, budget)].filter(sameAs(wanted)).length))
    case 'index':
      return method(name, ['value/', 'start/?', 'stop/?'], ([wanted = null, start, stop]) => {
        const items = toItems(object, budget)
        const from = Number(start ?? 0n)
        const to = Number(stop ?? BigInt(items.length))
        const within = (at: number) => at >= (from < 0 ? from + items.length : from) && at < (to < 0 ? to + items.length : to)
        const found = items.findIndex((item, at) => within(at) && sameAs(wanted)(item))
        if (found === -1) throw valueError('the value is not in the list')
        return BigInt(found)
      })
    case 'copy':
      return object.kind === 'list' ? method(name, [], () => list(object.items)) : undefined
    case 'start':
    case 'stop':
    case 'step':
      return object.kind === 'range' ? object[name] : undefined
    default:
      return undefined
  }
}

/** Pairs of a mapping, or of an iterable of pairs. Throws TypeError, ValueError. */
export function pairsOf(value: Value, reach: Reach): DictEntry[] {
  if (isObject(value) && value.kind === 'dict') return [...value.entries.values()]
  return Array.from(iterate(value, reach.budget), (item) => {
    const [key, entry, ...more] = toItems(item, reach.budget)
    if (key === undefined || entry === undefined || more.length > 0) throw valueError('a dictionary update sequence element is no pair')
    return { key, value: entry }
  })
}

/** An item of a dict as a tuple. */
export function pairTuple({ key, value }: DictEntry): Value {
  return tuple([key, value])
}
