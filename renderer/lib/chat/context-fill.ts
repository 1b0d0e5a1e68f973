// How full a context window is.
import type { ContextUse } from '../../../preload/contract'

/** From here on the gauge warns. */
export const TIGHT_FRACTION = 0.8

/** Used part of the window; 1 and more leave no room for a reply. */
export function usedFraction(use: ContextUse): number {
  return use.contextLength <= 0 ? 1 : use.usedTokens / use.contextLength
}

/** True where not a single token of a reply would fit. */
export function isFull(use: ContextUse | null): boolean {
  return use !== null && use.usedTokens >= use.contextLength
}
