// KaTeX, loaded on the first formula. Nothing it could be told to fetch or link is trusted, and macros and sizes are bounded.
import katex from 'katex'
import 'katex/dist/katex.min.css'

/** Macro expansions per formula: enough for any written one, and a bound for those that define themselves. */
const MAX_EXPANSIONS = 500
/** Longest length in em that a formula may ask for, so that none covers the window. */
const MAX_SIZE_EM = 40

/** Writes a formula as HTML with MathML inside; one with a mistake is shown as its source. */
export function formulaHtml(formula: string, displayMode: { readonly display: boolean }): string {
  return katex.renderToString(formula, {
    // The theme's own red: KaTeX's is too dark to read on a dark page.
    errorColor: 'var(--danger)',
    displayMode: displayMode.display,
    trust: false,
    strict: 'ignore',
    throwOnError: true,
    maxExpand: MAX_EXPANSIONS,
    maxSize: MAX_SIZE_EM,
    macros: {},
  })
}
