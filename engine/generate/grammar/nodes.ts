// The tree that every grammar notation (GBNF, regular expression, JSON schema) is read into, with its limits and constructors.
import { engineError } from '../../errors'

/** Inclusive ranges of code points, ascending and apart. */
export type CodePointRanges = readonly (readonly [from: number, to: number])[]

/** A grammar over code points. `repeat` without `max` has no upper bound; a `ref` names a rule. */
export type GrammarNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'class'; readonly ranges: CodePointRanges }
  | { readonly kind: 'sequence'; readonly items: readonly GrammarNode[] }
  | { readonly kind: 'choice'; readonly options: readonly GrammarNode[] }
  | { readonly kind: 'repeat'; readonly item: GrammarNode; readonly min: number; readonly max: number | null }
  | { readonly kind: 'ref'; readonly rule: string }

/** Named rules and the one that the whole output must match. */
export interface Grammar {
  readonly rules: ReadonlyMap<string, GrammarNode>
  readonly root: string
}

/** Each limit with its reason. */
export const GRAMMAR_LIMITS = {
  /** Hand-written grammars and schemas stay far below; reading is linear, but every character costs memory. */
  textChars: 262_144,
  /** Readers and the compiler call themselves per level; a stack frame is small, a thousand of them are safe. */
  depth: 200,
  rules: 10_000,
  /** Places of the compiled automaton: what `a{1,1000000}` would unroll into. 200,000 take about 20 MB. */
  places: 200_000,
  /** Rules entered and not yet left while matching: 1,000 is some 300 nested JSON objects. */
  nesting: 1_000,
  /** Ways to read the same text at once; unambiguous grammars have a few dozen. */
  readings: 10_000,
  /** Distinct situations met in one step over the whole vocabulary. */
  states: 200_000,
} as const

/** The largest code point. */
export const LAST_CODE_POINT = 0x10ffff

/** A literal text. */
export const text = (value: string): GrammarNode => ({ kind: 'text', text: value })
/** One after the other. */
export const sequence = (...items: readonly GrammarNode[]): GrammarNode => ({ kind: 'sequence', items })
/** One of these. */
export const choice = (...options: readonly GrammarNode[]): GrammarNode => ({ kind: 'choice', options })
/** From `min` to `max` times. */
export const repeat = (item: GrammarNode, min: number, max: number | null): GrammarNode => ({ kind: 'repeat', item, min, max })
/** Once or not at all. */
export const optional = (item: GrammarNode): GrammarNode => repeat(item, 0, 1)
/** Another rule. */
export const ref = (rule: string): GrammarNode => ({ kind: 'ref', rule })
/** Nothing at all. */
export const EMPTY: GrammarNode = { kind: 'text', text: '' }

/** A class of the given ranges (in any order, overlapping or not), or of everything else. */
export function codePoints(ranges: CodePointRanges, { negated = false }: { readonly negated?: boolean } = {}): GrammarNode {
  const merged: [number, number][] = []
  for (const [from, to] of [...ranges].sort(([a], [b]) => a - b)) {
    const last = merged.at(-1)
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to)
    else merged.push([from, to])
  }
  return { kind: 'class', ranges: negated ? complement(merged) : merged }
}

/** Everything that the ranges leave out. */
export function complement(ranges: CodePointRanges): CodePointRanges {
  const others: [number, number][] = []
  let next = 0
  for (const [from, to] of ranges) {
    if (from > next) others.push([next, from - 1])
    next = to + 1
  }
  if (next <= LAST_CODE_POINT) others.push([next, LAST_CODE_POINT])
  return others
}

/** Single characters as ranges. */
export function charRanges(characters: string): CodePointRanges {
  return Array.from(characters, (character) => [character.codePointAt(0) ?? 0, character.codePointAt(0) ?? 0] as const)
}

/** Throws "generate/grammar-too-large" where `found` is above `max`. */
export function checkGrammarLimit(what: string, found: number, max: number): void {
  if (found > max) throw engineError('generate/grammar-too-large', { what, found, max })
}
