// Reader of the sorted string table that a TensorFlow V2 .index file is. Follows leveldb/doc/table_format.md and tensorflow/core/lib/io/{format,block}.cc.
import type { RandomAccessFile } from '../../bytes/random-access-file'
import { engineError, type EngineError } from '../../errors'
import { crc32c, maskCrc } from './crc32c'
import { decompressSnappy } from './snappy'
import { readVarint } from './varint'

/** One key and its value; both are views that stay valid. */
export interface TableEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Two handles of at most 20 bytes each, padded, then the magic. */
const FOOTER_BYTES = 48
const MAGIC = 0xdb4775248b80fb57n
/** Compression byte and masked CRC-32C behind every block. */
const TRAILER_BYTES = 5

/** TensorFlow cuts blocks at 256 KiB; a single entry with many slices may be larger, but never this large. */
const MAX_BLOCK_BYTES = 64 * 1024 * 1024
/** All blocks together, decompressed: snappy expands up to 21 times, and an index of a million tensors has 150 MB. */
const MAX_TABLE_BYTES = 512 * 1024 * 1024
/** The largest public checkpoints have some 100,000 variables with their optimizer slots. */
const MAX_TABLE_ENTRIES = 2_000_000

interface BlockHandle {
  readonly offsetBytes: number
  readonly sizeBytes: number
}

function malformed(file: RandomAccessFile, reason: string): EngineError {
  return engineError('checkpoint/tensorflow-malformed', { path: file.path, reason })
}

function readHandle(bytes: Uint8Array, start: number): { readonly handle: BlockHandle; readonly end: number } | null {
  const offset = readVarint(bytes, start)
  const size = offset && readVarint(bytes, offset.end)
  return offset && size && { handle: { offsetBytes: offset.value, sizeBytes: size.value }, end: size.end }
}

async function readBlock(file: RandomAccessFile, handle: BlockHandle, signal?: AbortSignal): Promise<Uint8Array> {
  const { offsetBytes, sizeBytes } = handle
  if (offsetBytes + sizeBytes + TRAILER_BYTES > file.sizeBytes - FOOTER_BYTES)
    throw malformed(file, `a block of ${sizeBytes} bytes at ${offsetBytes} does not fit the file of ${file.sizeBytes}`)
  if (sizeBytes > MAX_BLOCK_BYTES)
    throw engineError('checkpoint/tensorflow-block-too-large', { path: file.path, sizeBytes, maxBytes: MAX_BLOCK_BYTES })
  const bytes = await file.read({ offsetBytes, sizeBytes: sizeBytes + TRAILER_BYTES, ...(signal && { signal }) })
  const stored = new DataView(bytes.buffer).getUint32(sizeBytes + 1, true)
  if (maskCrc(crc32c(bytes.subarray(0, sizeBytes + 1))) !== stored) {
    throw engineError('checkpoint/tensorflow-checksum', { path: file.path, offsetBytes })
  }
  const content = bytes.subarray(0, sizeBytes)
  const compression = bytes[sizeBytes]
  if (compression === 0) return content
  if (compression !== 1) throw malformed(file, `the block at ${offsetBytes} has the unknown compression ${compression}`)
  const result = decompressSnappy(content, MAX_BLOCK_BYTES)
  if (result instanceof Uint8Array) return result
  if (result.failure === 'too-large')
    throw engineError('checkpoint/tensorflow-block-too-large', { path: file.path, sizeBytes: result.sizeBytes, maxBytes: MAX_BLOCK_BYTES })
  throw malformed(file, `the compressed block at ${offsetBytes} is damaged`)
}

/** Entries share a prefix with the one before them; the restart array at the end only serves binary search, but it must be sane. */
function* blockEntries(block: Uint8Array, file: RandomAccessFile): Generator<TableEntry, void, undefined> {
  if (block.length < 4) throw malformed(file, 'a block has no restart points')
  const restarts = new DataView(block.buffer, block.byteOffset, block.byteLength).getUint32(block.length - 4, true)
  const end = block.length - 4 - restarts * 4
  if (restarts === 0 || end < 0) throw malformed(file, `a block of ${block.length} bytes announces ${restarts} restart points`)
  let key = new Uint8Array()
  let position = 0
  while (position < end) {
    const shared = readVarint(block, position)
    const unshared = shared && readVarint(block, shared.end)
    const length = unshared && readVarint(block, unshared.end)
    if (!shared || !unshared || !length) throw malformed(file, 'an entry is cut off')
    if (shared.value > key.length || length.end + unshared.value + length.value > end) throw malformed(file, 'an entry leaves its block')
    const next = new Uint8Array(shared.value + unshared.value)
    next.set(key.subarray(0, shared.value))
    next.set(block.subarray(length.end, length.end + unshared.value), shared.value)
    key = next
    position = length.end + unshared.value + length.value
    yield { key, value: block.subarray(length.end + unshared.value, position) }
  }
}

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

async function readFooter(file: RandomAccessFile, signal?: AbortSignal): Promise<BlockHandle> {
  if (file.sizeBytes < FOOTER_BYTES) throw malformed(file, `${file.sizeBytes} bytes are too few for a footer`)
  const footer = await file.read({ offsetBytes: file.sizeBytes - FOOTER_BYTES, sizeBytes: FOOTER_BYTES, ...(signal && { signal }) })
  if (new DataView(footer.buffer).getBigUint64(FOOTER_BYTES - 8, true) !== MAGIC)
    throw malformed(file, 'the footer has no table magic; the file is cut off or of another kind')
  const metaindex = readHandle(footer, 0)
  const index = metaindex && readHandle(footer, metaindex.end)
  if (!index) throw malformed(file, 'the footer is damaged')
  return index.handle
}

/**
 * Yields the entries of a table in key order; every block's checksum is verified.
 * Throws "checkpoint/tensorflow-malformed", "checkpoint/tensorflow-checksum", "checkpoint/tensorflow-block-too-large", "checkpoint/tensorflow-index-too-large".
 */
export async function* tableEntries(file: RandomAccessFile, signal?: AbortSignal): AsyncGenerator<TableEntry, void, undefined> {
  const index = await readBlock(file, await readFooter(file, signal), signal)
  let previous: Uint8Array | null = null
  let blockEnd = 0
  let totalBytes = 0
  let count = 0
  for (const { value } of blockEntries(index, file)) {
    const block = readHandle(value, 0)
    if (!block) throw malformed(file, 'a block handle is damaged')
    // Blocks lie one after the other; a block used twice would multiply the work of a small file.
    if (block.handle.offsetBytes < blockEnd) throw malformed(file, 'blocks overlap')
    blockEnd = block.handle.offsetBytes + block.handle.sizeBytes + TRAILER_BYTES
    const content = await readBlock(file, block.handle, signal)
    totalBytes += content.length
    if (totalBytes > MAX_TABLE_BYTES)
      throw engineError('checkpoint/tensorflow-index-too-large', { path: file.path, what: 'bytes', max: MAX_TABLE_BYTES })
    for (const entry of blockEntries(content, file)) {
      if (++count > MAX_TABLE_ENTRIES)
        throw engineError('checkpoint/tensorflow-index-too-large', { path: file.path, what: 'entries', max: MAX_TABLE_ENTRIES })
      if (previous && compareBytes(previous, entry.key) >= 0) throw malformed(file, 'the keys are not in ascending order')
      previous = entry.key
      yield entry
    }
  }
}
