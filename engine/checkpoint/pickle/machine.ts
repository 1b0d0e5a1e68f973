// The state of the pickle machine: stack, marks, memo and what has been made so far, each within its limit. Follows CPython 3.13 pickle.
import { engineError } from '../../errors'
import { MAX_CONTAINERS, MAX_ITEMS, MAX_MARK_DEPTH, MAX_MEMO_ENTRIES, MAX_STACK_VALUES } from './limits'
import type { PickleReader } from './reader'
import type { PickleGlobal, PickleValue } from './values'

/** Turns a persistent id into the storage it names; throws where it names anything else. */
export type PersistentLoad = (id: PickleValue) => PickleValue

/** What opcodes work on. */
export interface PickleMachine {
  readonly path: string
  readonly reader: PickleReader
  readonly persistentLoad: PersistentLoad
  readonly push: (value: PickleValue) => void
  readonly pop: () => PickleValue
  readonly top: () => PickleValue
  readonly mark: () => void
  /** The values above the last mark, which is removed with them. */
  readonly popToMark: () => PickleValue[]
  readonly remember: (index: number) => void
  readonly recall: (index: number) => PickleValue
  readonly memoSize: () => number
  /** Counts a new container and the values put into it. */
  readonly countContainer: () => void
  readonly countItems: (count: number) => void
  /** Notes a name that no checkpoint needs; it is refused when the pickle ends. */
  readonly suspect: (global: PickleGlobal) => void
  readonly suspected: () => PickleGlobal | null
  readonly malformed: (reason: string) => Error
}

/** Makes an empty machine. */
export function createPickleMachine(options: {
  readonly path: string
  readonly reader: PickleReader
  readonly persistentLoad: PersistentLoad
}): PickleMachine {
  const { path, reader, persistentLoad } = options
  const stack: PickleValue[] = []
  const marks: number[] = []
  // Python numbers what it remembers from 0 on; whatever a file numbers otherwise goes into the map.
  const memo: PickleValue[] = []
  const scattered = new Map<number, PickleValue>()
  const memoSize = () => memo.length + scattered.size
  let containers = 0
  let items = 0
  let suspected: PickleGlobal | null = null

  const malformed = (reason: string) => engineError('checkpoint/pickle-malformed', { path, offsetBytes: reader.position(), reason })
  const limited = (what: string, max: number) => engineError('checkpoint/pickle-limit', { path, what, max })
  /** Values below the last mark belong to a group that is not finished yet. */
  const floor = () => marks.at(-1) ?? 0

  const top = (): PickleValue => {
    const value = stack.at(-1)
    if (value === undefined || stack.length <= floor()) throw malformed('its stack is empty')
    return value
  }

  return {
    path,
    reader,
    persistentLoad,
    malformed,
    top,
    push: (value) => {
      if (stack.length >= MAX_STACK_VALUES) throw limited('values on its stack', MAX_STACK_VALUES)
      stack.push(value)
    },
    pop: () => {
      const value = top()
      stack.pop()
      return value
    },
    mark: () => {
      if (marks.length >= MAX_MARK_DEPTH) throw engineError('checkpoint/pickle-too-deep', { path, maxDepth: MAX_MARK_DEPTH })
      marks.push(stack.length)
    },
    popToMark: () => {
      const start = marks.pop()
      if (start === undefined) throw malformed('a group of values has no beginning')
      return stack.splice(start)
    },
    remember: (index) => {
      const value = top()
      if (index >= 0 && index <= memo.length && !scattered.has(index)) memo[index] = value
      else scattered.set(index, value)
      if (memoSize() > MAX_MEMO_ENTRIES) throw limited('remembered values', MAX_MEMO_ENTRIES)
    },
    recall: (index) => {
      const value = index >= 0 && index < memo.length ? memo[index] : scattered.get(index)
      if (value === undefined) throw malformed(`value ${index} is used before it is remembered`)
      return value
    },
    memoSize,
    countContainer: () => {
      if (++containers > MAX_CONTAINERS) throw limited('containers', MAX_CONTAINERS)
    },
    countItems: (count) => {
      items += count
      if (items > MAX_ITEMS) throw limited('values in containers', MAX_ITEMS)
    },
    suspect: (global) => {
      suspected ??= global
    },
    suspected: () => suspected,
  }
}
