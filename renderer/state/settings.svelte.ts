// The person's settings as the host stores them.
import type { ContractError, Settings } from '../../preload/contract'
import type { Client } from '../api/client'
import { toContractError } from '../api/failure'

/** Settings with immediate effect in the window; a change that cannot be stored is taken back and told. */
export class SettingsState {
  #value = $state.raw<Settings | null>(null)
  #error = $state.raw<ContractError | null>(null)
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  /** null until they were read. */
  get value(): Settings | null {
    return this.#value
  }

  /** Why reading failed. */
  get error(): ContractError | null {
    return this.#error
  }

  async load(): Promise<void> {
    try {
      this.#value = await this.#client.call('settings.get', {})
      this.#error = null
    } catch (thrown) {
      this.#error = toContractError(thrown)
    }
  }

  /** Stores a change. Returns the error where it could not be stored. */
  async change(change: Partial<Settings>): Promise<ContractError | null> {
    const before = this.#value
    if (before !== null) this.#value = { ...before, ...change }
    try {
      this.#value = await this.#client.call('settings.set', { change })
      return null
    } catch (thrown) {
      this.#value = before
      return toContractError(thrown)
    }
  }
}
