// Opcodes that make and fill containers, and those of the stack and the memo. Follows CPython 3.13 pickletools; keys are the opcodes' characters.
import { engineError } from '../../errors'
import type { PickleMachine } from './machine'
import { describeValue, isPickleObject, type PickleSequence, type PickleValue } from './values'

function sequence(machine: PickleMachine, kind: PickleSequence['kind'], items: PickleValue[]): PickleSequence {
  machine.countContainer()
  machine.countItems(items.length)
  return { kind, items }
}

function popTuple(machine: PickleMachine, count: number): void {
  const items = Array.from({ length: count }, () => machine.pop()).reverse()
  machine.push(sequence(machine, 'tuple', items))
}

/** A dict subclass written key by key keeps its entries in the record; only these two kinds take keys. */
function entriesOf(machine: PickleMachine, target: PickleValue): Map<PickleValue, PickleValue> {
  if (isPickleObject(target) && (target.kind === 'dict' || target.kind === 'record')) return target.entries
  throw engineError('checkpoint/pickle-build-refused', { path: machine.path, target: describeValue(target), what: 'entries' })
}

function setItems(machine: PickleMachine, items: readonly PickleValue[], target: PickleValue): void {
  if (items.length % 2 !== 0) throw machine.malformed('a key has no value')
  const entries = entriesOf(machine, target)
  machine.countItems(items.length)
  for (let index = 0; index < items.length; index += 2) entries.set(items[index] ?? null, items[index + 1] ?? null)
}

function append(machine: PickleMachine, items: readonly PickleValue[], kind: 'list' | 'set'): void {
  const target = machine.top()
  machine.countItems(items.length)
  if (isPickleObject(target) && (target.kind === kind || (kind === 'list' && target.kind === 'record'))) {
    for (const item of items) target.items.push(item)
  } else throw engineError('checkpoint/pickle-build-refused', { path: machine.path, target: describeValue(target), what: 'items' })
}

function pushDict(machine: PickleMachine, items: readonly PickleValue[]): void {
  machine.countContainer()
  machine.push({ kind: 'dict', entries: new Map() })
  setItems(machine, items, machine.top())
}

/** Opcodes of containers, stack and memo. */
export const CONTAINER_OPCODES: Readonly<Record<string, (machine: PickleMachine) => void>> = {
  // MARK, POP, POP_MARK, DUP
  '(': (machine) => machine.mark(),
  '0': (machine) => void machine.pop(),
  '1': (machine) => void machine.popToMark(),
  '2': (machine) => machine.push(machine.top()),
  // EMPTY_TUPLE, TUPLE1, TUPLE2, TUPLE3, TUPLE
  ')': (machine) => machine.push(sequence(machine, 'tuple', [])),
  '\x85': (machine) => popTuple(machine, 1),
  '\x86': (machine) => popTuple(machine, 2),
  '\x87': (machine) => popTuple(machine, 3),
  t: (machine) => machine.push(sequence(machine, 'tuple', machine.popToMark())),
  // EMPTY_LIST, LIST, APPEND, APPENDS
  ']': (machine) => machine.push(sequence(machine, 'list', [])),
  l: (machine) => machine.push(sequence(machine, 'list', machine.popToMark())),
  a: (machine) => append(machine, [machine.pop()], 'list'),
  e: (machine) => append(machine, machine.popToMark(), 'list'),
  // EMPTY_DICT, DICT, SETITEM, SETITEMS
  '}': (machine) => pushDict(machine, []),
  d: (machine) => pushDict(machine, machine.popToMark()),
  s: (machine) => {
    const value = machine.pop()
    const key = machine.pop()
    setItems(machine, [key, value], machine.top())
  },
  u: (machine) => setItems(machine, machine.popToMark(), machine.top()),
  // EMPTY_SET, ADDITEMS, FROZENSET
  '\x8f': (machine) => machine.push(sequence(machine, 'set', [])),
  '\x90': (machine) => append(machine, machine.popToMark(), 'set'),
  '\x91': (machine) => machine.push(sequence(machine, 'set', machine.popToMark())),
  // GET, BINGET, LONG_BINGET, PUT, BINPUT, LONG_BINPUT, MEMOIZE
  g: (machine) => machine.push(machine.recall(Number(machine.reader.decimal()))),
  h: (machine) => machine.push(machine.recall(machine.reader.u8())),
  j: (machine) => machine.push(machine.recall(machine.reader.u32())),
  p: (machine) => machine.remember(Number(machine.reader.decimal())),
  q: (machine) => machine.remember(machine.reader.u8()),
  r: (machine) => machine.remember(machine.reader.u32()),
  '\x94': (machine) => machine.remember(machine.memoSize()),
}
