// Bounds-checked little-endian cursor over bytes of a file.
import { engineError } from '../errors'
import { narrowU64 } from './narrow'

/** Reads values one after the other; every method advances the position and throws "bytes/out-of-range" instead of reading past the end. */
export interface ByteCursor {
  readonly positionBytes: () => number
  readonly remainingBytes: () => number
  readonly u8: () => number
  readonly u16: () => number
  readonly u32: () => number
  readonly u64: () => bigint
  /** A u64 that must fit `max` (default 2^53 - 1); throws "bytes/number-too-large". */
  readonly length: (what: string, max?: number) => number
  readonly i8: () => number
  readonly i16: () => number
  readonly i32: () => number
  readonly i64: () => bigint
  readonly f32: () => number
  readonly f64: () => number
  /** A view of the next bytes, sharing memory. */
  readonly bytes: (sizeBytes: number) => Uint8Array
  readonly skip: (sizeBytes: number) => void
}

/** Makes a cursor at the start of `bytes`; `what` names the data in messages. */
export function createByteCursor(bytes: Uint8Array, what: string): ByteCursor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let position = 0
  const advance = (sizeBytes: number): number => {
    const available = bytes.length - position
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0 || sizeBytes > available) {
      throw engineError('bytes/out-of-range', { what, offsetBytes: position, neededBytes: sizeBytes, availableBytes: available })
    }
    const start = position
    position += sizeBytes
    return start
  }
  const u64 = () => view.getBigUint64(advance(8), true)
  return {
    positionBytes: () => position,
    remainingBytes: () => bytes.length - position,
    u8: () => view.getUint8(advance(1)),
    u16: () => view.getUint16(advance(2), true),
    u32: () => view.getUint32(advance(4), true),
    u64,
    length: (name, max) => narrowU64(u64(), max === undefined ? { what: name } : { what: name, max }),
    i8: () => view.getInt8(advance(1)),
    i16: () => view.getInt16(advance(2), true),
    i32: () => view.getInt32(advance(4), true),
    i64: () => view.getBigInt64(advance(8), true),
    f32: () => view.getFloat32(advance(4), true),
    f64: () => view.getFloat64(advance(8), true),
    bytes: (sizeBytes) => {
      const start = advance(sizeBytes)
      return bytes.subarray(start, start + sizeBytes)
    },
    skip: (sizeBytes) => {
      advance(sizeBytes)
    },
  }
}
