// Small things the browser keeps for the window: the look of the first frame, and which chat a reload returns to. Nothing depends on them.

/** 'lasting' survives the window; 'window' survives a reload of it. */
type Span = 'lasting' | 'window'

const storeOf = (span: Span): Storage => (span === 'lasting' ? window.localStorage : window.sessionStorage)

/** Keeps a value, or forgets it with null. Storage may be refused or full; then nothing is kept. */
export function remember(span: Span, key: string, value: string | null): void {
  try {
    if (value === null) storeOf(span).removeItem(key)
    else storeOf(span).setItem(key, value)
  } catch {
    // The value is only a convenience.
  }
}

/** The kept value, or null. */
export function recall(span: Span, key: string): string | null {
  try {
    return storeOf(span).getItem(key)
  } catch {
    return null
  }
}
