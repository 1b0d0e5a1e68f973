// Writes random texts that a constraint allows, with a vocabulary of all bytes and some longer tokens: a model that knows nothing.
import { compileConstraint, type OutputConstraint } from '../../../../engine/generate/grammar/compile-constraint'
import { createMatcher, type GrammarMatcher } from '../../../../engine/generate/grammar/matcher'
import { buildTokenTrie } from '../../../../engine/generate/grammar/token-trie'
import { createRandomStream } from '../../../../engine/generate/random'
import type { Vocabulary } from '../../../../engine/generate/vocabulary'

const LONGER = [
  '{"',
  '":',
  '", "',
  ' "',
  '"}',
  '},{',
  ' true',
  ' false',
  'null',
  '12',
  '345',
  '0.',
  'ab',
  'abc',
  ' name',
  'é',
  '本',
  '語日',
  '\n  ',
  '[]',
  '{}',
  '],',
  '\\n',
  '\\u00',
]

/** Bytes 0 to 255, then longer tokens; the last id ends the turn. */
const spelled: readonly Uint8Array[] = [
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  ...LONGER.map((text) => new TextEncoder().encode(text)),
]
export const STOP_ID = spelled.length

const trie = buildTokenTrie((id) => spelled[id] ?? null, spelled.length + 1)

/** The vocabulary of the tests; ids 0 to 255 are bytes. */
export const byteVocabulary: Vocabulary = {
  size: spelled.length + 1,
  bytesOf: (id) => spelled[id] ?? null,
  textOf: (id) => new TextDecoder().decode(spelled[id] ?? new Uint8Array()),
  trie: () => trie,
  idsContaining: () => [],
  contextIds: [],
}

/** A matcher over that vocabulary. */
export function matcherOf(constraint: OutputConstraint): GrammarMatcher {
  return createMatcher({ program: compileConstraint(constraint), vocabulary: byteVocabulary, stopIds: new Set([STOP_ID]) })
}

/** Whether the whole text is allowed. */
export function allows(constraint: OutputConstraint, text: string): boolean {
  const matcher = matcherOf(constraint)
  if (!matcher.acceptBytes(new TextEncoder().encode(text))) return false
  return matcher.isComplete() || ((matcher.mask()[STOP_ID >>> 5] ?? 0) >>> (STOP_ID & 31)) % 2 === 1
}

/** A random text that the constraint allows; it ends as soon as it may once it has `enough` tokens, and is null where it never may. */
export function writeRandomly(
  constraint: OutputConstraint,
  { seed, enough }: { readonly seed: number; readonly enough: number },
): string | null {
  const matcher = matcherOf(constraint)
  const random = createRandomStream(seed)
  const bytes: number[] = []
  for (let count = 0; count < 40 * enough; count++) {
    if (matcher.isComplete()) return decode(bytes)
    const mask = matcher.mask()
    const allowed = Array.from({ length: STOP_ID + 1 }, (_, id) => id).filter((id) => ((mask[id >>> 5] ?? 0) >>> (id & 31)) % 2 === 1)
    if (allowed.at(-1) === STOP_ID && (count >= enough || random() < 0.2)) return decode(bytes)
    // Late in a text what closes is likelier, as it is in a model that wants to end.
    const closing = allowed.filter((id) => '"}]:,'.includes(String.fromCharCode(id)) && id < 128)
    const from = count > enough && closing.length > 0 ? closing : allowed.filter((id) => id !== STOP_ID)
    const id = from[Math.floor(random() * from.length)] ?? 0
    matcher.accept(id)
    bytes.push(...(spelled[id] ?? []))
  }
  return null
}

function decode(bytes: readonly number[]): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes))
}
