// Bounded reads of the small structures of an HDF5 file. Follows the HDF5 File Format Specification 3.0; section numbers in this folder are its own.
import { createByteCursor, type ByteCursor } from '../../bytes/cursor'
import type { RandomAccessFile } from '../../bytes/random-access-file'
import { engineError, type EngineError } from '../../errors'

/** Structures lie close together, so one system call brings many of them. */
const PAGE_BYTES = 64 * 1024
/** 16 MiB of pages: enough for every group of a large Keras file. */
const MAX_PAGES = 256

/** Bytes of structures read while opening: a Keras file of 10,000 layers needs some 100 MB; pointers back into the file could ask for far more. */
const MAX_STRUCTURE_BYTES = 512 * 1024 * 1024

/** A cursor that also reads file addresses and lengths, whose width the superblock sets. */
export interface Hdf5Cursor extends ByteCursor {
  /** A file address, or null for "undefined". */
  readonly address: () => number | null
  readonly size: () => number
  /** An unsigned integer of 1 to 8 bytes. */
  readonly uint: (sizeBytes: number) => number
  readonly signature: (expected: string) => void
}

/** An HDF5 file being opened. */
export interface Hdf5Source {
  readonly file: RandomAccessFile
  readonly addressBytes: number
  readonly lengthBytes: number
  /** A cursor over bytes of the file; `offsetBytes` is only used in messages. */
  readonly cursor: (bytes: Uint8Array, offsetBytes: number) => Hdf5Cursor
  /** Throws "checkpoint/hdf5-malformed" outside the file and "checkpoint/hdf5-too-complex" over the budget. */
  readonly read: (offsetBytes: number, sizeBytes: number) => Promise<Uint8Array>
  readonly malformed: (offsetBytes: number, reason: string) => EngineError
}

/** Makes a source; the widths are 8 until the superblock has been read. */
export function createSource(
  file: RandomAccessFile,
  options: { readonly addressBytes: number; readonly lengthBytes: number; readonly signal?: AbortSignal },
): Hdf5Source {
  const { addressBytes, lengthBytes, signal } = options
  const pages = new Map<number, Uint8Array>()
  let spentBytes = 0
  const malformed = (offsetBytes: number, reason: string): EngineError =>
    engineError('checkpoint/hdf5-malformed', { path: file.path, offsetBytes, reason })

  const page = async (index: number): Promise<Uint8Array> => {
    const known = pages.get(index)
    if (known) return known
    const offsetBytes = index * PAGE_BYTES
    const bytes = await file.read({ offsetBytes, sizeBytes: Math.min(PAGE_BYTES, file.sizeBytes - offsetBytes), ...(signal && { signal }) })
    const [oldest] = pages.keys()
    if (pages.size >= MAX_PAGES && oldest !== undefined) pages.delete(oldest)
    pages.set(index, bytes)
    return bytes
  }

  const read = async (offsetBytes: number, sizeBytes: number): Promise<Uint8Array> => {
    if (offsetBytes + sizeBytes > file.sizeBytes)
      throw malformed(offsetBytes, `a structure of ${sizeBytes} bytes leaves the file of ${file.sizeBytes}`)
    spentBytes += sizeBytes
    if (spentBytes > MAX_STRUCTURE_BYTES)
      throw engineError('checkpoint/hdf5-too-complex', { path: file.path, what: 'bytes of structures', max: MAX_STRUCTURE_BYTES })
    const target = new Uint8Array(sizeBytes)
    let done = 0
    while (done < sizeBytes) {
      const position = offsetBytes + done
      const bytes = await page(Math.floor(position / PAGE_BYTES))
      const start = position % PAGE_BYTES
      const part = bytes.subarray(start, start + sizeBytes - done)
      target.set(part, done)
      done += part.length
    }
    return target
  }

  const cursor = (bytes: Uint8Array, offsetBytes: number): Hdf5Cursor => {
    const base = createByteCursor(bytes, `${file.path} at byte ${offsetBytes}`)
    const uint = (sizeBytes: number): number => {
      if (sizeBytes < 1 || sizeBytes > 8) throw malformed(offsetBytes, `an integer of ${sizeBytes} bytes`)
      let value = 0
      for (const [index, byte] of base.bytes(sizeBytes).entries()) value += byte * 256 ** index
      if (value > Number.MAX_SAFE_INTEGER) throw malformed(offsetBytes, `the number ${value} is beyond every file`)
      return value
    }
    return {
      ...base,
      uint,
      size: () => uint(lengthBytes),
      address: () => {
        const raw = base.bytes(addressBytes)
        if (raw.every((byte) => byte === 0xff)) return null
        let value = 0
        for (const [index, byte] of raw.entries()) value += byte * 256 ** index
        if (value >= file.sizeBytes) throw malformed(offsetBytes, `the address ${value} is outside the file of ${file.sizeBytes}`)
        return value
      },
      signature: (expected) => {
        const found = new TextDecoder('latin1').decode(base.bytes(expected.length))
        if (found !== expected) throw malformed(offsetBytes, `"${expected}" is missing`)
      },
    }
  }
  return { file, addressBytes, lengthBytes, cursor, read, malformed }
}
