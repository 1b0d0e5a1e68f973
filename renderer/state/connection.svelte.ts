// Whether the host can be reached, as rune state.
import type { Client, ConnectionState } from '../api/client'

/** Follows the client's connection for the life of the window. */
export class Connection {
  #state = $state<ConnectionState>('connecting')
  readonly #unsubscribe: () => void

  /** `onReconnected` runs each time the connection is up again after a loss. */
  constructor(client: Client, onReconnected: () => void) {
    this.#unsubscribe = client.watchConnection((next) => {
      const wasLost = this.#state === 'lost'
      this.#state = next
      if (wasLost && next === 'connected') onReconnected()
    })
  }

  get state(): ConnectionState {
    return this.#state
  }

  [Symbol.dispose](): void {
    this.#unsubscribe()
  }
}
