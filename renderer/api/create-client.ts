// Picks the client: the preload bridge where there is one, otherwise the web host's socket.
import type { Bridge } from '../../preload/contract'
import { createBridgeClient } from './bridge-client'
import type { Client } from './client'
import { browserSocketEnvironment, createSocketClient } from './socket-client'

declare global {
  interface Window {
    /** Put there by the preload script of the desktop window. */
    readonly weightroom?: Bridge
  }
}

/** The client of this window. */
export function createClient(): Client {
  return window.weightroom === undefined ? createSocketClient(browserSocketEnvironment()) : createBridgeClient(window.weightroom)
}
