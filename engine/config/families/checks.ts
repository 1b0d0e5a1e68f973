// What the tests verify of each family against Transformers 5.18, or against plain torch where it has no class of theirs: test/engine/runtime/families.test.ts and decoder-golden.test.ts; test/engine/config/family-checks.test.ts holds this list to the fixtures.
import { FAMILIES } from './table'
import { WRAPPERS } from './wrappers'

/** A thing that was compared: logits in one pass and in parts, greedy ids, decoding over the KV cache. */
type FamilyCheck = 'logits' | 'chunked prefill' | 'greedy' | 'KV decode'

const ALL: readonly FamilyCheck[] = ['logits', 'chunked prefill', 'greedy', 'KV decode']

/** Checks by the first `model_type` of a row or wrapper. */
export const FAMILY_CHECKS: Readonly<Record<string, readonly FamilyCheck[]>> = Object.fromEntries(
  [...FAMILIES, ...WRAPPERS].map(({ modelTypes: [first = ''] }) => [first, ALL] as const),
)
