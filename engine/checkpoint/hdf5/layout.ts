// Where the data of a dataset lies: layout, filter and fill-value messages (IV.A.2.f, i, l).
import { MESSAGE, type HeaderMessage } from './object-header'
import type { Hdf5Source } from './source'

/** How the chunks of a dataset are found. */
export type ChunkIndex =
  | { readonly kind: 'tree-v1'; readonly address: number | null }
  | { readonly kind: 'single'; readonly address: number | null; readonly sizeBytes: number | null; readonly filterMask: number }
  | { readonly kind: 'implicit'; readonly address: number | null }
  | { readonly kind: 'fixed-array'; readonly address: number | null }
  | { readonly kind: 'tree-v2'; readonly address: number | null }
  | { readonly kind: 'unsupported'; readonly name: string }

/** A dataset's storage; `offsetBytes` null means that nothing was ever written. */
export type Hdf5Layout =
  | { readonly kind: 'contiguous'; readonly offsetBytes: number | null; readonly sizeBytes: number | null }
  | { readonly kind: 'chunked'; readonly chunkShape: readonly number[]; readonly index: ChunkIndex }
  | { readonly kind: 'unsupported'; readonly name: string }

/** One step of the filter pipeline; `values` are its parameters. */
export interface Hdf5Filter {
  readonly id: number
  readonly name: string
  readonly values: readonly number[]
}

/** HDF5 ends at 32 filters (H5Z_MAX_NFILTERS). */
const MAX_FILTERS = 32

function readVersion4Chunks(source: Hdf5Source, message: HeaderMessage): Hdf5Layout {
  const cursor = source.cursor(message.bytes, message.offsetBytes)
  cursor.skip(2)
  const flags = cursor.u8()
  const rank = cursor.u8()
  const width = cursor.u8()
  const dimensions = Array.from({ length: rank }, () => cursor.uint(width))
  const type = cursor.u8()
  // The last dimension is the size of an element.
  const chunkShape = dimensions.slice(0, -1)
  switch (type) {
    case 1: {
      const filtered = (flags & 2) !== 0
      const sizeBytes = filtered ? cursor.size() : null
      const filterMask = filtered ? cursor.u32() : 0
      return { kind: 'chunked', chunkShape, index: { kind: 'single', address: cursor.address(), sizeBytes, filterMask } }
    }
    case 2:
      return { kind: 'chunked', chunkShape, index: { kind: 'implicit', address: cursor.address() } }
    case 3:
      cursor.skip(1)
      return { kind: 'chunked', chunkShape, index: { kind: 'fixed-array', address: cursor.address() } }
    case 5:
      cursor.skip(6)
      return { kind: 'chunked', chunkShape, index: { kind: 'tree-v2', address: cursor.address() } }
    default:
      return {
        kind: 'chunked',
        chunkShape,
        index: { kind: 'unsupported', name: type === 4 ? 'an extensible array of chunks' : `chunk index ${type}` },
      }
  }
}

function readOldLayout(source: Hdf5Source, message: HeaderMessage): Hdf5Layout {
  const cursor = source.cursor(message.bytes, message.offsetBytes)
  cursor.skip(1)
  const rank = cursor.u8()
  const layoutClass = cursor.u8()
  cursor.skip(5)
  const address = layoutClass === 0 ? null : cursor.address()
  const dimensions = Array.from({ length: rank }, () => cursor.u32())
  if (layoutClass === 0) {
    const sizeBytes = cursor.u32()
    return { kind: 'contiguous', offsetBytes: message.offsetBytes + cursor.positionBytes(), sizeBytes }
  }
  if (layoutClass === 1) return { kind: 'contiguous', offsetBytes: address, sizeBytes: null }
  return { kind: 'chunked', chunkShape: dimensions.slice(0, -1), index: { kind: 'tree-v1', address } }
}

/** Reads a layout message. Throws "checkpoint/hdf5-malformed", "bytes/out-of-range". */
export function readLayout(source: Hdf5Source, message: HeaderMessage): Hdf5Layout {
  const cursor = source.cursor(message.bytes, message.offsetBytes)
  const version = cursor.u8()
  if (version === 1 || version === 2) return readOldLayout(source, message)
  if (version !== 3 && version !== 4) throw source.malformed(message.offsetBytes, `a data layout has the unknown version ${version}`)
  const layoutClass = cursor.u8()
  if (layoutClass === 0) {
    const sizeBytes = cursor.u16()
    return { kind: 'contiguous', offsetBytes: message.offsetBytes + cursor.positionBytes(), sizeBytes }
  }
  if (layoutClass === 1) {
    const offsetBytes = cursor.address()
    return { kind: 'contiguous', offsetBytes, sizeBytes: cursor.size() }
  }
  if (layoutClass !== 2) return { kind: 'unsupported', name: layoutClass === 3 ? 'a virtual dataset' : `storage class ${layoutClass}` }
  if (version === 4) return readVersion4Chunks(source, message)
  const rank = cursor.u8()
  const address = cursor.address()
  const dimensions = Array.from({ length: rank }, () => cursor.u32())
  return { kind: 'chunked', chunkShape: dimensions.slice(0, -1), index: { kind: 'tree-v1', address } }
}

/** Reads the filter pipeline in the order in which filters were applied. */
export function readFilters(source: Hdf5Source, message: HeaderMessage): readonly Hdf5Filter[] {
  const cursor = source.cursor(message.bytes, message.offsetBytes)
  const version = cursor.u8()
  const count = cursor.u8()
  if ((version !== 1 && version !== 2) || count > MAX_FILTERS)
    throw source.malformed(message.offsetBytes, `a filter pipeline has version ${version} and ${count} filters`)
  if (version === 1) cursor.skip(6)
  return Array.from({ length: count }, () => {
    const id = cursor.u16()
    const nameBytes = version === 1 || id >= 256 ? cursor.u16() : 0
    cursor.skip(2)
    const valueCount = cursor.u16()
    const paddedBytes = version === 1 ? Math.ceil(nameBytes / 8) * 8 : nameBytes
    const name = new TextDecoder('latin1').decode(cursor.bytes(paddedBytes)).replace(/\0[^]*$/, '')
    const values = Array.from({ length: valueCount }, () => cursor.u32())
    if (version === 1 && valueCount % 2 === 1) cursor.skip(4)
    return { id, name, values }
  })
}

/** The bytes of one element that were never written, or null for zeros. */
export function readFillValue(source: Hdf5Source, messages: readonly HeaderMessage[]): Uint8Array | null {
  const message = messages.find(({ type }) => type === MESSAGE.fillValue) ?? messages.find(({ type }) => type === MESSAGE.oldFillValue)
  if (!message || message.shared) return null
  const cursor = source.cursor(message.bytes, message.offsetBytes)
  if (message.type === MESSAGE.fillValue) {
    const version = cursor.u8()
    if (version === 3) {
      if ((cursor.u8() & 0x20) === 0) return null
    } else {
      cursor.skip(2)
      const defined = cursor.u8()
      if (version === 2 && defined === 0) return null
    }
  }
  const sizeBytes = cursor.u32()
  return sizeBytes === 0 || sizeBytes > cursor.remainingBytes() ? null : cursor.bytes(sizeBytes)
}
