// Ranges of tensors that can only be made as a whole: the latest one is kept, so that reading in chunks makes it once.
import type { RandomAccessFile } from '../bytes/random-access-file'
import type { ComputeRange } from './tensor-files'

/** Makes all bytes of one tensor, packed and little-endian. */
export type MakeTensor = (context: {
  readonly open: (path: string) => Promise<RandomAccessFile>
  readonly signal?: AbortSignal
}) => Promise<Uint8Array>

/** Makes the `computed` entries of one checkpoint; at most one tensor is held, until its last byte was read or another one is asked for. */
export function createWholeTensors(): (sizeBytes: number, make: MakeTensor) => ComputeRange {
  let held: { readonly make: MakeTensor; readonly bytes: Promise<Uint8Array> } | null = null
  return (totalBytes, make) =>
    async ({ offsetBytes, sizeBytes, open, signal }) => {
      const context = { open, ...(signal && { signal }) }
      if (sizeBytes === totalBytes) return make(context)
      if (sizeBytes === 0) return new Uint8Array()
      if (held?.make !== make) held = { make, bytes: make(context) }
      const current = held
      try {
        const bytes = await current.bytes
        if (offsetBytes + sizeBytes === totalBytes && held === current) held = null
        return bytes.slice(offsetBytes, offsetBytes + sizeBytes)
      } catch (cause) {
        // A failed or cancelled attempt must not stick.
        if (held === current) held = null
        throw cause
      }
    }
}
