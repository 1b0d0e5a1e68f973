// Sequential reads of a GGUF header of unknown length: a sliding window over the file, either byte order.
import type { RandomAccessFile } from '../../bytes/random-access-file'
import { engineError } from '../../errors'
import { MAX_ARRAYS, MAX_HEADER_BYTES } from './limits'

/** One read of the file. A header of a few kilobytes takes one, the largest some tens. */
const WINDOW_BYTES = 256 * 1024

/** Strings one behind the other, none longer than `maxBytes`. */
interface SkippedStrings {
  readonly count: number
  readonly maxBytes: number
}

/** A position in the header and typed reads from there. `what` names the value in messages. Throws "checkpoint/gguf-truncated-header", "checkpoint/gguf-header-too-large". */
export interface HeaderBytes {
  readonly path: string
  readonly littleEndian: boolean
  readonly positionBytes: () => number
  /** Bytes of the file behind the position. */
  readonly remainingBytes: () => number
  readonly view: (sizeBytes: number, what: string) => Promise<DataView>
  readonly skip: (sizeBytes: number, what: string) => void
  /** Counts one more array of the header. Throws "checkpoint/gguf-too-many". */
  readonly countArray: () => void
  /** Skips strings (U64 length, bytes) without keeping them; returns the size of the one that is over the limit, or null. */
  readonly skipStrings: (strings: SkippedStrings, what: string) => Promise<bigint | null>
}

/** Starts reading `file` at `startBytes`. */
export function createHeaderBytes(
  file: RandomAccessFile,
  options: { readonly startBytes: number; readonly littleEndian: boolean; readonly signal?: AbortSignal },
): HeaderBytes {
  const { littleEndian, signal } = options
  const lastByte = Math.min(file.sizeBytes, MAX_HEADER_BYTES)
  let position = options.startBytes
  let arrays = 0
  let windowStart = 0
  let window: DataView = new DataView(new ArrayBuffer(0))

  /** Checks that the file has `sizeBytes` more bytes and that they belong to a header of sane size. */
  const check = (sizeBytes: number, what: string): void => {
    const availableBytes = file.sizeBytes - position
    if (sizeBytes > availableBytes) {
      throw engineError('checkpoint/gguf-truncated-header', {
        path: file.path,
        what,
        offsetBytes: position,
        neededBytes: sizeBytes,
        availableBytes,
      })
    }
    if (position + sizeBytes > MAX_HEADER_BYTES)
      throw engineError('checkpoint/gguf-header-too-large', { path: file.path, maxBytes: MAX_HEADER_BYTES })
  }

  const holds = (sizeBytes: number): boolean => position >= windowStart && position + sizeBytes <= windowStart + window.byteLength

  const fill = async (sizeBytes: number): Promise<void> => {
    const windowBytes = Math.min(Math.max(sizeBytes, WINDOW_BYTES), file.sizeBytes - position)
    const bytes = await file.read({ offsetBytes: position, sizeBytes: windowBytes, ...(signal && { signal }) })
    window = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    windowStart = position
  }

  return {
    path: file.path,
    littleEndian,
    positionBytes: () => position,
    remainingBytes: () => file.sizeBytes - position,
    view: async (sizeBytes, what) => {
      check(sizeBytes, what)
      if (!holds(sizeBytes)) await fill(sizeBytes)
      const view = new DataView(window.buffer, window.byteOffset + position - windowStart, sizeBytes)
      position += sizeBytes
      return view
    },
    skip: (sizeBytes, what) => {
      check(sizeBytes, what)
      position += sizeBytes
    },
    countArray: () => {
      if (++arrays > MAX_ARRAYS)
        throw engineError('checkpoint/gguf-too-many', { path: file.path, what: 'arrays', found: String(arrays), max: MAX_ARRAYS })
    },
    skipStrings: async ({ count, maxBytes }, what) => {
      let left = count
      while (left > 0) {
        check(8, what)
        if (!holds(8)) await fill(8)
        // Without a call per string as long as the window lasts: there may be millions of them. Lengths below 2^32 stay numbers for the same reason.
        let at = position - windowStart
        const lowWord = littleEndian ? 0 : 4
        for (; left > 0 && at + 8 <= window.byteLength; left--) {
          const low = window.getUint32(at + lowWord, littleEndian)
          const high = window.getUint32(at + 4 - lowWord, littleEndian)
          if (high > 0 || low > maxBytes) return (BigInt(high) << 32n) | BigInt(low)
          position = windowStart + at + 8
          if (position + low > lastByte) check(low, what)
          at += 8 + low
        }
        position = windowStart + at
      }
      return null
    },
  }
}
