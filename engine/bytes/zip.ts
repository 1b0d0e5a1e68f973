// The central directory of a zip archive, checked before anything is read through it. Follows APPNOTE 6.3.10, zip64 included; one disk, no encryption.
import { engineError } from '../errors'
import { createByteCursor, type ByteCursor } from './cursor'
import type { RandomAccessFile } from './random-access-file'

/** 16 times the largest sharded checkpoint saved as one file per tensor. */
const MAX_ENTRIES = 1_000_000
/** A million entries with 100-character names. */
const MAX_DIRECTORY_BYTES = 160 * 1024 * 1024
/** Path names of file systems end at 4,096 bytes. */
const MAX_NAME_BYTES = 4096

const END_BYTES = 22
const MAX_COMMENT_BYTES = 0xffff
const LOCATOR_BYTES = 20
const END64_BYTES = 56
const LOCAL_HEADER_BYTES = 30
const END_SIGNATURE = 0x06054b50
const LOCATOR_SIGNATURE = 0x07064b50
const END64_SIGNATURE = 0x06064b50
const ENTRY_SIGNATURE = 0x02014b50
const IN_ZIP64_32 = 0xffffffff
const IN_ZIP64_16 = 0xffff
const ZIP64_EXTRA = 0x0001
const ENCRYPTED_FLAG = 1

/** One file of an archive. Its data lie between `headerOffsetBytes` and `limitBytes`, behind a local header. */
export interface ZipEntry {
  readonly name: string
  readonly method: 'stored' | 'deflated'
  readonly sizeBytes: number
  readonly compressedBytes: number
  readonly crc32: number
  readonly headerOffsetBytes: number
  /** Where the next entry or the directory starts. */
  readonly limitBytes: number
}

interface DirectoryPlace {
  readonly offsetBytes: number
  readonly sizeBytes: number
  readonly entryCount: number
}

interface Zip64Values {
  sizeBytes: number
  compressedBytes: number
  headerOffsetBytes: number
}

function readZip64Extra(extra: Uint8Array, values: Zip64Values, malformed: (reason: string) => Error): Zip64Values {
  const cursor = createByteCursor(extra, 'a zip extra field')
  while (cursor.remainingBytes() >= 4) {
    const id = cursor.u16()
    const sizeBytes = cursor.u16()
    if (sizeBytes > cursor.remainingBytes()) throw malformed('an extra field is longer than its entry')
    const body = createByteCursor(cursor.bytes(sizeBytes), 'a zip64 field')
    if (id !== ZIP64_EXTRA) continue
    const next = (value: number): number => {
      if (value !== IN_ZIP64_32) return value
      if (body.remainingBytes() < 8) throw malformed('a zip64 field is too short')
      return body.length('a zip64 size')
    }
    return {
      sizeBytes: next(values.sizeBytes),
      compressedBytes: next(values.compressedBytes),
      headerOffsetBytes: next(values.headerOffsetBytes),
    }
  }
  return values
}

/** Names are never used as paths, but a reader that accepts these would call an attack harmless. */
function isUnsafeName(name: string): boolean {
  return name === '' || /^[/\\]|^[a-z]:|\p{Cc}/iu.test(name) || name.split(/[/\\]/).includes('..')
}

