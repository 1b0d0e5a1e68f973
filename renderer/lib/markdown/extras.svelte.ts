// The two large parts of Markdown, formulas and highlighting, which are fetched from the app's own files when first needed.
type Math = typeof import('./math')
type Highlight = typeof import('./highlight')

/** Loads each part once; blocks that asked for it are written again when it has arrived. */
export class MarkdownExtras {
  #math = $state.raw<Math | null>(null)
  #highlight = $state.raw<Highlight | null>(null)
  #asked = new Set<'math' | 'highlight'>()

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
    if (this.#asked.has(part)) return
    this.#asked.add(part)
    // Where a part cannot be loaded, the source it would have replaced stays readable.
    void load().catch(() => undefined)
  }
}

/** The window's one copy. */
export const extras = new MarkdownExtras()
