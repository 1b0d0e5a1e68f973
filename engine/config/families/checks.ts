// What the tests verify of each family against Transformers 5.18, or against plain torch where it has no class of theirs: test/engine/runtime/families.test.ts and decoder-golden.test.ts; test/engine/config/family-checks.test.ts holds this list to the fixtures.
import { FAMILIES } from './table'

/** A thing that was compared: logits in one pass and in parts, greedy ids, decoding over the KV cache. */
type FamilyCheck = 'logits' | 'chunked prefill' | 'greedy' | 'KV decode'

const ALL: readonly FamilyCheck[] = ['logits', 'chunked prefill', 'greedy', 'KV decode']

/** The text decoder is the one of gemma3_text; the wrapper's names were not compared. */
const WRAPPERS: ReadonlySet<string> = new Set(['gemma3'])

/** Checks by the first `model_type` of a row. */
export const FAMILY_CHECKS: Readonly<Record<string, readonly FamilyCheck[]>> = Object.fromEntries(
  FAMILIES.map(({ modelTypes: [first = ''] }) => [first, WRAPPERS.has(first) ? [] : ALL] as const),
)