function readEntry(cursor: ByteCursor, path: string): Omit<ZipEntry, 'limitBytes'> {
  const malformed = (reason: string) => engineError('bytes/zip-malformed', { path, reason })
  if (cursor.remainingBytes() < 46 || cursor.u32() !== ENTRY_SIGNATURE) throw malformed('its directory ends before its last entry')
  cursor.skip(4)
  const flags = cursor.u16()
  const methodNumber = cursor.u16()
  cursor.skip(4)
  const crc32 = cursor.u32()
  const compressedBytes = cursor.u32()
  const sizeBytes = cursor.u32()
  const nameBytes = cursor.u16()
  const extraBytes = cursor.u16()
  const commentBytes = cursor.u16()
  const disk = cursor.u16()
  cursor.skip(6)
  const headerOffsetBytes = cursor.u32()
  if (nameBytes > MAX_NAME_BYTES)
    throw engineError('bytes/zip-limit', { path, what: 'bytes of a name', found: nameBytes, max: MAX_NAME_BYTES })
  if (cursor.remainingBytes() < nameBytes + extraBytes + commentBytes) throw malformed('an entry is longer than the directory')
  const name = new TextDecoder().decode(cursor.bytes(nameBytes))
  const extra = cursor.bytes(extraBytes)
  cursor.skip(commentBytes)
  const shown = name.slice(0, 200)
  if (isUnsafeName(name)) throw engineError('bytes/zip-unsafe-name', { path, name: shown })
  if ((flags & ENCRYPTED_FLAG) !== 0) throw engineError('bytes/zip-unsupported', { path, name: shown, reason: 'it is encrypted' })
  if (disk !== 0 && disk !== IN_ZIP64_16) throw engineError('bytes/zip-unsupported', { path, name: shown, reason: 'it is on another disk' })
  if (methodNumber !== 0 && methodNumber !== 8) {
    throw engineError('bytes/zip-unsupported', { path, name: shown, reason: `it is compressed with method ${methodNumber}` })
  }
  const method = methodNumber === 0 ? 'stored' : 'deflated'
  const sizes = readZip64Extra(extra, { sizeBytes, compressedBytes, headerOffsetBytes }, malformed)
  if (method === 'stored' && sizes.sizeBytes !== sizes.compressedBytes) throw malformed(`the stored entry ${shown} has two sizes`)
  return { name, method, crc32, ...sizes }
}

async function findEnd64(file: RandomAccessFile, endOffsetBytes: number): Promise<DirectoryPlace & { readonly recordOffsetBytes: number }> {
  const malformed = (reason: string) => engineError('bytes/zip-malformed', { path: file.path, reason })
  if (endOffsetBytes < LOCATOR_BYTES + END64_BYTES) throw malformed('its zip64 record is missing')
  const locator = createByteCursor(
    await file.read({ offsetBytes: endOffsetBytes - LOCATOR_BYTES, sizeBytes: LOCATOR_BYTES }),
    'the zip64 locator',
  )
  if (locator.u32() !== LOCATOR_SIGNATURE) throw malformed('its zip64 record is missing')
  locator.skip(4)
  const recordOffsetBytes = locator.length('the offset of the zip64 record')
  if (recordOffsetBytes > endOffsetBytes - LOCATOR_BYTES - END64_BYTES) throw malformed('its zip64 record lies outside the file')
  const record = createByteCursor(await file.read({ offsetBytes: recordOffsetBytes, sizeBytes: END64_BYTES }), 'the zip64 record')
  if (record.u32() !== END64_SIGNATURE) throw malformed('its zip64 record has no signature')
  const recordBytes = record.length('the size of the zip64 record')
  if (recordOffsetBytes + 12 + recordBytes !== endOffsetBytes - LOCATOR_BYTES) throw malformed('its zip64 record has a wrong size')
  record.skip(12)
  const entriesHere = record.length('the number of entries')
  const entryCount = record.length('the number of entries')
  if (entriesHere !== entryCount) throw malformed('it is spread over several disks')
  const sizeBytes = record.length('the size of the directory')
  return { recordOffsetBytes, entryCount, sizeBytes, offsetBytes: record.length('the offset of the directory') }
}

/** Offset of the end record: the last signature whose comment reaches exactly to the end of the file. */
async function findEnd(file: RandomAccessFile): Promise<{ readonly offsetBytes: number; readonly record: ByteCursor }> {
  const tailBytes = Math.min(file.sizeBytes, END_BYTES + MAX_COMMENT_BYTES)
  const tail = await file.read({ offsetBytes: file.sizeBytes - tailBytes, sizeBytes: tailBytes })
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength)
  for (let index = tailBytes - END_BYTES; index >= 0; index--) {
    if (view.getUint32(index, true) !== END_SIGNATURE || index + END_BYTES + view.getUint16(index + 20, true) !== tailBytes) continue
    const record = createByteCursor(tail.subarray(index + 4, index + END_BYTES), 'the end of the zip directory')
    return { offsetBytes: file.sizeBytes - tailBytes + index, record }
  }
  throw engineError('bytes/zip-truncated', { path: file.path })
}

