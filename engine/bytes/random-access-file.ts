// Positional reads of a file that may be far larger than memory: every read returns all bytes asked for or throws.
import { close, closeSync, constants, fstat, open, read, type Stats } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { promisify } from 'node:util'
import { engineError } from '../errors'

const openAsync = promisify(open)
const closeAsync = promisify(close)
const fstatAsync: (descriptor: number) => Promise<Stats> = promisify(fstat)

/** One system call reads at most this much, so that a cancel is noticed between calls (and Node's own limit of 2 GiB is kept). */
const MAX_CALL_BYTES = 64 * 1024 * 1024

/** Buffers end at 4 GiB on the oldest supported Node; whoever reads that much at once should read in ranges. */
export const MAX_READ_BYTES = 2 ** 32 - 1

/** A byte range to read. */
export interface ReadRange {
  readonly offsetBytes: number
  readonly sizeBytes: number
  readonly signal?: AbortSignal
}

/** An open regular file. `path` is its real path, `sizeBytes` its size when it was opened. Dispose closes it once running reads have ended. */
export class RandomAccessFile implements Disposable {
  readonly path: string
  readonly sizeBytes: number
  #descriptor: number | null
  #readsRunning = 0
  #disposed = false

  constructor(file: { readonly descriptor: number; readonly path: string; readonly sizeBytes: number }) {
    this.#descriptor = file.descriptor
    this.path = file.path
    this.sizeBytes = file.sizeBytes
  }

  /** Reads exactly `sizeBytes` bytes. Throws "bytes/short-read", "bytes/unreadable", "runtime/aborted". */
  async read(range: ReadRange): Promise<Uint8Array> {
    const { offsetBytes, sizeBytes } = range
    // Asking for more than the file held at opening must not allocate first: sizes come from hostile headers.
    if (offsetBytes + sizeBytes > this.sizeBytes || sizeBytes > MAX_READ_BYTES) {
      const gotBytes = Math.max(0, Math.min(this.sizeBytes - offsetBytes, sizeBytes, MAX_READ_BYTES))
      throw engineError('bytes/short-read', { path: this.path, offsetBytes, askedBytes: sizeBytes, gotBytes })
    }
    const target = new Uint8Array(sizeBytes)
    await this.readInto(target, range)
    return target
  }

  /** Fills `target` from `offsetBytes` on. Throws as `read` does. */
  async readInto(target: Uint8Array, range: { readonly offsetBytes: number; readonly signal?: AbortSignal }): Promise<void> {
    const { offsetBytes, signal } = range
    let gotBytes = 0
    this.#readsRunning++
    try {
      while (gotBytes < target.length) {
        if (signal?.aborted) throw engineError('runtime/aborted', { what: `Reading ${this.path}` })
        const callBytes = Math.min(target.length - gotBytes, MAX_CALL_BYTES)
        const count = await this.#readOnce(target, { start: gotBytes, callBytes, offsetBytes: offsetBytes + gotBytes })
        if (count === 0) throw engineError('bytes/short-read', { path: this.path, offsetBytes, askedBytes: target.length, gotBytes })
        gotBytes += count
      }
    } finally {
      this.#readsRunning--
      if (this.#disposed && this.#readsRunning === 0) this.#close()
    }
  }

  [Symbol.dispose](): void {
    this.#disposed = true
    // Closing under a running read would let the descriptor number be reused for another file.
    if (this.#readsRunning === 0) this.#close()
  }

  #readOnce(
    target: Uint8Array,
    call: { readonly start: number; readonly callBytes: number; readonly offsetBytes: number },
  ): Promise<number> {
    const descriptor = this.#descriptor
    if (descriptor === null || this.#disposed) {
      throw engineError('bytes/unreadable', { path: this.path, reason: 'the file has been closed' })
    }
    return new Promise((resolve, reject) => {
      read(descriptor, target, call.start, call.callBytes, call.offsetBytes, (error, count) => {
        if (error) reject(engineError('bytes/unreadable', { path: this.path, reason: error.message }, error))
        else resolve(count)
      })
    })
  }

  #close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor)
    this.#descriptor = null
  }
}

function isNodeError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error
}

/** The engine's error for a failed file operation: "bytes/not-found" for a missing path, else "bytes/unreadable". */
export function fileError(path: string, cause: unknown): Error {
  if (isNodeError(cause) && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')) return engineError('bytes/not-found', { path }, cause)
  return engineError('bytes/unreadable', { path, reason: cause instanceof Error ? cause.message : String(cause) }, cause)
}

/**
 * Opens a regular file for positional reads, following symlinks (the Hugging Face cache is made of them).
 * Throws "bytes/not-found", "bytes/not-a-regular-file" (folder, pipe, device), "bytes/unreadable".
 */
export async function openRandomAccessFile(path: string): Promise<RandomAccessFile> {
  // Without O_NONBLOCK opening a named pipe waits for a writer forever. Windows has no such flag.
  const flags = process.platform === 'win32' ? constants.O_RDONLY : constants.O_RDONLY | constants.O_NONBLOCK
  let descriptor: number
  let real: string
  try {
    real = await realpath(path)
    descriptor = await openAsync(real, flags)
  } catch (cause) {
    throw fileError(path, cause)
  }
  try {
    const stats = await fstatAsync(descriptor)
    if (!stats.isFile()) throw engineError('bytes/not-a-regular-file', { path })
    return new RandomAccessFile({ descriptor, path: real, sizeBytes: stats.size })
  } catch (error) {
    await closeAsync(descriptor)
    throw error
  }
}
