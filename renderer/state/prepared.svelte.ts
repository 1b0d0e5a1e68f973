// Weights that were prepared for loading and lie on the disk.
import type { ContractError, PreparedWeights } from '../../preload/contract'
import type { Client } from '../api/client'
import { toContractError } from '../api/failure'

/** The list of prepared weights as it was read last, and the order to clear them. */
export class Prepared {
  #value = $state.raw<PreparedWeights | null>(null)
  #error = $state.raw<ContractError | null>(null)
  #busy = $state(false)
  #request = 0
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  /** null until it was read. */
  get value(): PreparedWeights | null {
    return this.#value
  }

  /** Why the last reading failed. */
  get error(): ContractError | null {
    return this.#error
  }

  /** While something is being cleared. */
  get busy(): boolean {
    return this.#busy
  }

  async load(): Promise<void> {
    const request = ++this.#request
    try {
      const value = await this.#client.call('prepared.list', {})
      if (request !== this.#request) return
      this.#value = value
      this.#error = null
    } catch (thrown) {
      if (request === this.#request) this.#error = toContractError(thrown)
    }
  }

  /** Clears one file, or all without a name, and reads the list again. Returns the bytes that were freed, and the error where it failed. */
  async clear(name?: string): Promise<{ readonly freedBytes: number; readonly error: ContractError | null }> {
    this.#busy = true
    try {
      const { freedBytes } = await this.#client.call('prepared.clear', name === undefined ? {} : { name })
      await this.load()
      return { freedBytes, error: null }
    } catch (thrown) {
      return { freedBytes: 0, error: toContractError(thrown) }
    } finally {
      this.#busy = false
    }
  }
}
