// What a template computes with: Python's values. int is bigint, float is number, str is string, None is null; everything else is tagged.

/** Any value. */
export type Value = null | boolean | bigint | number | string | ObjectValue

/** Arguments as a callee gets them. */
export interface Arguments {
  readonly positional: readonly Value[]
  readonly named: ReadonlyMap<string, Value>
}

/** Values that are no plain JavaScript ones. */
export type ObjectValue =
  | MarkupValue
  | UndefinedValue
  | ListValue
  | TupleValue
  | DictValue
  | ViewValue
  | RangeValue
  | IteratorValue
  | NamespaceValue
  | FunctionValue
  | AttributesValue

/** Text that is HTML already: what is added to it is escaped (markupsafe). */
export interface MarkupValue {
  readonly kind: 'markup'
  readonly text: string
}

/** A name, attribute or item that is not there. `unsafe` ones are there and refused by the sandbox. */
export interface UndefinedValue {
  readonly kind: 'undefined'
  readonly message: string
  readonly unsafe: boolean
}

export interface ListValue {
  readonly kind: 'list'
  readonly items: readonly Value[]
}

/** `names` are those of a named tuple's first fields. */
export interface TupleValue {
  readonly kind: 'tuple'
  readonly items: readonly Value[]
  readonly names?: readonly string[]
}

/** Keyed by hashKey of the key, in order of insertion. Written to only while it is made. */
export interface DictValue {
  readonly kind: 'dict'
  readonly entries: Map<unknown, DictEntry>
}

/** An entry of a dict. */
export interface DictEntry {
  readonly key: Value
  readonly value: Value
}

/** dict.keys(), dict.values() or dict.items(). */
export interface ViewValue {
  readonly kind: 'view'
  readonly of: 'keys' | 'values' | 'items'
  readonly dict: DictValue
}

export interface RangeValue {
  readonly kind: 'range'
  readonly start: bigint
  readonly stop: bigint
  readonly step: bigint
  readonly length: number
}

/** A generator or another iterator: it runs once. */
export interface IteratorValue {
  readonly kind: 'iterator'
  readonly iterator: Iterator<Value>
}

interface NamespaceValue {
  readonly kind: 'namespace'
  readonly attributes: Map<string, Value>
}

/** A function, a method, a macro or a class. `isClass` ones are types of Python's. */
export interface FunctionValue {
  readonly kind: 'function'
  readonly name: string
  readonly call: (args: Arguments) => Value
  /** How it is printed; functions of Python print an address. */
  readonly shown?: string
  readonly attributes?: ReadonlyMap<string, Value>
}

/** An object that is only known by its attributes: `loop`, cycler(), joiner(). */
export interface AttributesValue {
  readonly kind: 'attributes'
  readonly shown: () => string
  readonly attribute: (name: string) => Value | undefined
  readonly call?: (args: Arguments) => Value
  readonly iterate?: () => Iterator<Value>
  readonly length?: () => number
}

export const NO_NAMED: ReadonlyMap<string, Value> = new Map()

export function list(items: readonly Value[]): ListValue {
  return { kind: 'list', items }
}

export function tuple(items: readonly Value[]): TupleValue {
  return { kind: 'tuple', items }
}

export function undefinedValue(message: string): UndefinedValue {
  return { kind: 'undefined', message, unsafe: false }
}

export function iterator(iterator: Iterator<Value>): IteratorValue {
  return { kind: 'iterator', iterator }
}

export function isObject(value: Value): value is ObjectValue {
  return typeof value === 'object' && value !== null
}

export function isUndefined(value: Value): value is UndefinedValue {
  return isObject(value) && value.kind === 'undefined'
}

/** The text of a str or a Markup; null of everything else. */
export function textOf(value: Value | undefined): string | null {
  if (typeof value === 'string') return value
  return value !== undefined && isObject(value) && value.kind === 'markup' ? value.text : null
}

/** bool, int and float as numbers of Python; null of everything else. */
export function numberOf(value: Value | undefined): bigint | number | null {
  if (typeof value === 'bigint' || typeof value === 'number') return value
  return typeof value === 'boolean' ? BigInt(value) : null
}

/** The name of a value's type, as Python's errors have it. */
export function typeName(value: Value): string {
  if (value === null) return 'NoneType'
  switch (typeof value) {
    case 'boolean':
      return 'bool'
    case 'bigint':
      return 'int'
    case 'number':
      return 'float'
    case 'string':
      return 'str'
    default:
      return OBJECT_NAMES[value.kind]
  }
}

const OBJECT_NAMES: Readonly<Record<ObjectValue['kind'], string>> = {
  markup: 'Markup',
  undefined: 'Undefined',
  list: 'list',
  tuple: 'tuple',
  dict: 'dict',
  view: 'dict view',
  range: 'range',
  iterator: 'generator',
  namespace: 'Namespace',
  function: 'function',
  attributes: 'object',
}
