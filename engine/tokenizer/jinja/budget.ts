// What a template may use: steps, time, text and depth. Everything that makes or reads values pays here, so that no template runs for ever or fills the memory.
import { engineError } from '../../errors'

/** The most a public template needs is about ten million, for a thousand messages; most need a hundredth of that. */
const MAX_STEPS = 20_000_000
/** A thousand messages take a few hundred milliseconds; with the one step under way it stays below two seconds. */
const MAX_RENDER_MS = 1500
/** Half a million tokens, more than is read on any processor; and little enough that a single step over it takes half a second at most. */
export const MAX_TEXT_CHARACTERS = 2 * 1024 * 1024
/** Items that lists hold at once while a template runs; a conversation of a thousand messages has a hundredth of them. */
const MAX_ITEMS = 2_000_000
/** Macros and loops that call themselves, and values within values. Python ends at about 300 macros; schemas of tools nest ten deep. */
export const MAX_DEPTH = 200
/** Digits of a number are made from this many bits: far beyond what Python prints (4300 digits). */
const MAX_INTEGER_BITS = 64 * 1024
/** Characters that cost as much as evaluating one node. */
const CHARACTERS_PER_STEP = 32

/** Counts what one rendering uses. Throws "template/limit-exceeded". */
export class Budget {
  readonly source: string
  readonly #maxSteps: number
  readonly #deadlineMs: number
  #steps = 0
  #nextLook = 0
  #items = 0
  #depth = 0

  constructor(options: { readonly source: string; readonly maxSteps?: number | undefined; readonly maxMs?: number | undefined }) {
    this.source = options.source
    this.#maxSteps = options.maxSteps ?? MAX_STEPS
    this.#deadlineMs = performance.now() + (options.maxMs ?? MAX_RENDER_MS)
  }

  #exceeded(what: string, max: number): never {
    throw engineError('template/limit-exceeded', { source: this.source, what, max })
  }

  /** Pays for work. */
  spend(steps: number): void {
    this.#steps += steps
    if (this.#steps < this.#nextLook) return
    if (this.#steps > this.#maxSteps) this.#exceeded('the number of its steps', this.#maxSteps)
    if (performance.now() > this.#deadlineMs) this.#exceeded('its time in milliseconds', MAX_RENDER_MS)
    this.#nextLook = Math.min(this.#steps + 4096, this.#maxSteps)
  }

  /** Refuses text that is about to become too long. */
  characters(count: number): void {
    if (!(count <= MAX_TEXT_CHARACTERS)) this.#exceeded('the length of its text', MAX_TEXT_CHARACTERS)
  }

  /** Pays for text that is about to be made or read through. */
  text(characters: number): void {
    this.characters(characters)
    this.spend(1 + characters / CHARACTERS_PER_STEP)
  }

  /** Pays for the items of a list that is about to be made. */
  items(count: number): void {
    this.#items += count
    if (!(this.#items <= MAX_ITEMS)) this.#exceeded('the number of items in its lists', MAX_ITEMS)
    this.spend(1 + count)
  }

  /** Refuses a number that is about to become too large. */
  bits(count: number): void {
    if (!(count <= MAX_INTEGER_BITS)) this.#exceeded('the bits of a number', MAX_INTEGER_BITS)
    this.spend(1 + count / 64)
  }

  /** Runs something that may contain itself. */
  nested<T>(work: () => T): T {
    if (++this.#depth > MAX_DEPTH) this.#exceeded('the depth of its nesting', MAX_DEPTH)
    try {
      return work()
    } finally {
      this.#depth--
    }
  }
}
