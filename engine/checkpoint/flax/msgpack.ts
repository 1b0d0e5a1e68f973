// One MessagePack value after the other, with large contents left where they lie. Follows github.com/msgpack/msgpack spec.md (2017-08-09).
import { engineError } from '../../errors'
import type { ForwardReader } from './forward-reader'

/** The head of a value; contents of maps and arrays follow as values, those of `bytes` and `extension` lie in the file. */
export type MsgpackValue =
  | { readonly kind: 'scalar'; readonly value: null | boolean | number | bigint }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'bytes'; readonly offsetBytes: number; readonly sizeBytes: number }
  | { readonly kind: 'array' | 'map'; readonly length: number }
  | { readonly kind: 'extension'; readonly type: number; readonly offsetBytes: number; readonly sizeBytes: number }

/** Keys and texts: names have some 100 bytes; a longer text is no name and no remark. */
const MAX_TEXT_BYTES = 64 * 1024

async function readText(reader: ForwardReader, sizeBytes: number, path: string): Promise<MsgpackValue> {
  const offsetBytes = reader.positionBytes()
  if (sizeBytes > MAX_TEXT_BYTES) {
    const reason = `a text of ${sizeBytes} bytes; at most ${MAX_TEXT_BYTES} are read`
    throw engineError('checkpoint/flax-malformed', { path, offsetBytes, reason })
  }
  return { kind: 'text', value: new TextDecoder().decode(await reader.bytes(sizeBytes)) }
}

async function readView(reader: ForwardReader, sizeBytes: number): Promise<DataView> {
  const bytes = await reader.bytes(sizeBytes)
  return new DataView(bytes.buffer)
}

async function readExtension(reader: ForwardReader, sizeBytes: number): Promise<MsgpackValue> {
  const view = await readView(reader, 1)
  return { kind: 'extension', type: view.getInt8(0), offsetBytes: reader.positionBytes(), sizeBytes }
}

function scalar(value: null | boolean | number | bigint): MsgpackValue {
  return { kind: 'scalar', value }
}

/** The formats 0xc0 to 0xdf, by their first byte. */
const FORMATS: Readonly<Record<number, (reader: ForwardReader, path: string) => Promise<MsgpackValue>>> = {
  0xc0: () => Promise.resolve(scalar(null)),
  0xc2: () => Promise.resolve(scalar(false)),
  0xc3: () => Promise.resolve(scalar(true)),
  0xc4: async (reader) => readBytes(reader, await reader.uint(1)),
  0xc5: async (reader) => readBytes(reader, await reader.uint(2)),
  0xc6: async (reader) => readBytes(reader, await reader.uint(4)),
  0xc7: async (reader) => readExtension(reader, await reader.uint(1)),
  0xc8: async (reader) => readExtension(reader, await reader.uint(2)),
  0xc9: async (reader) => readExtension(reader, await reader.uint(4)),
  0xca: async (reader) => scalar((await readView(reader, 4)).getFloat32(0)),
  0xcb: async (reader) => scalar((await readView(reader, 8)).getFloat64(0)),
  0xcc: async (reader) => scalar(await reader.uint(1)),
  0xcd: async (reader) => scalar(await reader.uint(2)),
  0xce: async (reader) => scalar(await reader.uint(4)),
  0xcf: async (reader) => scalar((await readView(reader, 8)).getBigUint64(0)),
  0xd0: async (reader) => scalar((await readView(reader, 1)).getInt8(0)),
  0xd1: async (reader) => scalar((await readView(reader, 2)).getInt16(0)),
  0xd2: async (reader) => scalar((await readView(reader, 4)).getInt32(0)),
  0xd3: async (reader) => scalar((await readView(reader, 8)).getBigInt64(0)),
  0xd4: (reader) => readExtension(reader, 1),
  0xd5: (reader) => readExtension(reader, 2),
  0xd6: (reader) => readExtension(reader, 4),
  0xd7: (reader) => readExtension(reader, 8),
  0xd8: (reader) => readExtension(reader, 16),
  0xd9: async (reader, path) => readText(reader, await reader.uint(1), path),
  0xda: async (reader, path) => readText(reader, await reader.uint(2), path),
  0xdb: async (reader, path) => readText(reader, await reader.uint(4), path),
  0xdc: async (reader) => ({ kind: 'array', length: await reader.uint(2) }),
  0xdd: async (reader) => ({ kind: 'array', length: await reader.uint(4) }),
  0xde: async (reader) => ({ kind: 'map', length: await reader.uint(2) }),
  0xdf: async (reader) => ({ kind: 'map', length: await reader.uint(4) }),
}

function readBytes(reader: ForwardReader, sizeBytes: number): MsgpackValue {
  return { kind: 'bytes', offsetBytes: reader.positionBytes(), sizeBytes }
}

/** Reads the next value's head. The reader stands behind it, so before the contents of `bytes` and `extension`. Throws "checkpoint/flax-malformed". */
export async function readValue(reader: ForwardReader, path: string): Promise<MsgpackValue> {
  const offsetBytes = reader.positionBytes()
  const byte = await reader.u8()
  if (byte < 0x80) return scalar(byte)
  if (byte < 0x90) return { kind: 'map', length: byte & 15 }
  if (byte < 0xa0) return { kind: 'array', length: byte & 15 }
  if (byte < 0xc0) return readText(reader, byte & 31, path)
  if (byte >= 0xe0) return scalar(byte - 256)
  const format = FORMATS[byte]
  if (!format)
    throw engineError('checkpoint/flax-malformed', { path, offsetBytes, reason: `the byte 0x${byte.toString(16)} starts no value` })
  return format(reader, path)
}
