// What a pickle describes, as inert data: no value here is ever looked up, constructed or called. Kinds follow CPython 3.13 pickle and PyTorch 2.13.

/** A name `module.name` that the pickle mentions. */
export interface PickleGlobal {
  readonly kind: 'global'
  readonly module: string
  readonly name: string
}

/** A tuple or list, or a set (whose order is that of the file). */
export interface PickleSequence {
  readonly kind: 'tuple' | 'list' | 'set'
  readonly items: PickleValue[]
}

/** A dict. Keys that are containers are compared by identity. */
export interface PickleDict {
  readonly kind: 'dict'
  readonly entries: Map<PickleValue, PickleValue>
}

/** An object of a class that is not known: its class, arguments and state, and what was put into it as into a dict or list. */
export interface PickleRecord {
  readonly kind: 'record'
  readonly class: PickleGlobal
  readonly args: readonly PickleValue[]
  state: PickleValue | undefined
  readonly entries: Map<PickleValue, PickleValue>
  readonly items: PickleValue[]
}

/** A storage that a persistent id names, counted in elements of `dtype`, or in bytes where `dtype` is null; `view` is a part of it (before 1.6). */
export interface PickleStorage {
  readonly kind: 'storage'
  readonly key: string
  readonly dtype: string | null
  readonly elements: number
  readonly view: { readonly offsetElements: number; readonly elements: number } | null
}

/** A strided view of a storage. `dtype` is PyTorch's name without `torch.`; strides and offset count elements. */
export interface PickleTensor {
  readonly kind: 'tensor'
  readonly storage: PickleStorage
  readonly dtype: string
  readonly offsetElements: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
}

/** Why a tensor is no strided view. */
export type OddReason = 'lazy-view' | 'nested' | 'of-other-device' | 'quantized' | 'sparse' | 'uninitialized' | 'without-data' | 'wrapper'

/** A tensor that is no strided view. */
interface PickleOddTensor {
  readonly kind: 'odd-tensor'
  readonly reason: OddReason
}

/** Everything a pickle can describe. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleGlobal
  | PickleSequence
  | PickleDict
  | PickleRecord
  | PickleStorage
  | PickleTensor
  | PickleOddTensor

/** Values that carry a kind. */
export type PickleObject = Extract<PickleValue, { readonly kind: string }>

/** Whether a value carries a kind: anything but None, booleans, numbers, text and bytes. */
export function isPickleObject(value: PickleValue | undefined): value is PickleObject {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
}

/** `module.name`, for messages. */
export function globalName(value: PickleGlobal): string {
  return `${value.module}.${value.name}`.slice(0, 200)
}

/** What a value is, for messages. */
export function describeValue(value: PickleValue | undefined): string {
  if (value === null || value === undefined) return 'None'
  if (value instanceof Uint8Array) return 'bytes'
  if (typeof value !== 'object') return typeof value
  if (value.kind === 'global') return globalName(value)
  return value.kind === 'record' ? `an object of ${globalName(value.class)}` : `a ${value.kind}`
}
