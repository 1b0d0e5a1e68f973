// ONNX Runtime through its C API: the runtime, its values and how a session is created.
import { engineError } from '../../errors'
import type { OrtRuntime, OrtSession, OrtSessionOptions } from '../ort-types'
import { isAborted } from './abort'
import { addressOf, callAsync, check, keepAlive, openLibrary, type OrtLibrary, outPointer } from './c-api-library'
import { createCApiSession } from './c-api-session'
import { type CApiValues, createValues } from './c-api-values'
import { sessionConfigEntries } from './config-entries'

const EXECUTION_MODE_SEQUENTIAL = 0
const OPTIMIZATION_ALL = 99

/** The runtime over the library at a path; call once per process. Throws "runtime/ort-unavailable", "runtime/ort-failed". */
export function createCApiRuntime(libraryPath: string): OrtRuntime {
  const library = openLibrary(libraryPath)
  const values = createValues(library)
  return {
    kind: 'c-api',
    version: library.version,
    executionProviders: library.executionProviders,
    cancellable: true,
    allocate: values.allocate,
    view: values.view,
    createSession: (options) => createSession({ library, values, options }),
  }
}

async function createSession(options: {
  readonly library: OrtLibrary
  readonly values: CApiValues
  readonly options: OrtSessionOptions
}): Promise<OrtSession> {
  const { library, values } = options
  const { model, signal } = options.options
  const { api } = library
  if (isAborted(signal)) throw engineError('runtime/aborted', { what: 'Loading the graph' })
  const sessionOptions = createSessionOptions(library, options.options)
  const cancel = (): void => check(api, 'Cancelling', api.SessionOptionsSetLoadCancellationFlag(sessionOptions, true))
  signal?.addEventListener('abort', cancel)
  const out = new BigUint64Array(1)
  try {
    const status = await callAsync((done) => {
      api.CreateSessionFromArray.async(library.env, addressOf(model), model.byteLength, sessionOptions, addressOf(out), done)
    })
    const aborted = isAborted(signal)
    if (aborted && status === null) api.ReleaseSession.async(out[0] ?? 0n, () => undefined)
    if (aborted && status !== null) api.ReleaseStatus(status)
    if (aborted) throw engineError('runtime/aborted', { what: 'Loading the graph' })
    check(api, 'Loading the graph', status)
    return createCApiSession({ library, values, handle: out[0] ?? 0n })
  } finally {
    signal?.removeEventListener('abort', cancel)
    api.ReleaseSessionOptions(sessionOptions)
    keepAlive(model)
  }
}

function createSessionOptions({ api }: OrtLibrary, options: OrtSessionOptions): bigint {
  const what = 'Setting session options'
  const handle = outPointer(api, what, (out) => api.CreateSessionOptions(out))
  try {
    check(api, what, api.SetSessionExecutionMode(handle, EXECUTION_MODE_SEQUENTIAL))
    check(api, what, api.SetSessionGraphOptimizationLevel(handle, OPTIMIZATION_ALL))
    check(api, what, api.SetIntraOpNumThreads(handle, options.intraOpNumThreads))
    check(api, what, api.SetInterOpNumThreads(handle, 1))
    for (const [key, value] of Object.entries(sessionConfigEntries(options))) {
      check(api, what, api.AddSessionConfigEntry(handle, key, value))
    }
    return handle
  } catch (error) {
    api.ReleaseSessionOptions(handle)
    throw error
  }
}
