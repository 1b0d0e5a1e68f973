// Complete writes at known places of an open file.
import type { FileHandle } from 'node:fs/promises'
import { writeFailure } from './write-failure'

/** Writes all bytes at an offset. Throws "prepared/write-failed", "prepared/disk-full". */
export async function writeAt(
  handle: FileHandle,
  bytes: Uint8Array,
  at: { readonly path: string; readonly offsetBytes: number },
): Promise<void> {
  try {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at.offsetBytes + done)
      done += bytesWritten
    }
  } catch (cause) {
    throw await writeFailure(at.path, { reason: cause, neededBytes: bytes.length })
  }
}
