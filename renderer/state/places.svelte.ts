// The chooser of files and folders of this machine, for hosts that have no native one.
import type { ContractError, PlaceListing } from '../../preload/contract'
import type { Client } from '../api/client'
import { toContractError } from '../api/failure'

/** What is chosen, and who waits for it. */
interface Choosing {
  readonly what: 'any' | 'folder'
  readonly chosen: (path: string) => void
}

/** Walks through folders until something is chosen. */
export class Places {
  #choosing = $state.raw<Choosing | null>(null)
  #listing = $state.raw<PlaceListing | null>(null)
  #error = $state.raw<ContractError | null>(null)
  #filter = $state('')
  readonly #client: Client
  #request = 0
  /** Where the next choice begins. */
  #last: string | null = null

  constructor(client: Client) {
    this.#client = client
  }

  get what(): 'any' | 'folder' | null {
    return this.#choosing?.what ?? null
  }
  get listing(): PlaceListing | null {
    return this.#listing
  }
  get error(): ContractError | null {
    return this.#error
  }
  get filter(): string {
    return this.#filter
  }

  /** Opens the chooser. */
  choose(what: 'any' | 'folder', chosen: (path: string) => void): void {
    this.#choosing = { what, chosen }
    void this.go(this.#last)
  }

  /** Lists a folder; null is the person's own. */
  async go(path: string | null): Promise<void> {
    this.#filter = ''
    await this.#list(path)
  }

  /** Lists what holds the text in its name. */
  async search(filter: string): Promise<void> {
    this.#filter = filter
    await this.#list(this.#listing?.path ?? null)
  }

  /** Takes a path and closes. */
  take(path: string): void {
    const choosing = this.#choosing
    this.#last = this.#listing?.path ?? null
    this.close()
    choosing?.chosen(path)
  }

  close(): void {
    this.#request += 1
    this.#choosing = null
    this.#error = null
  }

  async #list(path: string | null): Promise<void> {
    const request = ++this.#request
    try {
      const listing = await this.#client.call('places.list', { path, filter: this.#filter, hidden: false })
      if (request !== this.#request) return
      this.#listing = listing
      this.#error = null
    } catch (thrown) {
      if (request === this.#request) this.#error = toContractError(thrown)
    }
  }
}
