// A tensor value of either binding: memory, native handle, and a count of the runs that use it, so that disposal never pulls memory from under a run.
import { engineError } from '../../errors'
import type { OrtDtype, OrtValue } from '../ort-types'
import { tensorSizeBytes } from './dtypes'
import { releaseBytes } from './memory'

/** What a value is made of. */
export interface ValueParts<Handle> {
  readonly dtype: OrtDtype
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
  readonly handle: Handle
  readonly freeHandle: (handle: Handle) => void
  /** The value whose memory this one shows a part of. */
  readonly memoryOf?: Value<Handle>
}

/** The first bytes of a value, as many as the shape takes. Throws "runtime/bad-shape". */
export function viewedBytes(of: OrtValue, options: { readonly dtype: OrtDtype; readonly shape: readonly number[] }): Uint8Array {
  const sizeBytes = tensorSizeBytes(options)
  if (sizeBytes > of.bytes.byteLength) throw engineError('runtime/bad-shape', { shape: [...options.shape] })
  return of.bytes.subarray(0, sizeBytes)
}

/** One tensor value. Disposing it while a run uses it takes effect when the run has ended. */
export class Value<Handle> implements OrtValue {
  readonly dtype: OrtDtype
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
  readonly #parts: ValueParts<Handle>
  #runs = 0
  #disposed = false

  constructor(parts: ValueParts<Handle>) {
    this.dtype = parts.dtype
    this.shape = parts.shape
    this.bytes = parts.bytes
    this.#parts = parts
  }

  /** The native handle, kept valid until `release`. Throws "runtime/disposed". */
  hold(): Handle {
    if (this.#disposed) throw engineError('runtime/disposed', { what: 'A tensor value' })
    this.#parts.memoryOf?.hold()
    this.#runs += 1
    return this.#parts.handle
  }

  /** Ends one `hold`. */
  release(): void {
    this.#runs -= 1
    this.#parts.memoryOf?.release()
    if (this.#disposed && this.#runs === 0) this.#free()
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return
    this.#disposed = true
    if (this.#runs === 0) this.#free()
  }

  #free(): void {
    this.#parts.freeHandle(this.#parts.handle)
    if (this.#parts.memoryOf === undefined) releaseBytes(this.bytes)
  }
}
