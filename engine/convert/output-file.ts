// A file being written at known places and read back: every write is complete or throws a code that says why.
import { open, type FileHandle } from 'node:fs/promises'
import { engineError } from '../errors'
import { freeDiskBytes } from './destination'

/** The code of a failed system call. */
export function systemCode(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
}

/** The engine's error for a failed write: "convert/disk-full" when there is no room, else "convert/write-failed". */
export async function writeError(path: string, options: { readonly cause: unknown; readonly neededBytes: number }): Promise<Error> {
  const { cause, neededBytes } = options
  const reason = systemCode(cause)
  if (reason !== 'ENOSPC' && reason !== 'EDQUOT') return engineError('convert/write-failed', { path, reason }, cause)
  return engineError('convert/disk-full', { path, neededBytes, freeBytes: await freeDiskBytes(path) }, cause)
}

/** The error of a file that does not hold what was written. */
export function mismatch(path: string, details: { readonly tensor: string | null; readonly reason: string }): Error {
  return engineError('convert/verification-failed', { path, ...details })
}

/** The disk is set to work when this much is written, so that little is left to wait for at the end. */
const FLUSH_BYTES = 64 * 1024 * 1024

/** An open output file. Dispose closes it; what was written stays. */
export class OutputFile implements AsyncDisposable {
  readonly path: string
  readonly #handle: FileHandle
  #unflushedBytes = 0
  #flushing: Promise<void> | null = null
  #flushFailure: { readonly cause: unknown } | null = null

  private constructor(path: string, handle: FileHandle) {
    this.path = path
    this.#handle = handle
  }

  /** Opens `path` for writing (emptying it) or only for reading. Throws "convert/write-failed", "convert/disk-full". */
  static async open(path: string, mode: 'write' | 'read'): Promise<OutputFile> {
    try {
      return new OutputFile(path, await open(path, mode === 'write' ? 'w+' : 'r'))
    } catch (cause) {
      throw await writeError(path, { cause, neededBytes: 0 })
    }
  }

  /** For threads of this process; valid until dispose. */
  get descriptor(): number {
    return this.#handle.fd
  }

  /** Writes all bytes at an offset. Throws as `open` does. */
  async write(bytes: Uint8Array, offsetBytes: number): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, offsetBytes + done)
        done += bytesWritten
      }
    } catch (cause) {
      throw await writeError(this.path, { cause, neededBytes: bytes.length })
    }
  }

  /** Fills `target` from an offset; false where the file ends before. */
  async read(target: Uint8Array, offsetBytes: number): Promise<boolean> {
    for (let done = 0; done < target.length;) {
      const { bytesRead } = await this.#handle.read(target, done, target.length - done, offsetBytes + done)
      if (bytesRead === 0) return false
      done += bytesRead
    }
    return true
  }

  /** Size in bytes now. */
  async size(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  /** Counts written bytes and sets the disk to work on them while more are coming; a failure is thrown by `sync`. */
  flushSoon(sizeBytes: number): void {
    this.#unflushedBytes += sizeBytes
    if (this.#flushing || this.#unflushedBytes < FLUSH_BYTES) return
    this.#unflushedBytes = 0
    this.#flushing = this.#handle.datasync().then(
      () => {
        this.#flushing = null
      },
      (cause: unknown) => {
        // The system reports a lost write once: the last sync would not know of it.
        this.#flushFailure ??= { cause }
        this.#flushing = null
      },
    )
  }

  /** Waits until the data has reached the disk. Throws as `open` does. */
  async sync(): Promise<void> {
    await this.#flushing
    try {
      if (this.#flushFailure) throw this.#flushFailure.cause
      await this.#handle.datasync()
    } catch (cause) {
      throw await writeError(this.path, { cause, neededBytes: 0 })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#flushing
    await this.#handle.close()
  }
}
