// Which view is shown and which side columns are open.
import type { ViewName } from '../lib/views'

/** Below this width the side columns float over the view. */
export const NARROW_QUERY = '(max-width: 900px)'

/** View and columns. In a narrow window at most one column is open, and it closes after use. */
export class Navigation {
  view = $state<ViewName>('chat')
  #narrow = $state(false)
  #wide = $state.raw({ sidebar: true, panel: false })
  #floating = $state<'sidebar' | 'panel' | null>(null)

  get narrow(): boolean {
    return this.#narrow
  }

  get sidebarOpen(): boolean {
    return this.#narrow ? this.#floating === 'sidebar' : this.#wide.sidebar
  }

  get panelOpen(): boolean {
    return this.#narrow ? this.#floating === 'panel' : this.#wide.panel
  }

  /** Tells that the window became narrow or wide. */
  setNarrow(narrow: boolean): void {
    this.#narrow = narrow
    this.#floating = null
  }

  toggle(column: 'sidebar' | 'panel'): void {
    if (this.#narrow) this.#floating = this.#floating === column ? null : column
    else this.#wide = { ...this.#wide, [column]: !this.#wide[column] }
  }

  /** Opens the list of conversations, as before a search. */
  openSidebar(): void {
    if (this.#narrow) this.#floating = 'sidebar'
    else this.#wide = { ...this.#wide, sidebar: true }
  }

  /** Closes what floats over the view. */
  closeFloating(): void {
    this.#floating = null
  }
}
