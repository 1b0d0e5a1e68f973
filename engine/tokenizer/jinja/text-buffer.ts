// The text that a template prints, within its budget.
import type { Budget } from './budget'

/** Collects pieces of text. */
export class TextBuffer {
  readonly #budget: Budget
  readonly #parts: string[] = []
  #length = 0

  constructor(budget: Budget) {
    this.#budget = budget
  }

  push(text: string): void {
    this.#length += text.length
    this.#budget.text(text.length)
    this.#budget.characters(this.#length)
    this.#parts.push(text)
  }

  text(): string {
    return this.#parts.join('')
  }
}
