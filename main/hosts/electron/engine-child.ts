// Forks the engine as Electron's utility process; allowed only after the app is ready.
import { utilityProcess } from 'electron'
import type { EngineChild } from '../../host'

/** Starts the worker at `path` with `env` added to this process's environment. */
export function forkUtilityProcess(options: { readonly path: string; readonly env: Readonly<Record<string, string>> }): EngineChild {
  const child = utilityProcess.fork(options.path, [], {
    serviceName: 'Weightroom engine',
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...options.env },
  })
  return {
    get pid() {
      return child.pid
    },
    postMessage: (message) => child.postMessage(message),
    onMessage: (listener) => {
      child.on('message', listener)
    },
    onExit: (listener) => {
      // Electron reports only a code: a signal's death shows as a code above 128 or a platform status.
      child.once('exit', (exitCode) => listener({ exitCode, signal: null }))
    },
    onStderr: (listener) => {
      child.stderr?.on('data', (chunk: Buffer) => listener(chunk.toString('utf8')))
    },
    kill: () => {
      child.kill()
    },
  }
}
