// The typed client that state classes hold: calls as promises, streams as async iterables, and the state of the connection under both.
import type { CallInput, CallName, CallOutput, StreamEvent, StreamInput, StreamName } from '../../preload/contract'

/** 'connecting' = not yet up for the first time; 'lost' = it was up, and attempts to reach it go on. */
export type ConnectionState = 'connecting' | 'connected' | 'lost'

/** The host's services, whichever way they are reached. */
export interface Client {
  /** Calls one entry of the contract. Throws ContractFailure. */
  readonly call: <N extends CallName>(name: N, input: CallInput<N>) => Promise<CallOutput<N>>
  /** Opens one stream of the contract; it ends when the host ends it or `signal` aborts. Throws ContractFailure while iterated. */
  readonly stream: <N extends StreamName>(name: N, input: StreamInput<N>, signal: AbortSignal) => AsyncIterable<StreamEvent<N>>
  /** Tells the connection's state now and at every change; returns the unsubscribe function. */
  readonly watchConnection: (listener: (state: ConnectionState) => void) => () => void
  /** Path of a dropped file or folder, or '' where the host cannot know it. */
  readonly pathForFile: (file: File) => string
}
