// One tensor on its way into an output file, as a sequence of chunks: where to read them, where they go.
import type { FileLayout } from '../checkpoint/writers/file-layout'
import { storedBits } from './cast'
import { DTYPE_BITS } from '../tensor/dtype'
import type { PlannedTensor } from './types'

/** Bytes of the source read at once: large enough for the disk's full speed, small enough that a few of them are no memory to speak of. */
export const CHUNK_BYTES = 8 * 1024 * 1024

/** A part of one tensor. `outOffsetBytes` counts from the start of the output file. */
export interface Chunk {
  readonly offsetBytes: number
  readonly sizeBytes: number
  readonly outOffsetBytes: number
  readonly isFirst: boolean
  readonly isLast: boolean
}

/** Every chunk of a tensor in ascending order; an empty tensor has one empty chunk. */
export function* sourceChunks({ tensor, offsetBytes: start }: FileLayout['slots'][number], source: PlannedTensor): Generator<Chunk> {
  // Both sizes are whole numbers of elements and blocks of 32; chunks are multiples of 1024 bytes, so every chunk is too.
  const bitsOut = storedBits(tensor.dtype)
  const bitsIn = DTYPE_BITS[source.sourceDtype]
  const sourceBytes = (tensor.sizeBytes * bitsIn) / bitsOut
  let offsetBytes = 0
  do {
    const sizeBytes = Math.min(CHUNK_BYTES, sourceBytes - offsetBytes)
    const outOffsetBytes = start + (offsetBytes * bitsOut) / bitsIn
    yield { offsetBytes, sizeBytes, outOffsetBytes, isFirst: offsetBytes === 0, isLast: offsetBytes + sizeBytes === sourceBytes }
    offsetBytes += sizeBytes
  } while (offsetBytes < sourceBytes)
}
