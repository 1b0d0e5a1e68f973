// A deterministic automaton made on demand from a program: every set of situations gets a number, every step between them is remembered.
import { engineError } from '../../errors'
import { GRAMMAR_LIMITS } from './nodes'
import { RETURN_PLACE, type Program } from './program'

/** No way on. */
export const DEAD = -1
const UNKNOWN = -2
/** Above this many remembered states all but the present one are forgotten: some 20 MB. */
const REMEMBERED_STATES = 20_000

/** States are numbers; `start` is the first. A state may end the output, go on, or both. */
export interface Automaton {
  readonly start: number
  readonly classOfByte: Uint8Array
  /** The state after a byte of this class, or DEAD. Throws "generate/grammar-too-complex". */
  readonly step: (state: number, byteClass: number) => number
  /** Whether the output may end here. */
  readonly mayEnd: (state: number) => boolean
  /** Whether any byte leads on from here. */
  readonly goesOn: (state: number) => boolean
  /** Forgets most states when there are many; returns the number that `state` has now, and whether others lost theirs. */
  readonly tidy: (state: number) => { readonly state: number; readonly forgot: boolean }
}

/** A situation: the place to read at, and the places to return to, innermost first. */
interface Situation {
  readonly place: number
  readonly returns: readonly number[]
}

/** Makes the automaton of a program. */
export function createAutomaton(program: Program): Automaton {
  const { places, entries } = program
  const { classOfByte, classCount, setHasClass } = byteClasses(program.byteSets)
  const placeCount = places.length

  // Stacks of return places, each distinct one once: 0 is empty.
  let stackTop: number[] = []
  let stackRest: number[] = []
  let stackDepth: number[] = []
  let stackIds = new Map<number, number>()
  // A situation is one number: place + stack * placeCount.
  let situations: (readonly number[])[] = []
  let ends: boolean[] = []
  let stateIds = new Map<string, number>()
  let table = new Int32Array(0)

  function forgetAll(): void {
    stackTop = [0]
    stackRest = [0]
    stackDepth = [0]
    stackIds = new Map()
    situations = []
    ends = []
    stateIds = new Map()
    table = new Int32Array(256 * classCount)
  }

  function pushStack(place: number, rest: number): number {
    const key = place + rest * placeCount
    const known = stackIds.get(key)
    if (known !== undefined) return known
    const id = stackTop.length
    stackTop.push(place)
    stackRest.push(rest)
    stackDepth.push((stackDepth[rest] ?? 0) + 1)
    stackIds.set(key, id)
    return id
  }

  /** The state of everything that is reached from these situations without reading. */
  function stateOf(from: readonly number[]): number {
    const seen = new Set<number>()
    const reading: number[] = []
    let mayEnd = false
    const open = [...from]
    for (let situation = open.pop(); situation !== undefined; situation = open.pop()) {
      if (seen.has(situation)) continue
      seen.add(situation)
      if (seen.size > GRAMMAR_LIMITS.readings)
        throw engineError('generate/grammar-too-complex', { what: 'ways to read the same text', max: GRAMMAR_LIMITS.readings })
      const place = situation % placeCount
      const stack = (situation - place) / placeCount
      const at = places[place]
      if (at === undefined) continue
      if (at.op === 'byte') reading.push(situation)
      else if (at.op === 'split') for (const target of at.targets) open.push(target + stack * placeCount)
      else if (at.op === 'return') {
        if (stack === 0) mayEnd = true
        else open.push((stackTop[stack] ?? 0) + (stackRest[stack] ?? 0) * placeCount)
      } else {
        // A rule at the end of a rule needs no place to return to; what nests too deep is no way on.
        const tail = places[at.next]?.op === 'return'
        if (!tail && (stackDepth[stack] ?? 0) >= GRAMMAR_LIMITS.nesting) continue
        const inner = tail ? stack : pushStack(at.next, stack)
        open.push((entries[at.rule] ?? RETURN_PLACE) + inner * placeCount)
      }
    }
    return intern(reading, mayEnd)
  }

  function intern(reading: number[], mayEnd: boolean): number {
    if (reading.length === 0 && !mayEnd) return DEAD
    reading.sort((a, b) => a - b)
    const key = `${mayEnd ? '+' : '-'}${reading.join()}`
    const known = stateIds.get(key)
    if (known !== undefined) return known
    const id = situations.length
    if (id >= GRAMMAR_LIMITS.states) throw engineError('generate/grammar-too-complex', { what: 'situations', max: GRAMMAR_LIMITS.states })
    situations.push(reading)
    ends.push(mayEnd)
    stateIds.set(key, id)
    if ((id + 1) * classCount > table.length) {
      const larger = new Int32Array(table.length * 2)
      larger.set(table)
      table = larger
    }
    table.fill(UNKNOWN, id * classCount, (id + 1) * classCount)
    return id
  }

  function makeStep(state: number, byteClass: number): number {
    const from: number[] = []
    for (const situation of situations[state] ?? []) {
      const place = situation % placeCount
      const at = places[place]
      if (at?.op === 'byte' && setHasClass[at.set * classCount + byteClass] === 1) from.push(situation - place + at.next)
    }
    const next = from.length === 0 ? DEAD : stateOf(from)
    table[state * classCount + byteClass] = next
    return next
  }

  const expand = (situation: number): Situation => {
    const place = situation % placeCount
    const returns: number[] = []
    for (let stack = (situation - place) / placeCount; stack !== 0; stack = stackRest[stack] ?? 0) returns.push(stackTop[stack] ?? 0)
    return { place, returns }
  }

  forgetAll()
  return {
    start: stateOf([program.start]),
    classOfByte,
    step: (state, byteClass) => {
      const next = table[state * classCount + byteClass] ?? UNKNOWN
      return next === UNKNOWN ? makeStep(state, byteClass) : next
    },
    mayEnd: (state) => ends[state] ?? false,
    goesOn: (state) => (situations[state]?.length ?? 0) > 0,
    tidy: (state) => {
      if (situations.length <= REMEMBERED_STATES) return { state, forgot: false }
      const kept = (situations[state] ?? []).map(expand)
      const mayEnd = ends[state] ?? false
      forgetAll()
      const reading = kept.map(({ place, returns }) => place + returns.reduceRight((rest, top) => pushStack(top, rest), 0) * placeCount)
      return { state: intern(reading, mayEnd), forgot: true }
    },
  }
}

/** Bytes that no set tells apart are one class. */
function byteClasses(sets: readonly Uint8Array[]): {
  readonly classOfByte: Uint8Array
  readonly classCount: number
  readonly setHasClass: Uint8Array
} {
  const classOfByte = new Uint8Array(256)
  let classCount = 1
  for (const set of sets) {
    const renamed = new Map<number, number>()
    for (let byte = 0; byte < 256; byte++) {
      const key = (classOfByte[byte] ?? 0) * 2 + (set[byte] ?? 0)
      if (!renamed.has(key)) renamed.set(key, renamed.size)
      classOfByte[byte] = renamed.get(key) ?? 0
    }
    classCount = renamed.size
  }
  const setHasClass = new Uint8Array(sets.length * classCount)
  for (const [index, set] of sets.entries())
    for (let byte = 0; byte < 256; byte++) if (set[byte] === 1) setHasClass[index * classCount + (classOfByte[byte] ?? 0)] = 1
  return { classOfByte, classCount, setHasClass }
}
