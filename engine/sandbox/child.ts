// A child process for programs that are not trusted: started with Node's permission model, no environment, no code from strings and a small heap; asked through a thread, so that the engine can wait for an answer.
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { doorMain, type DoorAnswer, type DoorData, type DoorRequest } from './door-main'
import serveFrames from './restricted-child.js?raw'

/** What a restricted child is made of. */
export interface RestrictedProgram {
  /** JavaScript that defines functions only, and `createHandler`, an expression for the one that serveFrames is given. */
  readonly text: string
  readonly createHandler: string
  /** The only folder that the child may read. */
  readonly readableFolder: string
  readonly maxHeapMegabytes: number
  readonly maxAnswerBytes: number
}

/** A restricted child, started at its first request and again at the first one after it ended. One request at a time. Dispose kills it. */
export interface RestrictedChild extends Disposable {
  readonly ask: (request: DoorRequest) => Promise<DoorAnswer>
  /** The same, blocking this thread: for interfaces that cannot wait, and short requests. */
  readonly askNow: (request: DoorRequest) => DoorAnswer
  /** Ends the child; the next request starts another. */
  readonly kill: () => void
}

/** What the thread may take on top of a request's own limit before it is given up itself. */
const DOOR_GRACE_MS = 10_000

/** `--permission` came out of its experiment with Node 23.5. */
const permissionFlag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission'

/** Makes the thread; the child follows with the first request. */
export function createRestrictedChild(program: RestrictedProgram): RestrictedChild {
  const channel = new MessageChannel()
  const port = channel.port1
  const bell = new Int32Array(new SharedArrayBuffer(4))
  const data: DoorData = {
    command: {
      execPath: process.execPath,
      args: [
        permissionFlag,
        `--allow-fs-read=${program.readableFolder}`,
        '--disallow-code-generation-from-strings',
        `--max-old-space-size=${program.maxHeapMegabytes}`,
        '--no-warnings',
        '-e',
        `'use strict'\n{\n${serveFrames}\n${program.text}\n_serveFrames(require, ${program.createHandler})\n}`,
        program.readableFolder,
      ],
      // Electron runs as Node where this is set; nothing else of the environment is passed on.
      env: process.versions['electron'] === undefined ? {} : { ELECTRON_RUN_AS_NODE: '1' },
      maxAnswerBytes: program.maxAnswerBytes,
    },
    port: channel.port2,
    bell,
  }
  const code = `(${doorMain.toString()})(require('node:worker_threads'), require('node:child_process'))`
  const worker = new Worker(code, { eval: true, workerData: data, transferList: [channel.port2], env: {} })
  worker.unref()
  port.unref()

  return {
    ask: (request) =>
      new Promise((resolve) => {
        port.ref()
        port.once('message', (answer: DoorAnswer) => {
          port.unref()
          resolve(answer)
        })
        port.postMessage(request)
      }),
    askNow: (request) => {
      const deadlineMs = performance.now() + request.maxMs + DOOR_GRACE_MS
      port.postMessage(request)
      for (;;) {
        // Looked at before the port: a bell that rings in between makes the wait return at once.
        const rung = Atomics.load(bell, 0)
        const received = receiveMessageOnPort(port)
        // Only a DoorAnswer is ever posted.
        if (received !== undefined) return received.message as DoorAnswer
        const restMs = deadlineMs - performance.now()
        if (restMs <= 0) return { ok: false, end: 'late', exitCode: null, said: '' }
        Atomics.wait(bell, 0, rung, restMs)
      }
    },
    kill: () => port.postMessage(null),
    [Symbol.dispose]: () => {
      port.close()
      void worker.terminate()
    },
  }
}
