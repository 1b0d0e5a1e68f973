// The filters of HDF5 chunks: deflate, shuffle, Fletcher-32, and h5py's LZF.
import { inflateSync } from 'node:zlib'
import type { Hdf5Filter } from './layout'

/** Filters by their registered number. */
const FILTER = { deflate: 1, shuffle: 2, fletcher32: 3, lzf: 32_000 } as const

/** Whether chunks with this filter can be read. */
export function isKnownFilter(filter: Hdf5Filter): boolean {
  return Object.values<number>(FILTER).includes(filter.id)
}

/** Byte planes back to elements; bytes behind the last whole element stay where they are. */
function unshuffle(bytes: Uint8Array, elementBytes: number): Uint8Array {
  // An element larger than the chunk has no planes to go through.
  if (elementBytes < 2 || elementBytes > bytes.length) return bytes
  const count = Math.floor(bytes.length / elementBytes)
  const target = new Uint8Array(bytes)
  for (let plane = 0; plane < elementBytes; plane++) {
    for (let index = 0; index < count; index++) target[index * elementBytes + plane] = bytes[plane * count + index] ?? 0
  }
  return target
}

/** H5_checksum_fletcher32 over big-endian 16-bit words. */
function fletcher32(bytes: Uint8Array): number {
  let low = 0
  let high = 0
  for (let index = 0; index < bytes.length; index += 2) {
    low = (low + (((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0))) % 65_535
    high = (high + low) % 65_535
  }
  return high * 65_536 + low
}

/** Null where the checksum does not match. The library reduces modulo 65,535 in a way that may leave 65,535 for 0. */
function checkFletcher32(bytes: Uint8Array): Uint8Array | null {
  if (bytes.length < 4) return null
  const content = bytes.subarray(0, -4)
  const stored = new DataView(bytes.buffer, bytes.byteOffset + content.length, 4).getUint32(0, true)
  const reduced = ((stored >>> 16) % 65_535) * 65_536 + ((stored & 0xffff) % 65_535)
  return reduced === fletcher32(content) ? content : null
}

/** LibLZF 3.6: literal runs and back references; null where the stream is damaged or longer than `maxBytes`. */
function decompressLzf(bytes: Uint8Array, maxBytes: number): Uint8Array | null {
  const target = new Uint8Array(maxBytes)
  let from = 0
  let to = 0
  while (from < bytes.length) {
    const control = bytes[from++] ?? 0
    if (control < 32) {
      const run = control + 1
      if (from + run > bytes.length || to + run > maxBytes) return null
      target.set(bytes.subarray(from, from + run), to)
      from += run
      to += run
      continue
    }
    let length = control >> 5
    if (length === 7) length += bytes[from++] ?? 0
    const source = to - ((control & 31) << 8) - (bytes[from++] ?? 0) - 1
    if (source < 0 || from > bytes.length || to + length + 2 > maxBytes) return null
    for (let index = 0; index < length + 2; index++) target[to + index] = target[source + index] ?? 0
    to += length + 2
  }
  return target.subarray(0, to)
}

function applyFilter(
  bytes: Uint8Array,
  filter: Hdf5Filter,
  chunk: { readonly elementBytes: number; readonly maxBytes: number },
): Uint8Array | null {
  switch (filter.id) {
    case FILTER.deflate:
      try {
        return inflateSync(bytes, { maxOutputLength: chunk.maxBytes })
      } catch {
        return null
      }
    case FILTER.shuffle:
      return unshuffle(bytes, filter.values[0] ?? chunk.elementBytes)
    case FILTER.fletcher32:
      return checkFletcher32(bytes)
    case FILTER.lzf:
      return decompressLzf(bytes, chunk.maxBytes)
    default:
      return null
  }
}

/** Undoes the pipeline of one chunk; a set bit in `mask` says that the filter was not applied. Null where the chunk is damaged. */
export function decodeChunk(
  stored: Uint8Array,
  pipeline: { readonly filters: readonly Hdf5Filter[]; readonly mask: number; readonly elementBytes: number; readonly chunkBytes: number },
): Uint8Array | null {
  // A checksum adds four bytes between compression and data.
  const limits = { elementBytes: pipeline.elementBytes, maxBytes: pipeline.chunkBytes + 4 }
  let bytes: Uint8Array | null = stored
  for (let index = pipeline.filters.length - 1; index >= 0 && bytes; index--) {
    const filter = pipeline.filters[index]
    if (filter && (pipeline.mask & (1 << index)) === 0) bytes = applyFilter(bytes, filter, limits)
  }
  return bytes?.length === pipeline.chunkBytes ? bytes : null
}
