// A grammar compiled to places of a pushdown automaton over bytes: read a byte, go on at several places, enter a rule, leave it.
import { engineError } from '../../errors'
import { checkGrammarLimit, GRAMMAR_LIMITS, type CodePointRanges, type Grammar, type GrammarNode } from './nodes'
import { utf8Sequences } from './utf8-ranges'

/** One place. `set` indexes `byteSets`; `next`, `targets` and `entry` are places. */
type Place =
  | { readonly op: 'byte'; readonly set: number; readonly next: number }
  | { readonly op: 'split'; readonly targets: readonly number[] }
  | { readonly op: 'call'; readonly rule: number; readonly next: number }
  | { readonly op: 'return' }

/** The automaton: `entries` has each rule's first place, `start` the root rule's; `byteSets` are [256] with 1 for every byte of the set. */
export interface Program {
  readonly places: readonly Place[]
  readonly entries: readonly number[]
  readonly start: number
  readonly byteSets: readonly Uint8Array[]
}

/** Place 0 leaves a rule. */
export const RETURN_PLACE = 0

/**
 * Compiles a grammar. Throws "generate/grammar-too-large" before anything is unrolled, "generate/grammar-syntax" for a rule that does not exist,
 * "generate/grammar-left-recursion" for a rule that begins with itself (it would be entered without end).
 */
export function compileGrammar({ rules, root }: Grammar): Program {
  checkGrammarLimit('the number of rules', rules.size, GRAMMAR_LIMITS.rules)
  let size = 0
  for (const node of rules.values()) size += placesOf(node)
  checkGrammarLimit('the number of places', size, GRAMMAR_LIMITS.places)
  const names = [...rules.keys()]
  const indexOf = new Map(names.map((name, index) => [name, index]))
  const places: Place[] = [{ op: 'return' }]
  const byteSets: Uint8Array[] = []
  const setIndex = new Map<string, number>()
  const classRules = new Map<string, number>()
  const entries: number[] = []

  const emit = (place: Place): number => places.push(place) - 1
  const byteSet = (ranges: CodePointRanges): number => {
    const key = ranges.join(';')
    const known = setIndex.get(key)
    if (known !== undefined) return known
    setIndex.set(key, byteSets.length)
    const set = new Uint8Array(256)
    for (const [from, to] of ranges) set.fill(1, from, to + 1)
    return byteSets.push(set) - 1
  }
  const ruleIndex = (name: string): number => {
    const index = indexOf.get(name)
    if (index === undefined) throw engineError('generate/grammar-syntax', { where: `rule ${root}`, reason: `there is no rule ${name}` })
    return index
  }

  /** Places beyond ASCII are shared by every use of a class, as a rule of its own. */
  function emitClass(ranges: CodePointRanges, next: number): number {
    const last = ranges.at(-1)
    if (last === undefined) return emit({ op: 'split', targets: [] })
    if (last[1] < 0x80) return emit({ op: 'byte', set: byteSet(ranges), next })
    const key = ranges.join(';')
    let rule = classRules.get(key)
    if (rule === undefined) {
      rule = names.length + classRules.size
      classRules.set(key, rule)
      const targets = utf8Sequences(ranges).map((bytes) =>
        bytes.reduceRight((after, [from, to]) => emit({ op: 'byte', set: byteSet([[from, to]]), next: after }), RETURN_PLACE),
      )
      entries[rule] = emit({ op: 'split', targets })
    }
    return emit({ op: 'call', rule, next })
  }

  /** The places of `node`, followed by `next`; returns the first. */
  function build(node: GrammarNode, next: number): number {
    switch (node.kind) {
      case 'text':
        return Buffer.from(node.text, 'utf8').reduceRight(
          (after, byte) => emit({ op: 'byte', set: byteSet([[byte, byte]]), next: after }),
          next,
        )
      case 'class':
        return emitClass(node.ranges, next)
      case 'sequence':
        return node.items.reduceRight((after, item) => build(item, after), next)
      case 'choice':
        return emit({ op: 'split', targets: node.options.map((option) => build(option, next)) })
      case 'ref':
        return emit({ op: 'call', rule: ruleIndex(node.rule), next })
      case 'repeat':
        return buildRepeat(node, next)
    }
  }

  function buildRepeat({ item, min, max }: GrammarNode & { kind: 'repeat' }, next: number): number {
    let first = next
    if (max === null) {
      const loop = emit({ op: 'split', targets: [] })
      places[loop] = { op: 'split', targets: [build(item, loop), next] }
      first = loop
    } else for (let count = min; count < max; count++) first = emit({ op: 'split', targets: [build(item, first), next] })
    for (let count = 0; count < min; count++) first = build(item, first)
    return first
  }

  for (const [index, name] of names.entries()) entries[index] = build(rules.get(name) ?? { kind: 'text', text: '' }, RETURN_PLACE)
  const program = { places, entries, start: entries[ruleIndex(root)] ?? RETURN_PLACE, byteSets }
  refuseLeftRecursion(program, names)
  return program
}

/** How many places a node unrolls into; Infinity-safe, since products are capped. */
function placesOf(node: GrammarNode): number {
  const cap = (value: number): number => Math.min(value, GRAMMAR_LIMITS.places + 1)
  switch (node.kind) {
    case 'text':
      return Buffer.byteLength(node.text)
    case 'class':
      // A class beyond ASCII is unrolled once for all its uses, into a handful of places per range.
      return 1 + node.ranges.length
    case 'ref':
      return 1
    case 'sequence':
      return cap(node.items.reduce((sum, item) => cap(sum + placesOf(item)), 0))
    case 'choice':
      return cap(node.options.reduce((sum, option) => cap(sum + placesOf(option)), 1))
    case 'repeat': {
      const copies = node.max === null ? node.min + 1 : Math.max(node.min, node.max)
      return cap(copies * (placesOf(node.item) + 1) + 1)
    }
  }
}

/** Finds a rule that can enter itself before it has read a byte. */
function refuseLeftRecursion({ places, entries }: Program, names: readonly string[]): void {
  const nullable = new Set<number>()
  const scan = (rule: number): { readonly calls: Set<number>; readonly ends: boolean } => {
    const calls = new Set<number>()
    const seen = new Set<number>()
    const open = [entries[rule] ?? RETURN_PLACE]
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      if (seen.has(place)) continue
      seen.add(place)
      const at = places[place]
      if (at?.op === 'split') open.push(...at.targets)
      else if (at?.op === 'call') {
        calls.add(at.rule)
        if (nullable.has(at.rule)) open.push(at.next)
      }
    }
    return { calls, ends: seen.has(RETURN_PLACE) }
  }
  for (let grown = true; grown;) {
    grown = false
    for (const rule of entries.keys())
      if (!nullable.has(rule) && scan(rule).ends) {
        nullable.add(rule)
        grown = true
      }
  }
  const done = new Set<number>()
  for (const rule of entries.keys()) {
    const path: { readonly rule: number; readonly rest: number[] }[] = []
    const onPath = new Set<number>()
    const enter = (next: number): void => {
      if (onPath.has(next)) throw engineError('generate/grammar-left-recursion', { rule: names[next] ?? String(next) })
      if (done.has(next)) return
      onPath.add(next)
      path.push({ rule: next, rest: [...scan(next).calls] })
    }
    enter(rule)
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.rest.pop()
      if (next !== undefined) enter(next)
      else {
        done.add(top.rule)
        onPath.delete(top.rule)
        path.pop()
      }
    }
  }
}
