// A row made from another one and what is different.
import type { FamilyRow, RowChange } from './types'

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A rule that reads a field replaces the whole rule before it: keys of two rules make no rule. */
function isRule(value: Readonly<Record<string, unknown>>): boolean {
  return 'field' in value || 'fullEvery' in value || 'from' in value || 'listed' in value
}

function merged(base: unknown, change: unknown): unknown {
  if (change === undefined) return base
  if (!isPlain(base) || !isPlain(change) || isRule(change) || isRule(base)) return change
  const out: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(change)) if (key !== '__proto__') out[key] = merged(base[key], value)
  return out
}

/** `base` with `change` on top: objects are merged key by key, lists, rules and plain values replaced, an undefined value keeps what was there. */
export function mergeRows(base: FamilyRow, change: RowChange): FamilyRow {
  // Every key of a change has the type that the row has there, so the merge of both is a row again.
  return merged(base, change) as FamilyRow
}
