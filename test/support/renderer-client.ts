// The renderer's client over the fake bridge, for tests of its state classes.
import { createBridgeClient } from '../../renderer/api/bridge-client'
import type { Client, ConnectionState } from '../../renderer/api/client'
import { createFakeBridge, type FakeBridge, type FakeScenario } from './fake-bridge'

/** A client, the bridge under it, and a hand on its connection. */
export interface FakeClient {
  readonly client: Client
  readonly bridge: FakeBridge
  readonly setConnection: (state: ConnectionState) => void
}

/** Makes a client whose services live in memory. */
export function createFakeClient(scenario: FakeScenario = {}): FakeClient {
  const bridge = createFakeBridge(scenario)
  const listeners = new Set<(state: ConnectionState) => void>()
  return {
    bridge,
    client: {
      ...createBridgeClient(bridge),
      watchConnection(listener) {
        listeners.add(listener)
        listener('connected')
        return () => listeners.delete(listener)
      },
    },
    setConnection(state) {
      for (const listener of listeners) listener(state)
    },
  }
}

/** Lets promises and timers of 0 ms run until nothing is due any more. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 20; round += 1) await new Promise((resolve) => setTimeout(resolve, 0))
}
