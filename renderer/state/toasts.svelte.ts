// Short notices at the window's edge, each with at most one action.

/** Long enough to read a sentence and reach the button by keyboard. */
const SHOWN_MS = 9_000

/** One notice. */
export interface Toast {
  readonly id: number
  readonly text: string
  readonly tone: 'plain' | 'danger'
  readonly action: { readonly label: string; readonly run: () => void } | null
}

/** The notices that are shown now, oldest first. */
export class Toasts {
  #items = $state.raw<readonly Toast[]>([])
  readonly #timers: Record<number, ReturnType<typeof setTimeout>> = {}
  #lastId = 0

  get items(): readonly Toast[] {
    return this.#items
  }

  /** Shows a notice for some seconds. */
  show(toast: Omit<Toast, 'id'>): void {
    const id = ++this.#lastId
    this.#items = [...this.#items, { ...toast, id }]
    this.resume(id)
  }

  /** Keeps a notice while it is pointed at or holds the focus. */
  hold(id: number): void {
    clearTimeout(this.#timers[id])
  }

  /** Lets the time of a notice run again from the start. */
  resume(id: number): void {
    this.hold(id)
    this.#timers[id] = setTimeout(() => this.dismiss(id), SHOWN_MS)
  }

  dismiss(id: number): void {
    this.hold(id)
    this.#items = this.#items.filter((item) => item.id !== id)
  }
}
