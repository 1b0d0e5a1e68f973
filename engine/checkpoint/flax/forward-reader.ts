// Reads a file from front to back in small pieces and can jump over large ones, so that weights are never loaded while a header is looked for.
import type { RandomAccessFile } from '../../bytes/random-access-file'
import { engineError } from '../../errors'

/** One system call brings this much: heads between two arrays take a few dozen bytes. */
const WINDOW_BYTES = 64 * 1024

/** A position in a file that only moves forward. Reading past the end throws "checkpoint/flax-malformed". */
export interface ForwardReader {
  readonly positionBytes: () => number
  readonly remainingBytes: () => number
  /** The next bytes, as a copy. */
  readonly bytes: (sizeBytes: number) => Promise<Uint8Array>
  readonly u8: () => Promise<number>
  /** A big-endian unsigned integer of 1, 2 or 4 bytes. */
  readonly uint: (sizeBytes: number) => Promise<number>
  readonly skip: (sizeBytes: number) => void
}

/** Makes a reader at the start of `file`. */
export function createForwardReader(file: RandomAccessFile, signal?: AbortSignal): ForwardReader {
  let position = 0
  let window = new Uint8Array()
  let windowStart = 0
  const check = (sizeBytes: number): void => {
    if (sizeBytes > file.sizeBytes - position) {
      const reason = `${sizeBytes} bytes are announced, but only ${file.sizeBytes - position} remain`
      throw engineError('checkpoint/flax-malformed', { path: file.path, offsetBytes: position, reason })
    }
  }
  const fill = async (sizeBytes: number): Promise<number> => {
    check(sizeBytes)
    const start = position - windowStart
    if (start >= 0 && start + sizeBytes <= window.length) return start
    const wanted = Math.min(Math.max(sizeBytes, WINDOW_BYTES), file.sizeBytes - position)
    window = new Uint8Array(await file.read({ offsetBytes: position, sizeBytes: wanted, ...(signal && { signal }) }))
    windowStart = position
    return 0
  }
  const bytes = async (sizeBytes: number): Promise<Uint8Array> => {
    const start = await fill(sizeBytes)
    position += sizeBytes
    return window.slice(start, start + sizeBytes)
  }
  const uint = async (sizeBytes: number): Promise<number> => {
    const start = await fill(sizeBytes)
    position += sizeBytes
    let value = 0
    for (let index = 0; index < sizeBytes; index++) value = value * 256 + (window[start + index] ?? 0)
    return value
  }
  return {
    positionBytes: () => position,
    remainingBytes: () => file.sizeBytes - position,
    bytes,
    u8: () => uint(1),
    uint,
    skip: (sizeBytes) => {
      check(sizeBytes)
      position += sizeBytes
    },
  }
}
