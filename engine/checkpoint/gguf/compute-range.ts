// Bytes of GGUF tensors that are not stored as `read` gives them: dequantized blocks and swapped byte order, made range by range.
import { BLOCK_FORMATS, type BlockType } from '../../tensor/blocks/formats'
import { dequantizeBlocks } from '../../tensor/blocks/dequantize'
import type { ComputeRange } from '../tensor-files'

/** Stored bytes handled at once: the values of this many bytes of two-bit blocks stay below 8 MiB. */
const CHUNK_BYTES = 512 * 1024

interface StoredRange {
  readonly file: string
  readonly offsetBytes: number
}

/** Byte offsets of the U16 fields in a block that big-endian files store swapped, as gguf_convert_endian.py lists them. */
export const BIG_ENDIAN_FIELDS: Readonly<Partial<Record<BlockType, readonly number[]>>> = {
  Q4_0: [0],
  Q8_0: [0],
  Q4_K: [0, 2],
  Q6_K: [208],
  MXFP4: [],
}

function swapFields(bytes: Uint8Array, swap: { readonly fields: readonly number[]; readonly blockBytes: number }): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let start = 0; start < bytes.length; start += swap.blockBytes) {
    for (const field of swap.fields) view.setUint16(start + field, view.getUint16(start + field, false), true)
  }
}

/** Gives ranges of a block tensor as F32. Ranges may start and end anywhere; whole blocks around them are read in chunks. */
export function dequantizedRange(stored: StoredRange & { readonly type: BlockType; readonly littleEndian: boolean }): ComputeRange {
  const { elements, sizeBytes: blockBytes } = BLOCK_FORMATS[stored.type]
  const valueBytes = elements * Float32Array.BYTES_PER_ELEMENT
  const chunkBlocks = Math.floor(CHUNK_BYTES / blockBytes)
  const fields = stored.littleEndian ? [] : (BIG_ENDIAN_FIELDS[stored.type] ?? [])
  return async ({ offsetBytes, sizeBytes, open, signal }) => {
    const result = new Uint8Array(sizeBytes)
    const file = await open(stored.file)
    const endBytes = offsetBytes + sizeBytes
    const endBlock = Math.ceil(endBytes / valueBytes)
    const firstBlock = Math.floor(offsetBytes / valueBytes)
    const values = new Float32Array(Math.min(chunkBlocks, Math.max(endBlock - firstBlock, 0)) * elements)
    const valuesAsBytes = new Uint8Array(values.buffer)
    for (let block = firstBlock; block < endBlock; block += chunkBlocks) {
      const blocks = Math.min(chunkBlocks, endBlock - block)
      const bytes = await file.read({
        offsetBytes: stored.offsetBytes + block * blockBytes,
        sizeBytes: blocks * blockBytes,
        ...(signal && { signal }),
      })
      if (fields.length > 0) swapFields(bytes, { fields, blockBytes })
      dequantizeBlocks(bytes, { type: stored.type, target: values })
      const chunkStart = block * valueBytes
      const from = Math.max(offsetBytes, chunkStart)
      const to = Math.min(endBytes, chunkStart + blocks * valueBytes)
      result.set(valuesAsBytes.subarray(from - chunkStart, to - chunkStart), from - offsetBytes)
    }
    return result
  }
}

/** Gives ranges of a big-endian tensor of `elementBytes`-byte numbers in little-endian order. */
export function swappedRange(stored: StoredRange & { readonly elementBytes: number }): ComputeRange {
  const { elementBytes } = stored
  return async ({ offsetBytes, sizeBytes, open, signal }) => {
    const start = Math.floor(offsetBytes / elementBytes) * elementBytes
    const end = Math.ceil((offsetBytes + sizeBytes) / elementBytes) * elementBytes
    const file = await open(stored.file)
    const bytes = await file.read({ offsetBytes: stored.offsetBytes + start, sizeBytes: end - start, ...(signal && { signal }) })
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (elementBytes === 2) buffer.swap16()
    else if (elementBytes === 4) buffer.swap32()
    else if (elementBytes === 8) buffer.swap64()
    return bytes.subarray(offsetBytes - start, offsetBytes - start + sizeBytes)
  }
}
