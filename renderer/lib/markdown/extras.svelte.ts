// The two large parts of Markdown, formulas and highlighting, which are fetched from the app's own files when first needed.
import type * as HighlightPart from './highlight'
import type * as MathPart from './math'

type Highlight = typeof HighlightPart
type Math = typeof MathPart

/** Loads each part once; blocks that asked for it are written again when it has arrived. */
export class MarkdownExtras {
  #math = $state.raw<Math | null>(null)
  #highlight = $state.raw<Highlight | null>(null)
  readonly #asked = { math: false, highlight: false }

  /** The formula writer, or null while it is on its way. */
  get math(): Math | null {
    if (this.#math === null) this.#ask('math', async () => (this.#math = await import('./math')))
    return this.#math
  }

  /** The highlighter, or null while it is on its way. */
  get highlight(): Highlight | null {
    if (this.#highlight === null) this.#ask('highlight', async () => (this.#highlight = await import('./highlight')))
    return this.#highlight
  }

  #ask(part: 'math' | 'highlight', load: () => Promise<unknown>): void {
    if (this.#asked[part]) return
    this.#asked[part] = true
    // Where a part cannot be loaded, the source it would have replaced stays readable.
    void load().catch(() => undefined)
  }
}

/** The window's one copy. */
export const extras = new MarkdownExtras()
