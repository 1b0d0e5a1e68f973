// Processes that look into checkpoints and convert them: one that is shared and ends when nobody asks, and one for each conversion.
import type { EngineChild, Log } from '../host'
import { EngineProcess, type RequestOptions } from './engine-process'
import type { WorkbenchMethods } from './workbench-protocol'

/** The shared process ends this long after its last answer: it holds names and shapes of every tensor that was looked at. */
const IDLE_MS = 60_000

/** A way to ask a workbench process. Rejects as EngineProcess does. */
type AskWorkbench = <M extends keyof WorkbenchMethods>(
  method: M,
  params: WorkbenchMethods[M]['params'],
  options?: RequestOptions<WorkbenchMethods[M]['event']>,
) => Promise<WorkbenchMethods[M]['value']>

/** The workbench. Dispose ends every process. */
export interface Workbench extends Disposable {
  /** Asks the shared process, which is started when there is none. */
  readonly ask: AskWorkbench
  /** Asks a process of its own, which ends with the answer. */
  readonly askAlone: AskWorkbench
}

/** Makes a workbench without a process. */
export function createWorkbench(options: { readonly fork: () => EngineChild; readonly log: Log }): Workbench {
  const processes = new Set<EngineProcess<WorkbenchMethods>>()
  const listener = { started: () => undefined, crashed: () => undefined }
  const open = (): EngineProcess<WorkbenchMethods> => {
    const child = new EngineProcess<WorkbenchMethods>({ ...options, listener, restarts: false })
    processes.add(child)
    return child
  }
  const shared = open()
  let waiting = 0
  let idle: NodeJS.Timeout | undefined

  return {
    ask: async (method, params, requestOptions) => {
      clearTimeout(idle)
      waiting += 1
      try {
        return await shared.request(method, params, requestOptions)
      } finally {
        waiting -= 1
        if (waiting === 0) idle = setTimeout(() => shared.stop(), IDLE_MS).unref()
      }
    },
    askAlone: async (method, params, requestOptions) => {
      const child = open()
      try {
        return await child.request(method, params, requestOptions)
      } finally {
        child[Symbol.dispose]()
        processes.delete(child)
      }
    },
    [Symbol.dispose]: () => {
      clearTimeout(idle)
      for (const child of processes) child[Symbol.dispose]()
    },
  }
}
