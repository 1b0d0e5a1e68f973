// Writes a safetensors file piece by piece (safetensors 0.8: u64 header length, JSON header, then the data without gaps) under a temporary name, renamed when complete.
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { cliError } from './cli-error'

/** A tensor to be written; its bytes follow in the order of the list. */
export interface TensorSlot {
  readonly name: string
  readonly dtype: 'F32' | 'I64'
  readonly shape: readonly number[]
}

const ELEMENT_BYTES = { F32: 4, I64: 8 } as const
/** Data begins at a multiple of this, as the reference writer aligns it. */
const HEADER_ALIGNMENT = 8

/** The header with its length in front. */
function encodeHeader(slots: readonly TensorSlot[]): Uint8Array {
  let offset = 0
  const entries = slots.map(({ name, dtype, shape }) => {
    const begin = offset
    offset += shape.reduce((product, size) => product * size, ELEMENT_BYTES[dtype])
    return [name, { dtype, shape, data_offsets: [begin, offset] }] as const
  })
  const json = JSON.stringify(Object.fromEntries(entries))
  const padded = Buffer.from(json.padEnd(Math.ceil(json.length / HEADER_ALIGNMENT) * HEADER_ALIGNMENT))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(padded.length))
  return Buffer.concat([length, padded])
}

/** A safetensors file being written; dispose without `commit` leaves nothing behind. */
export class TensorFileWriter implements AsyncDisposable {
  readonly #path: string
  readonly #temporaryPath: string
  readonly #file: FileHandle
  #open = true

  private constructor(paths: { readonly path: string; readonly temporaryPath: string }, file: FileHandle) {
    this.#path = paths.path
    this.#temporaryPath = paths.temporaryPath
    this.#file = file
  }

  /** Starts a file at `path` with the header for `slots`. Throws "cli/not-writable". */
  static async create(path: string, slots: readonly TensorSlot[]): Promise<TensorFileWriter> {
    // In the same folder, so that the rename stays within one file system.
    const temporaryPath = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`)
    const file = await open(temporaryPath, 'wx').catch((cause: unknown) => {
      throw notWritable(path, cause)
    })
    const writer = new TensorFileWriter({ path, temporaryPath }, file)
    try {
      await writer.write(encodeHeader(slots))
      return writer
    } catch (cause) {
      await writer[Symbol.asyncDispose]()
      throw cause
    }
  }

  /** Appends bytes of the data, little-endian as on every machine we run on. Throws "cli/not-writable". */
  async write(data: Uint8Array | Float32Array | BigInt64Array): Promise<void> {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    try {
      for (let written = 0; written < bytes.length;) {
        const { bytesWritten } = await this.#file.write(bytes, written, bytes.length - written)
        written += bytesWritten
      }
    } catch (cause) {
      throw notWritable(this.#path, cause)
    }
  }

  /** Gives the complete file its name, in place of an older one. Throws "cli/not-writable". */
  async commit(): Promise<void> {
    try {
      await this.#file.sync()
      await this.#file.close()
      this.#open = false
      await rename(this.#temporaryPath, this.#path)
    } catch (cause) {
      throw notWritable(this.#path, cause)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#open) await this.#file.close()
    this.#open = false
    await rm(this.#temporaryPath, { force: true })
  }
}

function notWritable(path: string, cause: unknown): Error {
  return cliError(
    'cli/not-writable',
    { path, reason: cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause) },
    cause,
  )
}
