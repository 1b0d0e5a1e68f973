// Sends dropped or chosen files to the app where a browser hides their paths.
import { UPLOAD_CHUNK_BYTES } from '../../preload/contract-workbench'
import type { ContractError, Upload } from '../../preload/contract'
import type { Client } from '../api/client'
import { toContractError } from '../api/failure'
import { toBase64 } from '../lib/base64'
import type { NamedFile } from '../lib/dropped-files'

/** How far an upload is. */
export interface UploadProgress {
  readonly name: string
  readonly doneBytes: number
  readonly totalBytes: number
  readonly startedAtMs: number
}

/** One upload at a time. */
export class Uploads {
  #progress = $state.raw<UploadProgress | null>(null)
  #error = $state.raw<ContractError | null>(null)
  readonly #client: Client
  #current: { readonly stop: AbortController; uploadId: string | null } | null = null

  constructor(client: Client) {
    this.#client = client
  }

  get progress(): UploadProgress | null {
    return this.#progress
  }
  get error(): ContractError | null {
    return this.#error
  }

  /** Sends files; null where it failed or was cancelled. */
  async send(files: readonly NamedFile[]): Promise<Upload | null> {
    await this.cancel()
    const current: { stop: AbortController; uploadId: string | null } = { stop: new AbortController(), uploadId: null }
    this.#current = current
    this.#error = null
    const totalBytes = files.reduce((sum, { file }) => sum + file.size, 0)
    const startedAtMs = Date.now()
    let doneBytes = 0
    const tell = (name: string): void => {
      if (this.#current === current) this.#progress = { name, doneBytes, totalBytes, startedAtMs }
    }
    try {
      tell(files[0]?.name ?? '')
      const { uploadId } = await this.#client.call('uploads.begin', {
        files: files.map(({ name, file }) => ({ name, sizeBytes: file.size })),
      })
      current.uploadId = uploadId
      for (const [index, { name, file }] of files.entries()) {
        for (let offsetBytes = 0; offsetBytes < file.size; offsetBytes += UPLOAD_CHUNK_BYTES) {
          if (current.stop.signal.aborted) return null
          const part = file.slice(offsetBytes, offsetBytes + UPLOAD_CHUNK_BYTES)
          await this.#client.call('uploads.write', { uploadId, file: index, offsetBytes, data: await toBase64(part) })
          doneBytes += part.size
          tell(name)
        }
      }
      return current.stop.signal.aborted ? null : await this.#client.call('uploads.finish', { uploadId })
    } catch (thrown) {
      if (!current.stop.signal.aborted) this.#error = toContractError(thrown)
      if (current.uploadId !== null) await this.discard(current.uploadId)
      return null
    } finally {
      if (this.#current === current) {
        this.#current = null
        this.#progress = null
      }
    }
  }

  /** Stops what is being sent and removes it. */
  async cancel(): Promise<void> {
    const current = this.#current
    if (current === null) return
    this.#current = null
    this.#progress = null
    current.stop.abort()
    if (current.uploadId !== null) await this.discard(current.uploadId)
  }

  /** Removes a complete upload. */
  async discard(uploadId: string): Promise<void> {
    // What cannot be removed now is removed at the next start.
    await this.#client.call('uploads.discard', { uploadId }).catch(() => null)
  }

  /** Moves an upload to where models stay. Throws ContractFailure. */
  async keep(uploadId: string): Promise<string> {
    return (await this.#client.call('uploads.keep', { uploadId })).path
  }

  dismissError(): void {
    this.#error = null
  }
}
