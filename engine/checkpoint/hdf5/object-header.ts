// Object headers: the messages that describe a group or a dataset (IV.A).
import type { Hdf5Cursor, Hdf5Source } from './source'

/** Message types that are read (IV.A.2). */
export const MESSAGE = {
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  oldFillValue: 0x04,
  fillValue: 0x05,
  link: 0x06,
  layout: 0x08,
  filters: 0x0b,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const

/** One message; `offsetBytes` is where its content lies in the file. */
export interface HeaderMessage {
  readonly type: number
  readonly bytes: Uint8Array
  readonly offsetBytes: number
  readonly shared: boolean
}

/** Chunks of one header: each holds at least a message, and real headers have a handful. */
const MAX_CHUNKS = 1024
/** The count of version 1 headers has 16 bits. */
const MAX_MESSAGES = 65_536

interface Chunk {
  readonly offsetBytes: number
  readonly sizeBytes: number
}

interface MessageFormat {
  readonly version: 1 | 2
  readonly hasCreationOrder: boolean
}

function readMessages(
  source: Hdf5Source,
  bytes: Uint8Array,
  chunk: { readonly offsetBytes: number; readonly format: MessageFormat },
): HeaderMessage[] {
  const { offsetBytes, format } = chunk
  const cursor = source.cursor(bytes, offsetBytes)
  const headBytes = format.version === 1 ? 8 : format.hasCreationOrder ? 6 : 4
  const messages: HeaderMessage[] = []
  // Fewer bytes than a message head are a gap.
  while (cursor.remainingBytes() >= headBytes) {
    const type = format.version === 1 ? cursor.u16() : cursor.u8()
    const sizeBytes = cursor.u16()
    const flags = cursor.u8()
    cursor.skip(headBytes - (format.version === 1 ? 5 : 4))
    const position = cursor.positionBytes()
    const shared = (flags & 2) !== 0
    messages.push({ type, bytes: cursor.bytes(sizeBytes), offsetBytes: offsetBytes + position, shared })
  }
  return messages
}

/** The first chunk and how messages are written in it. */
async function readPrefix(source: Hdf5Source, address: number): Promise<{ readonly chunk: Chunk; readonly format: MessageFormat }> {
  const available = Math.min(64, source.file.sizeBytes - address)
  const cursor: Hdf5Cursor = source.cursor(await source.read(address, available), address)
  const version = cursor.u8()
  if (version === 1) {
    cursor.skip(7)
    const sizeBytes = cursor.u32()
    return { chunk: { offsetBytes: address + 16, sizeBytes }, format: { version: 1, hasCreationOrder: false } }
  }
  // "OHDR": its first letter was just read.
  if (version !== 0x4f) throw source.malformed(address, `an object header has the unknown version ${version}`)
  cursor.signature('HDR')
  const second = cursor.u8()
  if (second !== 2) throw source.malformed(address, `an object header has the unknown version ${second}`)
  const flags = cursor.u8()
  if (flags & 0x20) cursor.skip(16)
  if (flags & 0x10) cursor.skip(4)
  const sizeBytes = cursor.uint(1 << (flags & 3))
  const offsetBytes = address + cursor.positionBytes()
  return { chunk: { offsetBytes, sizeBytes }, format: { version: 2, hasCreationOrder: (flags & 4) !== 0 } }
}

/** Reads all messages of the object header at `address`, following its continuations. Throws "checkpoint/hdf5-malformed". */
export async function readObjectHeader(source: Hdf5Source, address: number): Promise<readonly HeaderMessage[]> {
  const { chunk, format } = await readPrefix(source, address)
  const messages = readMessages(source, await source.read(chunk.offsetBytes, chunk.sizeBytes), { offsetBytes: chunk.offsetBytes, format })
  const seen = new Set<number>([chunk.offsetBytes])
  // The list grows while it is walked: a continuation may hold further ones.
  for (const message of messages) {
    if (messages.length > MAX_MESSAGES) throw source.malformed(address, `an object header has more than ${MAX_MESSAGES} messages`)
    if (message.type !== MESSAGE.continuation) continue
    const cursor = source.cursor(message.bytes, message.offsetBytes)
    const offsetBytes = cursor.address()
    const sizeBytes = cursor.size()
    if (offsetBytes === null) throw source.malformed(message.offsetBytes, 'a continuation has no address')
    if (seen.has(offsetBytes) || seen.size >= MAX_CHUNKS)
      throw source.malformed(offsetBytes, 'the continuations of an object header do not end')
    seen.add(offsetBytes)
    if (format.version === 2) {
      if (sizeBytes < 8) throw source.malformed(offsetBytes, 'a continuation is too short')
      source.cursor(await source.read(offsetBytes, 4), offsetBytes).signature('OCHK')
    }
    // Version 2 has a signature before and a checksum behind the messages.
    const start = format.version === 2 ? offsetBytes + 4 : offsetBytes
    const content = format.version === 2 ? sizeBytes - 8 : sizeBytes
    messages.push(...readMessages(source, await source.read(start, content), { offsetBytes: start, format }))
  }
  return messages
}

/** The address that a shared message points to, or null where it lies in a heap of the file (IV.A.2 "Shared Message"). */
export function sharedAddress(source: Hdf5Source, message: HeaderMessage): number | null {
  const cursor = source.cursor(message.bytes, message.offsetBytes)
  const version = cursor.u8()
  const type = cursor.u8()
  if (version === 1) cursor.skip(6)
  if (version === 3 && type === 1) return null
  return cursor.address()
}
