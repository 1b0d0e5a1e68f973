// Names the tensors of an unpickled value: nested dicts and lists joined with dots, modules by the rules of `state_dict()`. Follows torch/nn/modules/module.py of PyTorch 2.13.
import { engineError } from '../../errors'
import { isPickleObject, type OddReason, type PickleDict, type PickleRecord, type PickleTensor, type PickleValue } from '../pickle/values'
import type { ScriptClasses } from './script-classes'

/** Deeper than any module tree; a pickle that nests on is an attack. */
const MAX_DEPTH = 200
/** Values looked at, a container for four of them since it costs as much, a tensor for every part of its name: references that repeat each other end here. */
const MAX_VALUES = 2_000_000
const CONTAINER_COST = 3
/** More names than this in one remark help nobody. */
const MAX_OTHERS = 12
/** Names are written into every format; what is longer is no parameter. */
const MAX_NAME_LENGTH = 4096

/** Tensors by name, and what was passed over. */
export interface NamedTensors {
  readonly tensors: Map<string, PickleTensor>
  /** Tensors that are no strided views, with the reason. */
  readonly odd: Map<string, OddReason>
  /** The first names of values that are no tensors, and how many there are. */
  readonly others: readonly string[]
  readonly otherCount: number
}

/** Entries of a dict, or of an object that was filled like one. */
export function dictEntries(value: PickleValue | undefined): ReadonlyMap<PickleValue, PickleValue> | null {
  if (!isPickleObject(value)) return null
  if (value.kind === 'dict') return value.entries
  return value.kind === 'record' && value.entries.size > 0 ? value.entries : null
}

/** The attributes of an object: its state, or the first part of a state with slots. */
function attributes(record: PickleRecord): PickleDict | null {
  const { state } = record
  if (!isPickleObject(state)) return null
  if (state.kind === 'dict') return state
  const [first] = state.kind === 'tuple' ? state.items : []
  return isPickleObject(first) && first.kind === 'dict' ? first : null
}

/** A key as a part of a name. */
export function keyText(key: PickleValue): string {
  if (isPickleObject(key) && (key.kind === 'tuple' || key.kind === 'list')) return `(${key.items.slice(0, 8).map(keyText).join(', ')})`
  if (key instanceof Uint8Array) return Buffer.from(key.subarray(0, MAX_NAME_LENGTH)).toString('latin1')
  if (key === null) return 'None'
  return isPickleObject(key) ? key.kind : String(key)
}

interface Walk extends NamedTensors {
  readonly others: string[]
  otherCount: number
  readonly path: string
  readonly scriptClasses: ScriptClasses
  readonly onPath: Set<PickleValue>
  /** Keys on the way from the root to the value that is visited. */
  readonly keys: PickleValue[]
  visited: number
}

/** The name of the value that the walk stands at. Made only where it is needed: most values of a bomb have none. */
function nameOf(walk: Walk): string {
  return walk.keys.map(keyText).join('.')
}

function visitAt(walk: Walk, key: PickleValue, value: PickleValue): void {
  walk.keys.push(key)
  visit(walk, value)
  walk.keys.pop()
}

function add(walk: Walk, name: string, tensor: PickleTensor): void {
  const { path } = walk
  if (name.length > MAX_NAME_LENGTH)
    throw engineError('checkpoint/pickle-limit', { path, what: 'characters in a name', max: MAX_NAME_LENGTH })
  if (walk.tensors.has(name)) throw engineError('checkpoint/duplicate-tensor', { path, tensor: name.slice(0, 200) })
  walk.tensors.set(name, tensor)
}

function passOver(walk: Walk): void {
  walk.otherCount++
  if (walk.others.length < MAX_OTHERS) walk.others.push(nameOf(walk))
}

/** Parameters, then buffers that are saved, then submodules. */
function visitModule(walk: Walk, module: PickleDict): void {
  const skipped = module.entries.get('_non_persistent_buffers_set')
  const transient = new Set(isPickleObject(skipped) && 'items' in skipped ? skipped.items : [])
  for (const group of ['_parameters', '_buffers', '_modules']) {
    for (const [key, value] of dictEntries(module.entries.get(group)) ?? []) {
      if (value === null || (group === '_buffers' && transient.has(key))) continue
      visitAt(walk, key, value)
    }
  }
}

