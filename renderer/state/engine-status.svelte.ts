// The engine process and the model it holds, followed through the contract's `engine.watch`.
import type { ContractError, EngineState, LoadedModelInfo } from '../../preload/contract'
import type { Client } from '../api/client'
import { toContractError } from '../api/failure'

/** Pause before a watch that ended is opened again. */
const REOPEN_MS = 500

/** The engine's state, and the two orders one can give it. */
export class EngineStatus {
  #state = $state.raw<EngineState>({ status: 'starting' })
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  get state(): EngineState {
    return this.#state
  }

  /** The loaded model, or null. */
  get model(): LoadedModelInfo | null {
    return this.#state.status === 'ready' ? this.#state.model : null
  }

  /** Follows the engine until `signal` aborts, across lost connections. */
  async watch(signal: AbortSignal): Promise<void> {
    const ended = (): boolean => signal.aborted
    while (!ended()) {
      try {
        for await (const state of this.#client.stream('engine.watch', {}, signal)) this.#state = state
      } catch {
        // A lost connection is shown by the connection's own state; the watch is opened again below.
      }
      if (!ended()) await new Promise((resolve) => setTimeout(resolve, REOPEN_MS))
    }
  }

  /** Loads a model. Returns the error where it failed; the watched state tells the same. */
  async load(modelId: string): Promise<ContractError | null> {
    return this.#order(() => this.#client.call('engine.load', { modelId }))
  }

  async unload(): Promise<ContractError | null> {
    return this.#order(() => this.#client.call('engine.unload', {}))
  }

  async #order(order: () => Promise<unknown>): Promise<ContractError | null> {
    try {
      await order()
      return null
    } catch (thrown) {
      return toContractError(thrown)
    }
  }
}
