// The file of prepared weights: a page of header, the entries' parts at their places, and an index of them at the end.
import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { parseJson } from '../bytes/json'
import { engineError } from '../errors'
import { nbitsLayout } from '../tensor/nbits/layout'
import { HEADER_BYTES } from './placement'
import type { PlacedEntry } from './types'
import type { WrittenChunk } from './write-entries'
import { writeAt } from './write-at'

/** First bytes of every prepared file; the digits are the layout's version. */
const MAGIC = 'WROOMP01'
/** An index has about 300 bytes an entry; the largest models have some 60,000 matrices. */
const MAX_INDEX_BYTES = 128 * 1024 * 1024
/** Bytes of magic, index offset, index size and the index's SHA-256. */
const HEADER_USED_BYTES = 8 + 8 + 8 + 32
const READ_BYTES = 4 * 1024 * 1024

/** What the index says for people and for checks. */
export interface PreparedIndex {
  /** What the file was made from and how, for lists. */
  readonly model: string
  readonly format: string
  /** SHA-256 of the entries with their places. */
  readonly entriesDigest: string
  readonly entries: number
}

/** SHA-256 over names, sources, forms and places: equal digests mean equal files. */
export function digestEntries(entries: readonly PlacedEntry[]): string {
  return createHash('sha256').update(JSON.stringify(entries)).digest('hex')
}

/** Writes the index behind the data and then the header, which makes the file one. */
export async function writeIndex(
  handle: FileHandle,
  options: { readonly path: string; readonly endBytes: number; readonly index: PreparedIndex },
): Promise<void> {
  const { path, endBytes, index } = options
  const bytes = Buffer.from(JSON.stringify(index))
  await writeAt(handle, bytes, { path, offsetBytes: endBytes })
  const header = Buffer.alloc(HEADER_BYTES)
  header.write(MAGIC, 'latin1')
  header.writeBigUInt64LE(BigInt(endBytes), 8)
  header.writeBigUInt64LE(BigInt(bytes.length), 16)
  createHash('sha256').update(bytes).digest().copy(header, 24)
  await writeAt(handle, header, { path, offsetBytes: 0 })
}

/** The index of a prepared file, or null where it is not one, not complete, or not whole. */
export async function readIndex(path: string): Promise<PreparedIndex | null> {
  const handle = await open(path, 'r').catch(() => null)
  if (handle === null) return null
  try {
    const header = Buffer.alloc(HEADER_USED_BYTES)
    const { bytesRead } = await handle.read(header, 0, header.length, 0)
    if (bytesRead < header.length || header.toString('latin1', 0, 8) !== MAGIC) return null
    const offset = Number(header.readBigUInt64LE(8))
    const size = Number(header.readBigUInt64LE(16))
    const { size: fileBytes } = await handle.stat()
    if (size > MAX_INDEX_BYTES || offset + size !== fileBytes) return null
    const bytes = Buffer.alloc(size)
    await handle.read(bytes, 0, size, offset)
    if (!createHash('sha256').update(bytes).digest().equals(header.subarray(24, 56))) return null
    const index: unknown = parseJson(bytes, path)
    return isIndex(index) ? index : null
  } catch {
    // Whatever cannot be read is made anew.
    return null
  } finally {
    await handle.close()
  }
}

function isIndex(value: unknown): value is PreparedIndex {
  return (
    typeof value === 'object' &&
    value !== null &&
    'model' in value &&
    typeof value.model === 'string' &&
    'format' in value &&
    typeof value.format === 'string' &&
    'entriesDigest' in value &&
    typeof value.entriesDigest === 'string' &&
    'entries' in value &&
    typeof value.entries === 'number'
  )
}

/** Reads an entry back and compares it with what was written, chunk by chunk. */
export async function verifyEntry(
  handle: FileHandle,
  options: { readonly entry: PlacedEntry; readonly chunks: readonly WrittenChunk[]; readonly signal?: AbortSignal },
): Promise<boolean> {
  const { entry, chunks, signal } = options
  const { form, source } = entry
  const layout = form.kind === 'f32' ? null : nbitsLayout(source.shape, form.format)
  const rowBytes = [layout?.codeRowBytes ?? source.shape.columns * 4, layout?.scaleRowBytes ?? 0, layout?.zeroPointRowBytes ?? 0]
  if (chunks.reduce((rows, chunk) => rows + chunk.rows, 0) !== source.shape.rows) return false
  for (const [part, range] of [entry.codes, entry.scales, entry.zeroPoints].entries()) {
    if (range === null) continue
    let offsetBytes = range.offsetBytes
    for (const chunk of chunks) {
      if (signal?.aborted === true) throw engineError('runtime/aborted', { what: 'Preparing the weights' })
      const sizeBytes = chunk.rows * (rowBytes[part] ?? 0)
      if ((await crcOf(handle, { offsetBytes, sizeBytes })) !== chunk.crcs[part]) return false
      offsetBytes += sizeBytes
    }
  }
  return true
}

async function crcOf(handle: FileHandle, range: { readonly offsetBytes: number; readonly sizeBytes: number }): Promise<number | null> {
  const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, range.sizeBytes))
  let crc = 0
  for (let done = 0; done < range.sizeBytes;) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, range.sizeBytes - done), range.offsetBytes + done)
    if (bytesRead === 0) return null
    crc = crc32(buffer.subarray(0, bytesRead), crc)
    done += bytesRead
  }
  return crc
}
