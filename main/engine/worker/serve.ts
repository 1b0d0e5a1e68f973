// Answers the app's requests in the engine process: one handler per method, cancel by id, failures as contract errors.
import { EngineError } from '../../../engine/errors'
import type { ContractError } from '../../../preload/contract'
import { contractErrorOf } from '../../service-error'
import { isToEngine } from '../protocol'
import type { EngineMethod, EngineMethods, EngineRequest, FromEngine } from '../protocol'
import { plainDetails } from './plain-details'
import type { WorkerPort } from './port'

/** Handlers of all methods. An abort of `signal` is the app's cancel. */
export type EngineHandlers = {
  readonly [M in EngineMethod]: (call: {
    readonly params: EngineMethods[M]['params']
    readonly emit: (event: EngineMethods[M]['event']) => void
    readonly signal: AbortSignal
  }) => Promise<EngineMethods[M]['value']>
}

/** Serves until the process ends; says hello once. */
export function serveEngine(port: WorkerPort, handlers: EngineHandlers): void {
  const running = new Map<number, AbortController>()
  const post = (message: FromEngine): void => port.post(message)

  async function run<M extends EngineMethod>(id: number, method: M, params: EngineMethods[M]['params']): Promise<void> {
    const cancel = new AbortController()
    running.set(id, cancel)
    try {
      const value = await handlers[method]({ params, signal: cancel.signal, emit: (event) => post({ kind: 'event', id, event }) })
      post({ kind: 'done', id, value })
    } catch (failure) {
      post({ kind: 'failed', id, error: failureOf(failure, { method, aborted: cancel.signal.aborted }) })
    } finally {
      running.delete(id)
    }
  }

  port.onMessage((message) => {
    if (!isToEngine(message)) return
    if (message.kind === 'cancel') running.get(message.id)?.abort()
    else void start(message)
  })

  // The union is taken apart by method, so that each call's params keep their type.
  function start(request: EngineRequest): Promise<void> {
    switch (request.method) {
      case 'load':
        return run(request.id, request.method, request.params)
      case 'generate':
        return run(request.id, request.method, request.params)
      case 'countTokens':
        return run(request.id, request.method, request.params)
      case 'plan':
        return run(request.id, request.method, request.params)
      case 'describe':
        return run(request.id, request.method, request.params)
      case 'unload':
        return run(request.id, request.method, request.params)
      case 'memory':
        return run(request.id, request.method, request.params)
    }
  }

  post({ kind: 'hello' })
}

/** The engine's and our own errors keep their code; details are made plain so that they can be cloned. */
function failureOf(failure: unknown, context: { readonly method: EngineMethod; readonly aborted: boolean }): ContractError {
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
