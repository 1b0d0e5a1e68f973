// The whole app without a window: real engine process, real database, the built-in model.
import { join, resolve } from 'node:path'
import { createApp } from '../../../main/app'
import type { App } from '../../../main/app'
import { engineProcessEnv } from '../../../main/engine/worker/environment'
import { forkNode } from '../../../main/hosts/fork-node'
import type { Host } from '../../../main/host'
import type { CallInput, CallName, CallOutput, Result, StreamEvent, StreamInput, StreamName } from '../../../preload/contract'
import { temporaryFolder } from '../../support/temporary-folder'
import type { TemporaryFolder } from '../../support/temporary-folder'
import { bundle } from './bundle'
import { recordingLog } from './recording-log'
import type { RecordingLog } from './recording-log'

/** A stream that is open. */
interface OpenStream<E> {
  readonly events: E[]
  readonly ended: Promise<Result<null>>
  readonly close: () => void
}

/** The app and typed ways to use it. `asyncDispose` closes it and removes its data. */
export interface AppHarness extends AsyncDisposable {
  readonly app: App
  readonly log: RecordingLog
  readonly folder: TemporaryFolder
  readonly call: <N extends CallName>(name: N, input: CallInput<N>) => Promise<Result<CallOutput<N>>>
  readonly value: <N extends CallName>(name: N, input: CallInput<N>) => Promise<CallOutput<N>>
  readonly open: <N extends StreamName>(name: N, input: StreamInput<N>) => OpenStream<StreamEvent<N>>
}

/** Builds the engine process once per test file; `start` makes an app on it, in a fresh data folder or a given one. */
export async function engineBundle(): Promise<{ readonly start: (options?: StartOptions) => Promise<AppHarness> } & Disposable> {
  const built = await bundle({ 'engine-worker': 'main/engine/worker.ts', 'workbench-worker': 'main/engine/worker/workbench/index.ts' })
  return {
    start: async (options = {}) => await startApp(built.file, options),
    [Symbol.dispose]: () => built[Symbol.dispose](),
  }
}

interface StartOptions {
  /** Keeps the data of an earlier app; its owner removes it. */
  readonly folder?: TemporaryFolder
  readonly host?: Partial<Host>
}

async function startApp(workerFile: (name: string) => string, options: StartOptions): Promise<AppHarness> {
  const folder = options.folder ?? temporaryFolder()
  const log = recordingLog()
  const app = await createApp({
    kind: 'web',
    version: '0.0.0-test',
    paths: {
      dataFolder: join(folder.path, 'data'),
      resourcesFolder: resolve(import.meta.dirname, '../../../resources'),
      hfCacheFolder: join(folder.path, 'hub'),
    },
    forkEngine: () => forkNode({ path: workerFile('engine-worker'), env: engineProcessEnv }),
    forkWorkbench: () => forkNode({ path: workerFile('workbench-worker'), env: engineProcessEnv }),
    canDropPaths: false,
    clock: { now: Date.now },
    log,
    ...options.host,
  })
  // The dispatcher answers what the contract declares for the name.
  const call = async <N extends CallName>(name: N, input: CallInput<N>) => (await app.call(name, input)) as Result<CallOutput<N>>
  return {
    app,
    log,
    folder,
    call,
    value: async (name, input) => {
      const result = await call(name, input)
      if (!result.ok) throw new Error(`${name}: ${result.error.code}: ${result.error.message}`)
      return result.value
    },
    open: <N extends StreamName>(name: N, input: StreamInput<N>) => {
      const events: StreamEvent<N>[] = []
      let close = (): void => undefined
      const ended = new Promise<Result<null>>((resolveEnd) => {
        close = app.open(name, input, { event: (event) => void events.push(event as StreamEvent<N>), end: resolveEnd })
      })
      return { events, ended, close: () => close() }
    },
    [Symbol.asyncDispose]: async () => {
      await app.close()
      if (options.folder === undefined) folder[Symbol.dispose]()
    },
  }
}