/** An object of a TorchScript archive has its parameters, buffers and submodules as plain attributes, among others that are no weights. */
function visitScriptModule(walk: Walk, module: PickleDict, className: string): void {
  const weights = walk.scriptClasses.get(className)
  for (const [key, value] of module.entries) {
    if (!isPickleObject(value)) continue
    const isTensor = value.kind === 'tensor' || value.kind === 'odd-tensor'
    if (value.kind === 'record' || (isTensor && (typeof key !== 'string' || weights?.has(key) !== false))) visitAt(walk, key, value)
    else if (isTensor) {
      walk.keys.push(key)
      passOver(walk)
      walk.keys.pop()
    }
  }
}

function visitRecord(walk: Walk, record: PickleRecord): void {
  const state = attributes(record)
  if (state?.entries.has('_parameters') || state?.entries.has('_modules')) visitModule(walk, state)
  else if (state && /^__torch__(\.|$)/.test(record.class.module))
    visitScriptModule(walk, state, `${record.class.module}.${record.class.name}`)
  else if (record.entries.size > 0) for (const [key, value] of record.entries) visitAt(walk, key, value)
  else if (record.class.name.endsWith('Parameter') && isPickleObject(record.state) && record.state.kind === 'tuple') {
    // Before version 0.4 a parameter was reserved empty and filled by its state: (data, requires_grad, hooks).
    visit(walk, record.state.items[0] ?? null)
  } else passOver(walk)
}

function visit(walk: Walk, value: PickleValue): void {
  const { path } = walk
  if (++walk.visited > MAX_VALUES) throw engineError('checkpoint/pickle-expands', { path, maxValues: MAX_VALUES })
  if (!isPickleObject(value)) {
    passOver(walk)
    return
  }
  if (value.kind === 'tensor') {
    walk.visited += walk.keys.length
    add(walk, walk.keys.length === 0 ? 'tensor' : nameOf(walk), value)
    return
  }
  if (value.kind === 'odd-tensor') {
    walk.odd.set(nameOf(walk), value.reason)
    return
  }
  if (value.kind === 'global' || value.kind === 'storage') {
    passOver(walk)
    return
  }
  walk.visited += CONTAINER_COST
  if (walk.onPath.has(value)) throw engineError('checkpoint/pickle-expands', { path, maxValues: MAX_VALUES })
  if (walk.onPath.size >= MAX_DEPTH) throw engineError('checkpoint/pickle-too-deep', { path, maxDepth: MAX_DEPTH })
  walk.onPath.add(value)
  if (value.kind === 'dict') for (const [key, item] of value.entries) visitAt(walk, key, item)
  else if (value.kind === 'record') visitRecord(walk, value)
  else value.items.forEach((item, index) => visitAt(walk, index, item))
  walk.onPath.delete(value)
}

/** What the code of a value's classes says, where there is any. */
const NO_CODE: ScriptClasses = new Map()

/**
 * Names every tensor of a value in its order. `path` is for messages.
 * Throws "checkpoint/pickle-expands" for values that contain themselves or multiply, "checkpoint/pickle-too-deep", "checkpoint/duplicate-tensor", "checkpoint/pickle-limit".
 */
export function flattenTensors(value: PickleValue, path: string, scriptClasses = NO_CODE): NamedTensors {
  const found = { tensors: new Map(), odd: new Map(), others: [], otherCount: 0 }
  const walk: Walk = { ...found, path, scriptClasses, onPath: new Set(), keys: [], visited: 0 }
  visit(walk, value)
  return walk
}

/** Whether there is a tensor in a value. Looks at each container once, so that it stays cheap whatever the value refers to. */
export function holdsTensor(value: PickleValue): boolean {
  const seen = new Set<PickleValue>()
  const waiting: PickleValue[] = [value]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (!isPickleObject(next) || seen.has(next)) continue
    seen.add(next)
    if (next.kind === 'tensor' || next.kind === 'odd-tensor') return true
    if (next.kind === 'dict') for (const item of next.entries.values()) waiting.push(item)
    else if (next.kind === 'record') {
      for (const item of next.entries.values()) waiting.push(item)
      for (const item of next.items) waiting.push(item)
      if (next.state !== undefined) waiting.push(next.state)
    } else if ('items' in next) for (const item of next.items) waiting.push(item)
  }
  return false
}
