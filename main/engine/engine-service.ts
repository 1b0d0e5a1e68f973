// The engine as the app sees it: one model at a time, a state that windows can watch, loading on demand.
import type { EngineState, LoadedModelInfo } from '../../preload/contract'
import type { EngineChild, Log } from '../host'
import { contractErrorOf, serviceError } from '../service-error'
import { EngineProcess } from './engine-process'
import type { RequestOptions } from './engine-process'
import type { EngineMethod, EngineMethods, LoadParams } from './protocol'

/** A library model and how to load it. */
export interface ModelTarget extends LoadParams {
  readonly modelId: string
  readonly name: string
}

/** Starts the engine process and keeps the state of the model it holds. */
export interface EngineService extends Disposable {
  readonly state: () => EngineState
  /** Calls the listener on every change; returns the unsubscriber. */
  readonly watch: (listener: (state: EngineState) => void) => () => void
  /** Loads a model in place of the present one. A load of another model that is under way is given up ("engine/cancelled"). */
  readonly load: (target: ModelTarget) => Promise<LoadedModelInfo>
  readonly unload: () => Promise<void>
  readonly request: <M extends EngineMethod>(
    method: M,
    params: EngineMethods[M]['params'],
    options?: RequestOptions<EngineMethods[M]['event']>,
  ) => Promise<EngineMethods[M]['value']>
  /** Directory of the loaded model, null while there is none. */
  readonly loadedPath: () => string | null
  /** Process id of the engine process, undefined while there is none. */
  readonly pid: () => number | undefined
}

interface Loading {
  readonly target: ModelTarget
  readonly giveUp: AbortController
  readonly info: Promise<LoadedModelInfo>
}

/** Starts the engine process at once. */
export function createEngineService(options: { readonly fork: () => EngineChild; readonly log: Log }): EngineService {
  const { fork, log } = options
  let state: EngineState = { status: 'starting' }
  let loaded: { readonly target: ModelTarget; readonly info: LoadedModelInfo } | null = null
  let loading: Loading | null = null
  const listeners = new Set<(state: EngineState) => void>()

  function change(next: EngineState): void {
    state = next
    for (const listener of [...listeners]) listener(next)
  }

  const child = new EngineProcess<EngineMethods>({
    restarts: true,
    fork,
    log,
    listener: {
      started: () => {
        if (state.status === 'starting') change({ status: 'idle' })
      },
      crashed: (error) => {
        const modelId = loading?.target.modelId ?? loaded?.target.modelId ?? (state.status === 'crashed' ? state.modelId : null)
        loaded = null
        change({ status: 'crashed', modelId, error: { code: error.code, message: error.message, details: error.details } })
      },
    },
  })

  async function runLoad(target: ModelTarget, giveUp: AbortController): Promise<LoadedModelInfo> {
    const { modelId, name, ...params } = target
    change({ status: 'loading', modelId, stage: 'start', fraction: 0 })
    loaded = null
    try {
      const model = await child.request('load', params, {
        signal: giveUp.signal,
        onEvent: ({ stage, fraction }) => {
          if (!giveUp.signal.aborted) change({ status: 'loading', modelId, stage, fraction })
        },
      })
      const info: LoadedModelInfo = { modelId, name, ...model }
      if (giveUp.signal.aborted) throw serviceError('engine/cancelled', {})
      loaded = { target, info }
      change({ status: 'ready', model: info })
      return info
    } catch (failure) {
      const error = contractErrorOf(failure)
      if (error?.code !== 'engine/crashed' && !giveUp.signal.aborted) {
        change({ status: 'failed', modelId, error: error ?? { code: 'app/internal', message: String(failure), details: {} } })
      }
      throw failure
    }
  }

  function load(target: ModelTarget): Promise<LoadedModelInfo> {
    if (loading !== null && !loading.giveUp.signal.aborted && isSameTarget(loading.target, target)) return loading.info
    if (loading === null && loaded !== null && isSameTarget(loaded.target, target)) return Promise.resolve(loaded.info)
    loading?.giveUp.abort()
    const giveUp = new AbortController()
    const info = runLoad(target, giveUp)
    const mine: Loading = { target, giveUp, info }
    loading = mine
    const done = (): void => {
      if (loading === mine) loading = null
    }
    info.then(done, done)
    return info
  }

  async function unload(): Promise<void> {
    loading?.giveUp.abort()
    await child.request('unload', {})
    loaded = null
    change({ status: 'idle' })
  }

  try {
    child.start()
  } catch (failure) {
    const error = contractErrorOf(failure) ?? { code: 'app/internal', message: String(failure), details: {} }
    change({ status: 'crashed', modelId: null, error })
  }

  return {
    state: () => state,
    watch: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    load,
    unload,
    request: (method, params, requestOptions) => child.request(method, params, requestOptions),
    loadedPath: () => loaded?.target.path ?? null,
    pid: () => child.pid,
    [Symbol.dispose]: () => {
      listeners.clear()
      child[Symbol.dispose]()
    },
  }
}

function isSameTarget(a: ModelTarget, b: ModelTarget): boolean {
  return (
    a.modelId === b.modelId &&
    a.path === b.path &&
    a.threads === b.threads &&
    a.contextLength === b.contextLength &&
    a.weightFormat === b.weightFormat &&
    JSON.stringify(a.formatOverrides) === JSON.stringify(b.formatOverrides)
  )
}
