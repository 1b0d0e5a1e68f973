// One door for every request of every window: input checked against the contract, failures turned into contract errors, nothing else let through.
import * as v from 'valibot'
import { calls, streams } from '../preload/contract'
import type { CallName, CallOutput, ContractError, Result, StreamEvent, StreamName } from '../preload/contract'
import type { Log } from './host'
import { contractErrorOf, serviceError } from './service-error'

/** A call's handler: checked input in, answer out; throws ServiceError. */
export type CallHandlers = {
  readonly [N in CallName]: (input: v.InferOutput<(typeof calls)[N]['input']>) => CallOutput<N> | Promise<CallOutput<N>>
}

/** A stream's handler: emits until it resolves, and soon after `signal` aborts. */
export type StreamHandlers = {
  readonly [N in StreamName]: (options: {
    readonly input: v.InferOutput<(typeof streams)[N]['input']>
    readonly emit: (event: StreamEvent<N>) => void
    readonly signal: AbortSignal
  }) => Promise<void>
}

/** Where a stream's events and its one end go. */
export interface Sink {
  readonly event: (event: unknown) => void
  readonly end: (result: Result<null>) => void
}

/** The contract over untrusted names and inputs. Nothing here throws or rejects. */
export interface Dispatch {
  readonly call: (name: string, input: unknown) => Promise<Result<unknown>>
  /** Returns the closer; `sink.end` is called exactly once, also after closing. */
  readonly open: (name: string, input: unknown, sink: Sink) => () => void
}

type CallRunner = (input: unknown) => Promise<unknown>
type StreamRunner = (options: {
  readonly input: unknown
  readonly emit: (event: unknown) => void
  readonly signal: AbortSignal
}) => Promise<void>

/** Binds the handlers to the contract. A missing or wrongly typed handler is a type error. */
export function createDispatch(options: { readonly calls: CallHandlers; readonly streams: StreamHandlers; readonly log: Log }): Dispatch {
  const { log } = options
  const callRunners = new Map<string, CallRunner>(keysOf(calls).map((name) => [name, bindCall(name, calls[name], options.calls[name])]))
  const streamRunners = new Map<string, StreamRunner>(
    keysOf(streams).map((name) => [name, bindStream(name, streams[name], options.streams[name])]),
  )

  async function call(name: string, input: unknown): Promise<Result<unknown>> {
    const run = callRunners.get(name)
    if (run === undefined) return { ok: false, error: failureAsError({ name, failure: unknownCall(name), log }) }
    try {
      return { ok: true, value: await run(input) }
    } catch (failure) {
      return { ok: false, error: failureAsError({ name, failure, log }) }
    }
  }

  function open(name: string, input: unknown, sink: Sink): () => void {
    const closing = new AbortController()
    void runStream(name, input, { sink, signal: closing.signal })
    return () => closing.abort()
  }

  async function runStream(name: string, input: unknown, run: { readonly sink: Sink; readonly signal: AbortSignal }): Promise<void> {
    try {
      const runner = streamRunners.get(name)
      if (runner === undefined) throw unknownCall(name)
      await runner({ input, emit: run.sink.event, signal: run.signal })
    } catch (failure) {
      run.sink.end({ ok: false, error: failureAsError({ name, failure, log }) })
      return
    }
    run.sink.end({ ok: true, value: null })
  }

  return { call, open }
}

/** Any failure as a contract error; what is not ours is logged with its stack and shown as "app/internal". */
function failureAsError(options: { readonly name: string; readonly failure: unknown; readonly log: Log }): ContractError {
  const known = contractErrorOf(options.failure)
  if (known !== null) return known
  const { failure, name } = options
  options.log.error('a request failed unexpectedly', {
    name,
    failure: failure instanceof Error ? (failure.stack ?? String(failure)) : String(failure),
  })
  const { code, message, details } = serviceError('app/internal', { name })
  return { code, message, details }
}

function bindCall<N extends CallName>(name: N, entry: (typeof calls)[N], handle: CallHandlers[N]): CallRunner {
  return async (input) => await handle(check<(typeof calls)[N]['input']>(name, entry.input, input))
}

function bindStream<N extends StreamName>(name: N, entry: (typeof streams)[N], handle: StreamHandlers[N]): StreamRunner {
  return async ({ input, emit, signal }) =>
    await handle({ input: check<(typeof streams)[N]['input']>(name, entry.input, input), emit, signal })
}

function check<S extends v.GenericSchema>(name: string, schema: S, input: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, input)
  if (result.success) return result.output
  const issue = result.issues[0]
  const where = v.getDotPath(issue)
  // The received value is not repeated: it may be a megabyte, and it may be private.
  throw serviceError('app/bad-input', {
    name,
    problem: `${where ?? 'the input'} should be ${issue.expected ?? issue.type}`,
    where: where ?? '',
  })
}

function unknownCall(name: string): Error {
  return serviceError('app/unknown-call', { name: name.slice(0, 100) })
}

function keysOf<T extends object>(table: T): readonly (keyof T & string)[] {
  return Object.keys(table).filter((key): key is keyof T & string => key in table)
}