async function findDirectory(file: RandomAccessFile): Promise<DirectoryPlace> {
  const malformed = (reason: string) => engineError('bytes/zip-malformed', { path: file.path, reason })
  const { offsetBytes: endOffsetBytes, record } = await findEnd(file)
  const disks = [record.u16(), record.u16()]
  const entriesHere = record.u16()
  const entryCount = record.u16()
  const sizeBytes = record.u32()
  const offsetBytes = record.u32()
  const needs64 = entryCount === IN_ZIP64_16 || sizeBytes === IN_ZIP64_32 || offsetBytes === IN_ZIP64_32
  if (!needs64 && (entriesHere !== entryCount || disks.some((disk) => disk !== 0))) throw malformed('it is spread over several disks')
  // PyTorch writes the zip64 record always; where the short record is complete it decides, as in miniz.
  const place = needs64 ? await findEnd64(file, endOffsetBytes) : { offsetBytes, sizeBytes, entryCount }
  if (place.offsetBytes + place.sizeBytes > endOffsetBytes) throw malformed('its directory lies outside the file')
  const gapBytes = endOffsetBytes - place.offsetBytes - place.sizeBytes
  if (gapBytes !== 0) {
    const record64 = await findEnd64(file, endOffsetBytes)
    if (record64.recordOffsetBytes !== place.offsetBytes + place.sizeBytes)
      throw malformed('there is something between its directory and its end')
  }
  return place
}

function checkPlaces(entries: readonly Omit<ZipEntry, 'limitBytes'>[], place: DirectoryPlace, path: string): ReadonlyMap<string, ZipEntry> {
  const result = new Map<string, ZipEntry>()
  const limits = new Map<string, number>()
  const ordered = [...entries].sort((a, b) => a.headerOffsetBytes - b.headerOffsetBytes)
  ordered.forEach((entry, index) => {
    const next = ordered[index + 1]
    const limitBytes = next?.headerOffsetBytes ?? place.offsetBytes
    if (entry.headerOffsetBytes + LOCAL_HEADER_BYTES + entry.compressedBytes > limitBytes) {
      throw engineError('bytes/zip-overlap', { path, name: entry.name.slice(0, 200), other: next?.name.slice(0, 200) ?? 'the directory' })
    }
    limits.set(entry.name, limitBytes)
  })
  for (const entry of entries) {
    if (result.has(entry.name)) throw engineError('bytes/zip-duplicate-name', { path, name: entry.name.slice(0, 200) })
    result.set(entry.name, { ...entry, limitBytes: limits.get(entry.name) ?? place.offsetBytes })
  }
  return result
}

/**
 * Reads and checks the directory of an archive; names map to entries in the directory's order. No entry is read.
 * Throws "bytes/zip-truncated", "bytes/zip-malformed", "bytes/zip-limit", "bytes/zip-unsafe-name", "bytes/zip-duplicate-name", "bytes/zip-overlap",
 * "bytes/zip-unsupported" and what reading throws.
 */
export async function readZipDirectory(
  file: RandomAccessFile,
  options: { readonly signal?: AbortSignal } = {},
): Promise<ReadonlyMap<string, ZipEntry>> {
  const { path } = file
  const place = await findDirectory(file)
  const limit = (what: string, found: number, max: number) => {
    if (found > max) throw engineError('bytes/zip-limit', { path, what, found, max })
  }
  limit('entries', place.entryCount, MAX_ENTRIES)
  limit('bytes of the directory', place.sizeBytes, MAX_DIRECTORY_BYTES)
  const bytes = await file.read({
    offsetBytes: place.offsetBytes,
    sizeBytes: place.sizeBytes,
    ...(options.signal && { signal: options.signal }),
  })
  const cursor = createByteCursor(bytes, 'the zip directory')
  const entries: Omit<ZipEntry, 'limitBytes'>[] = []
  for (let index = 0; index < place.entryCount; index++) entries.push(readEntry(cursor, path))
  if (cursor.remainingBytes() > 0) throw engineError('bytes/zip-malformed', { path, reason: 'its directory holds more than its entries' })
  return checkPlaces(entries, place, path)
}
