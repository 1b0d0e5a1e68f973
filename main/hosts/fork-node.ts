// The engine process on plain Node: child_process.fork with structured clone, used by the browser host and the command line.
import { fork } from 'node:child_process'
import type { EngineChild, EngineExit } from '../host'

/** Forks the module at `path` with `env` added to this process's environment. The child is expected to end when its channel closes. */
export function forkNode({ path, env }: { readonly path: string; readonly env: Readonly<Record<string, string>> }): EngineChild {
  const child = fork(path, [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, ...env },
    // A debugger's port or an import hook of ours is not the child's.
    execArgv: [],
  })
  let isOver = false
  const exitListeners: ((exit: EngineExit) => void)[] = []
  const end = (exit: EngineExit): void => {
    if (isOver) return
    isOver = true
    for (const listener of exitListeners) listener(exit)
  }
  child.on('exit', (exitCode, signal) => end({ exitCode, signal }))
  // Emitted too for a message that missed a dying child; its exit is told by the event above.
  child.on('error', () => {
    if (child.pid === undefined) end({ exitCode: null, signal: null })
  })
  child.stderr?.setEncoding('utf8')
  return {
    get pid() {
      return child.pid
    },
    postMessage: (message) => {
      if (child.connected && isSerializable(message)) child.send(message, () => undefined)
    },
    onMessage: (listener) => void child.on('message', listener),
    onExit: (listener) => void exitListeners.push(listener),
    onStderr: (listener) => void child.stderr?.on('data', (text: string) => listener(text)),
    kill: () => void child.kill('SIGKILL'),
  }
}

/** Every message of the protocol is a plain object. */
function isSerializable(message: unknown): message is object {
  return typeof message === 'object' && message !== null
}
