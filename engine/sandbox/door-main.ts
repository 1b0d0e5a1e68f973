// The thread beside the engine that owns a restricted child: it writes requests, reads answers, and kills the child that is late or says too much. It sees only its own scope: its text is what runs.
import type * as ChildProcess from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type * as Threads from 'node:worker_threads'

/** How the child is started. `env` is all of its environment. */
interface ChildCommand {
  readonly execPath: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Longest answer that is read. */
  readonly maxAnswerBytes: number
}

/** What the thread is given. `bell` is rung after every answer, for a reader that sleeps. */
export interface DoorData {
  readonly command: ChildCommand
  readonly port: Threads.MessagePort
  readonly bell: Int32Array
}

/** One request; a child is started where none is alive. */
export interface DoorRequest {
  readonly bytes: Uint8Array
  readonly maxMs: number
}

/** The answer, or how the child ended. */
export type DoorAnswer =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | {
      readonly ok: false
      readonly end: 'late' | 'flooded' | 'ended' | 'not-started'
      readonly exitCode: number | null
      readonly said: string
    }

/** The thread's whole program, with the modules it uses. Nothing from outside of this function may be used in it but types. */
export function doorMain({ workerData }: typeof Threads, { spawn }: Pick<typeof ChildProcess, 'spawn'>): void {
  // A thread's data is untyped; whoever starts this one passes DoorData.
  const { command, port, bell } = workerData as DoorData
  const maxSaid = 4096
  let child: ChildProcess.ChildProcessByStdio<Writable, Readable, Readable> | null = null
  let parts: Buffer[] = []
  let heldBytes = 0
  let said = ''
  let timer: NodeJS.Timeout | null = null
  let waiting = false

  const answer = (result: DoorAnswer): void => {
    if (!waiting) return
    waiting = false
    if (timer !== null) clearTimeout(timer)
    port.postMessage(result)
    Atomics.add(bell, 0, 1)
    Atomics.notify(bell, 0)
  }
  const end = (how: 'late' | 'flooded' | 'ended' | 'not-started', exitCode: number | null): void => {
    const ending = child
    child = null
    ending?.kill('SIGKILL')
    answer({ ok: false, end: how, exitCode, said })
  }
  const take = (chunk: Buffer): void => {
    parts.push(chunk)
    heldBytes += chunk.length
    // An answer to no question is as wrong as one that is too long.
    if (!waiting || heldBytes > command.maxAnswerBytes + 4) {
      end('flooded', null)
      return
    }
    if (heldBytes < 4) return
    const first = parts[0]?.length !== undefined && parts[0].length >= 4 ? parts[0] : Buffer.concat(parts)
    const sizeBytes = first.readUInt32LE(0)
    if (sizeBytes > command.maxAnswerBytes || heldBytes > sizeBytes + 4) {
      end('flooded', null)
      return
    }
    if (heldBytes < sizeBytes + 4) return
    const bytes = Buffer.concat(parts).subarray(4)
    parts = []
    heldBytes = 0
    answer({ ok: true, bytes: new Uint8Array(bytes) })
  }
  const start = (): void => {
    parts = []
    heldBytes = 0
    said = ''
    const started = spawn(command.execPath, command.args, { env: command.env, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true })
    child = started
    const mine = (): boolean => child === started
    started.on('error', () => mine() && end('not-started', null))
    started.on('exit', (exitCode) => mine() && end('ended', exitCode))
    started.stdin.on('error', () => undefined)
    started.stdout.on('data', (chunk: Buffer) => mine() && take(chunk))
    started.stderr.on('data', (chunk: Buffer) => {
      if (mine() && said.length < maxSaid) said = (said + chunk.toString('latin1')).slice(0, maxSaid)
    })
  }
  port.on('message', (request: DoorRequest | null) => {
    if (request === null) {
      end('ended', null)
      return
    }
    const { bytes, maxMs } = request
    waiting = true
    if (child === null) start()
    timer = setTimeout(() => end('late', null), maxMs)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(bytes.length)
    child?.stdin.write(length)
    child?.stdin.write(bytes)
  })
  port.on('close', () => end('ended', null))
}
