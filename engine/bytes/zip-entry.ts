// The data of one zip entry: where stored data lie, and inflating with a limit on what comes out. Follows APPNOTE 6.3.10 and RFC 1951.
import { pipeline } from 'node:stream/promises'
import { crc32, createInflateRaw } from 'node:zlib'
import { EngineError, engineError } from '../errors'
import { createByteCursor } from './cursor'
import type { RandomAccessFile } from './random-access-file'
import type { ZipEntry } from './zip'

const LOCAL_HEADER_BYTES = 30
const LOCAL_SIGNATURE = 0x04034b50

/** Inflate makes at most 1,032 bytes of one; what is not tensor data does not come near this. */
const MAX_EXPANSION = 200
/** Small entries may shrink as they like. */
const EXPANSION_FREE_BYTES = 1024 * 1024
/** Compressed bytes read at a time. */
const CHUNK_BYTES = 256 * 1024

interface EntryPlace {
  readonly file: RandomAccessFile
  readonly entry: ZipEntry
}

/** Where an entry's data start in the file. Throws "bytes/zip-malformed", "bytes/zip-overlap" where its local header contradicts the directory. */
export async function zipDataOffset({ file, entry }: EntryPlace): Promise<number> {
  const { path } = file
  const name = entry.name.slice(0, 200)
  const header = createByteCursor(
    await file.read({ offsetBytes: entry.headerOffsetBytes, sizeBytes: LOCAL_HEADER_BYTES }),
    `the header of ${name}`,
  )
  if (header.u32() !== LOCAL_SIGNATURE) throw engineError('bytes/zip-malformed', { path, reason: `${name} has no local header` })
  header.skip(4)
  const method = header.u16()
  if (method !== (entry.method === 'stored' ? 0 : 8)) {
    throw engineError('bytes/zip-malformed', { path, reason: `the directory and the header of ${name} name different compressions` })
  }
  header.skip(16)
  const nameBytes = header.u16()
  const extraBytes = header.u16()
  const offsetBytes = entry.headerOffsetBytes + LOCAL_HEADER_BYTES + nameBytes + extraBytes
  if (offsetBytes + entry.compressedBytes > entry.limitBytes)
    throw engineError('bytes/zip-overlap', { path, name, other: 'what follows it' })
  const localName = await file.read({ offsetBytes: entry.headerOffsetBytes + LOCAL_HEADER_BYTES, sizeBytes: nameBytes })
  if (new TextDecoder().decode(localName) !== entry.name) {
    throw engineError('bytes/zip-malformed', { path, reason: `the directory and the header of ${name} name different files` })
  }
  return offsetBytes
}

/** Inflates an entry from its start and keeps the bytes from `offsetBytes` on; memory is what is asked for and one chunk. */
async function inflateRange(
  { file, entry }: EntryPlace,
  range: { readonly offsetBytes: number; readonly sizeBytes: number; readonly signal?: AbortSignal },
): Promise<Uint8Array> {
  const { path } = file
  const malformed = (reason: string, cause?: unknown) =>
    engineError('bytes/zip-malformed', { path, reason: `${entry.name.slice(0, 200)} ${reason}` }, cause)
  const dataOffsetBytes = await zipDataOffset({ file, entry })
  const target = new Uint8Array(range.sizeBytes)
  const endBytes = range.offsetBytes + range.sizeBytes
  let doneBytes = 0
  /** Set by the collector, which stops as soon as the range is there. */
  const progress = { isComplete: false }
  async function* compressed(): AsyncGenerator<Uint8Array> {
    for (let start = 0; start < entry.compressedBytes; start += CHUNK_BYTES) {
      const sizeBytes = Math.min(CHUNK_BYTES, entry.compressedBytes - start)
      yield await file.read({ offsetBytes: dataOffsetBytes + start, sizeBytes, ...(range.signal && { signal: range.signal }) })
    }
  }
  const collect = async (pieces: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const piece of pieces) {
      const from = Math.max(range.offsetBytes - doneBytes, 0)
      const to = Math.min(endBytes - doneBytes, piece.length)
      if (from < to) target.set(piece.subarray(from, to), doneBytes + from - range.offsetBytes)
      doneBytes += piece.length
      if (doneBytes > entry.sizeBytes) throw malformed('inflates to more than its size')
      progress.isComplete = doneBytes >= endBytes && endBytes < entry.sizeBytes
      if (progress.isComplete) return
    }
  }
  try {
    await pipeline(compressed, createInflateRaw(), collect)
  } catch (cause) {
    // The rest of the entry is left unread, which the pipeline reports as a premature end.
    if (progress.isComplete) return target
    if (cause instanceof EngineError) throw cause
    throw malformed('is not valid deflate data', cause)
  }
  if (doneBytes < endBytes) throw malformed('inflates to less than its size')
  return target
}

/** Reads a part of an entry, which for a deflated one inflates everything before it too. Throws "bytes/short-read", "bytes/zip-malformed", "bytes/zip-overlap". */
export async function readZipEntryRange(
  place: EntryPlace,
  range: { readonly offsetBytes: number; readonly sizeBytes: number; readonly signal?: AbortSignal },
): Promise<Uint8Array> {
  const { file, entry } = place
  const { offsetBytes, sizeBytes, signal } = range
  if (offsetBytes < 0 || offsetBytes + sizeBytes > entry.sizeBytes) {
    const gotBytes = Math.max(0, entry.sizeBytes - offsetBytes)
    throw engineError('bytes/short-read', { path: file.path, offsetBytes, askedBytes: sizeBytes, gotBytes })
  }
  if (sizeBytes === 0) return new Uint8Array(0)
  if (entry.method === 'deflated') return inflateRange(place, range)
  return file.read({ offsetBytes: (await zipDataOffset(place)) + offsetBytes, sizeBytes, ...(signal && { signal }) })
}

/**
 * Reads a whole entry of at most `maxBytes` and compares its checksum, unless the writer is known to leave it out.
 * Throws "bytes/zip-limit", "bytes/zip-bomb" before inflating, "bytes/zip-checksum" and what readZipEntryRange throws.
 */
export async function readZipEntry(
  place: EntryPlace,
  options: { readonly maxBytes: number; readonly checksum?: 'ignored'; readonly signal?: AbortSignal },
): Promise<Uint8Array> {
  const { path } = place.file
  const { sizeBytes, compressedBytes } = place.entry
  const name = place.entry.name.slice(0, 200)
  if (place.entry.method === 'deflated' && sizeBytes > EXPANSION_FREE_BYTES && sizeBytes > compressedBytes * MAX_EXPANSION) {
    throw engineError('bytes/zip-bomb', { path, name, sizeBytes, compressedBytes })
  }
  if (sizeBytes > options.maxBytes) {
    throw engineError('bytes/zip-limit', { path, what: `bytes of ${name}`, found: sizeBytes, max: options.maxBytes })
  }
  const bytes = await readZipEntryRange(place, { offsetBytes: 0, sizeBytes, ...(options.signal && { signal: options.signal }) })
  if (options.checksum !== 'ignored' && crc32(bytes) !== place.entry.crc32) throw engineError('bytes/zip-checksum', { path, name })
  return bytes
}
