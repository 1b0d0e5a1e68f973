// Answers the app's requests in the engine process: one handler per method, cancel by id, failures as contract errors.
import { EngineError } from '../../../engine/errors'
import type { ContractError } from '../../../preload/contract'
import { contractErrorOf } from '../../service-error'
import { isToEngine } from '../protocol'
import type { EngineMethods, FromEngine, MethodTable } from '../protocol'
import { plainDetails } from './plain-details'
import type { WorkerPort } from './port'

/** Handlers of all methods of a table. An abort of `signal` is the app's cancel. */
export type Handlers<T extends MethodTable<T>> = {
  readonly [M in keyof T]: (call: {
    readonly params: T[M]['params']
    readonly emit: (event: T[M]['event']) => void
    readonly signal: AbortSignal
  }) => Promise<T[M]['value']>
}

/** Handlers of the engine process. */
export type EngineHandlers = Handlers<EngineMethods>

/** Serves until the process ends; says hello once. */
export function serveEngine<T extends MethodTable<T>>(port: WorkerPort, handlers: Handlers<T>): void {
  const running = new Map<number, AbortController>()
  const post = (message: FromEngine): void => port.post(message)
  const isMethod = (method: PropertyKey): method is keyof T => Object.hasOwn(handlers, method)

  async function run<M extends keyof T>(id: number, method: M, params: T[M]['params']): Promise<void> {
    const cancel = new AbortController()
    running.set(id, cancel)
    try {
      const value = await handlers[method]({ params, signal: cancel.signal, emit: (event) => post({ kind: 'event', id, event }) })
      post({ kind: 'done', id, value })
    } catch (failure) {
      post({ kind: 'failed', id, error: failureOf(failure, { method: String(method), aborted: cancel.signal.aborted }) })
    } finally {
      running.delete(id)
    }
  }

  port.onMessage((message) => {
    if (!isToEngine(message)) return
    if (message.kind === 'cancel') running.get(message.id)?.abort()
    // The app sends what the table declares for the method.
    else if (isMethod(message.method)) void run(message.id, message.method, message.params)
  })

  post({ kind: 'hello' })
}

/** The engine's and our own errors keep their code; details are made plain so that they can be cloned. */
function failureOf(failure: unknown, context: { readonly method: string; readonly aborted: boolean }): ContractError {
  if (context.aborted) return { code: 'engine/cancelled', message: 'It was cancelled.', details: {} }
  if (failure instanceof EngineError) return { code: failure.code, message: failure.message, details: plainDetails(failure.details) }
  const known = contractErrorOf(failure)
  if (known !== null) return known
  process.stderr.write(`${context.method} failed: ${failure instanceof Error ? (failure.stack ?? failure.message) : String(failure)}\n`)
  return {
    code: 'app/internal',
    message: 'Something went wrong inside the engine. The details are in the log.',
    details: { name: `engine.${context.method}` },
  }
}
