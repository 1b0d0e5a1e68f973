// Protobuf fields of a message inside a file, without loading it: an ONNX model may hold 2 GiB of weights inline. Wire format as in engine/bytes/protobuf.ts.
import type { RandomAccessFile } from '../../bytes/random-access-file'
import { engineError, type EngineError } from '../../errors'

/** One system call brings this much. */
const WINDOW_BYTES = 64 * 1024
/** All fields of one file, nested ones included; large graphs have some 100,000 nodes with a dozen fields each. */
const MAX_FIELDS = 8_000_000

/** A field: its varint, or where its bytes lie in the file. */
export type FieldRange =
  | { readonly number: number; readonly kind: 'varint'; readonly value: bigint }
  | { readonly number: number; readonly kind: 'bytes' | 'fixed32' | 'fixed64'; readonly offsetBytes: number; readonly sizeBytes: number }

/** Reads ranges of one file through one window. */
export interface ProtoFile {
  readonly file: RandomAccessFile
  readonly fields: (range: { readonly offsetBytes: number; readonly sizeBytes: number }) => AsyncGenerator<FieldRange, void, undefined>
  readonly malformed: (offsetBytes: number, reason: string) => EngineError
  /** The content of a small field. */
  readonly read: (range: { readonly offsetBytes: number; readonly sizeBytes: number }) => Promise<Uint8Array>
}

/** Makes a reader of messages in `file`. Its generators throw "checkpoint/onnx-malformed". */
export function createProtoFile(file: RandomAccessFile, signal?: AbortSignal): ProtoFile {
  let window = new Uint8Array()
  let windowStart = 0
  let count = 0
  const cancel = signal ? { signal } : {}
  const malformed = (offsetBytes: number, reason: string): EngineError =>
    engineError('checkpoint/onnx-malformed', { path: file.path, offsetBytes, reason })

  const load = async (position: number): Promise<void> => {
    if (position >= windowStart && position + 16 <= windowStart + window.length) return
    const sizeBytes = Math.min(WINDOW_BYTES, file.sizeBytes - position)
    window = new Uint8Array(await file.read({ offsetBytes: position, sizeBytes, ...cancel }))
    windowStart = position
  }

  const varint = (position: number, end: number): { readonly value: bigint; readonly end: number } => {
    let value = 0n
    for (let index = 0; index < 10; index++) {
      const byte = position + index < end ? window[position + index - windowStart] : undefined
      if (byte === undefined) throw malformed(position, 'a number is cut off')
      value |= BigInt(byte & 0x7f) << BigInt(7 * index)
      if (byte < 0x80) return { value: BigInt.asUintN(64, value), end: position + index + 1 }
    }
    throw malformed(position, 'a number is longer than ten bytes')
  }

  const fields = async function* (range: {
    readonly offsetBytes: number
    readonly sizeBytes: number
  }): AsyncGenerator<FieldRange, void, undefined> {
    const end = range.offsetBytes + range.sizeBytes
    let position = range.offsetBytes
    while (position < end) {
      if (++count > MAX_FIELDS) throw malformed(position, `the model has more than ${MAX_FIELDS} fields`)
      await load(position)
      const tag = varint(position, end)
      const number = Number(tag.value >> 3n)
      if (number < 1 || number > 0x1fffffff) throw malformed(position, `field number ${number} is impossible`)
      const wire = Number(tag.value & 7n)
      await load(tag.end)
      if (wire === 0) {
        const { value, end: next } = varint(tag.end, end)
        yield { number, kind: 'varint', value }
        position = next
        continue
      }
      if (wire !== 1 && wire !== 2 && wire !== 5) throw malformed(position, `wire type ${wire} is not used by ONNX`)
      const length = wire === 2 ? varint(tag.end, end) : { value: wire === 1 ? 8n : 4n, end: tag.end }
      if (length.value > BigInt(end - length.end))
        throw malformed(position, `a field of ${length.value} bytes has only ${end - length.end} left`)
      const sizeBytes = Number(length.value)
      yield { number, kind: wire === 2 ? 'bytes' : wire === 1 ? 'fixed64' : 'fixed32', offsetBytes: length.end, sizeBytes }
      position = length.end + sizeBytes
    }
  }
  const read: ProtoFile['read'] = async ({ offsetBytes, sizeBytes }) => {
    const start = offsetBytes - windowStart
    // Most nodes and names lie in the window that their tag came from.
    if (start >= 0 && start + sizeBytes <= window.length) return window.slice(start, start + sizeBytes)
    return file.read({ offsetBytes, sizeBytes, ...cancel })
  }
  return { file, fields, malformed, read }
}
