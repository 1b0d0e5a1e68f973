// Opcodes that would look names up, call or construct: here they give inert records, or are refused. Follows CPython 3.13 pickletools.
import { engineError } from '../../errors'
import { callGlobal, isCallable } from './calls'
import { isNeverNeeded, modernGlobal } from './globals'
import type { PickleMachine } from './machine'
import { refusedCall } from './refused-call'
import { describeValue, isPickleObject, type PickleGlobal, type PickleRecord, type PickleValue } from './values'

/** Attributes that change what an object is or runs; no state of a checkpoint sets them. */
const FORBIDDEN_ATTRIBUTES: ReadonlySet<string> = new Set(
  'class reduce reduce_ex setstate getstate getattr getattribute setattr init new call del globals code builtins import bases mro subclasses loader spec'
    .split(' ')
    .map((name) => `__${name}__`),
)

function pushGlobal(machine: PickleMachine, module: string, name: string): void {
  const global = modernGlobal(module, name)
  if (isNeverNeeded(global)) machine.suspect(global)
  machine.push(global)
}

function pushStackGlobal(machine: PickleMachine): void {
  const name = machine.pop()
  const module = machine.pop()
  if (typeof module !== 'string' || typeof name !== 'string') throw machine.malformed('a name is not text')
  pushGlobal(machine, module, name)
}

function tupleItems(machine: PickleMachine, value: PickleValue): readonly PickleValue[] {
  if (isPickleObject(value) && value.kind === 'tuple') return value.items
  throw machine.malformed('the arguments of a call are not a tuple')
}

function reduce(machine: PickleMachine): void {
  const args = tupleItems(machine, machine.pop())
  const callable = machine.pop()
  if (!isPickleObject(callable) || callable.kind !== 'global' || !isCallable(callable)) {
    throw refusedCall(machine.path, callable)
  }
  machine.push(callGlobal(callable, args, machine))
}

function record(machine: PickleMachine, global: PickleGlobal, args: readonly PickleValue[]): PickleRecord {
  machine.countContainer()
  return { kind: 'record', class: global, args, state: undefined, entries: new Map(), items: [] }
}

/** NEWOBJ only reserves an object of a class and runs no constructor; the class stays a name. */
function pushNewObject(machine: PickleMachine, target: PickleValue, args: readonly PickleValue[]): void {
  if (!isPickleObject(target) || target.kind !== 'global' || isNeverNeeded(target)) {
    throw engineError('checkpoint/pickle-instance-refused', { path: machine.path, class: describeValue(target) })
  }
  machine.push(isCallable(target) ? callGlobal(target, args, machine) : record(machine, target, args))
}

/** INST and OBJ call what they name, so that the list of REDUCE holds for them too. */
function pushInstance(machine: PickleMachine, target: PickleValue | undefined, args: readonly PickleValue[]): void {
  if (!isPickleObject(target) || target.kind !== 'global' || !isCallable(target)) {
    throw engineError('checkpoint/pickle-instance-refused', { path: machine.path, class: describeValue(target) })
  }
  machine.push(callGlobal(target, args, machine))
}

function checkAttributes(machine: PickleMachine, state: PickleValue, target: PickleValue): void {
  if (!isPickleObject(state)) return
  if (state.kind === 'tuple')
    for (const item of state.items) if (isPickleObject(item) && item.kind === 'dict') checkAttributes(machine, item, target)
  if (state.kind !== 'dict') return
  for (const key of state.entries.keys()) {
    if (typeof key === 'string' && FORBIDDEN_ATTRIBUTES.has(key)) {
      throw engineError('checkpoint/pickle-build-refused', { path: machine.path, target: describeValue(target), what: key })
    }
  }
}

function build(machine: PickleMachine): void {
  const state = machine.pop()
  const target = machine.top()
  checkAttributes(machine, state, target)
  if (isPickleObject(target)) {
    if (target.kind === 'record') {
      target.state = state
      return
    }
    // What hangs on an OrderedDict (`_metadata`), a tensor or a parameter says nothing about the weights.
    if (target.kind === 'dict' || target.kind === 'tensor' || target.kind === 'odd-tensor') return
  }
  throw engineError('checkpoint/pickle-build-refused', { path: machine.path, target: describeValue(target), what: 'a state' })
}

function refuseExtension(machine: PickleMachine, code: number): never {
  throw engineError('checkpoint/pickle-extension-refused', { path: machine.path, extension: code })
}

function refuseBuffer(machine: PickleMachine): never {
  throw machine.malformed('its data lie outside of it, in a buffer of another process')
}

/** Opcodes of objects. */
export const OBJECT_OPCODES: Readonly<Record<string, (machine: PickleMachine) => void>> = {
  // GLOBAL, STACK_GLOBAL, REDUCE, BUILD
  c: (machine) => {
    const module = machine.reader.line()
    pushGlobal(machine, module, machine.reader.line())
  },
  '\x93': pushStackGlobal,
  R: reduce,
  b: build,
  // NEWOBJ, NEWOBJ_EX
  '\x81': (machine) => {
    const args = tupleItems(machine, machine.pop())
    pushNewObject(machine, machine.pop(), args)
  },
  '\x92': (machine) => {
    machine.pop()
    const args = tupleItems(machine, machine.pop())
    pushNewObject(machine, machine.pop(), args)
  },
  // INST, OBJ
  i: (machine) => {
    const module = machine.reader.line()
    const global = modernGlobal(module, machine.reader.line())
    pushInstance(machine, global, machine.popToMark())
  },
  o: (machine) => {
    const [target, ...args] = machine.popToMark()
    pushInstance(machine, target, args)
  },
  // PERSID, BINPERSID
  P: (machine) => machine.push(machine.persistentLoad(machine.reader.line())),
  Q: (machine) => machine.push(machine.persistentLoad(machine.pop())),
  // EXT1, EXT2, EXT4
  '\x82': (machine) => refuseExtension(machine, machine.reader.u8()),
  '\x83': (machine) => refuseExtension(machine, machine.reader.u16()),
  '\x84': (machine) => refuseExtension(machine, machine.reader.i32()),
  // NEXT_BUFFER, READONLY_BUFFER
  '\x97': refuseBuffer,
  '\x98': refuseBuffer,
}
