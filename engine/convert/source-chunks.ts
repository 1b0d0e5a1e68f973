// The tensors of one output file as a sequence of chunks: where to read them, where they go, what they become.
import type { FileLayout } from '../checkpoint/writers/file-layout'
import { DTYPE_BITS } from '../tensor/dtype'
import type { CastTarget } from './cast'
import type { PlannedTensor } from './types'

/** Bytes of the source read at once: large enough for the disk's full speed, small enough that a few of them are no memory to speak of. */
export const CHUNK_BYTES = 8 * 1024 * 1024

/** A part of one tensor. `slot` is its place in the layout; `outOffsetBytes` counts from the start of the file. */
export interface Chunk {
  readonly slot: number
  readonly sourceName: string
  readonly offsetBytes: number
  readonly sizeBytes: number
  readonly outOffsetBytes: number
  readonly cast: { readonly from: PlannedTensor['sourceDtype']; readonly to: CastTarget } | null
}

/** Every chunk of a file in ascending order; an empty tensor has none. `sources` are in the order of the slots. */
export function* sourceChunks(
  layout: FileLayout,
  sources: readonly (PlannedTensor & { readonly cast: CastTarget | null })[],
): Generator<Chunk> {
  for (const [slot, { tensor, offsetBytes: start }] of layout.slots.entries()) {
    const source = sources[slot]
    if (!source) continue
    const { sourceName, sourceDtype } = source
    const cast = source.cast === null ? null : { from: sourceDtype, to: source.cast }
    // Both sizes are whole numbers of elements; chunks are multiples of 8 bytes, so every chunk is too.
    const sourceBytes = cast === null ? tensor.sizeBytes : (tensor.sizeBytes / DTYPE_BITS[tensor.dtype]) * DTYPE_BITS[sourceDtype]
    for (let offsetBytes = 0; offsetBytes < sourceBytes; offsetBytes += CHUNK_BYTES) {
      const outOffsetBytes = start + (offsetBytes / DTYPE_BITS[sourceDtype]) * DTYPE_BITS[cast === null ? sourceDtype : tensor.dtype]
      yield { slot, sourceName, offsetBytes, sizeBytes: Math.min(CHUNK_BYTES, sourceBytes - offsetBytes), outOffsetBytes, cast }
    }
  }
}
