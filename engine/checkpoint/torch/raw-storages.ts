// Storages that lie in a file one after the other, each behind its count of elements: how PyTorch wrote them before 1.6. Always little-endian.
import type { RandomAccessFile } from '../../bytes/random-access-file'
import { engineError } from '../../errors'
import type { StoragePlace } from './place-tensors'
import { readElementCount } from './pickle-stream'
import { storageElementBytes } from './dtypes'

const COUNT_BYTES = 8

/** Reads one storage's count at `offsetBytes` and places its data behind it. Throws "checkpoint/storage-too-short" when the stretch ends first. */
export async function placeRawStorage(
  file: RandomAccessFile,
  options: { readonly key: string; readonly dtype: string | null; readonly offsetBytes: number; readonly endBytes: number },
): Promise<{ readonly place: StoragePlace; readonly elements: number; readonly endBytes: number }> {
  const { key, dtype, offsetBytes } = options
  const storage = key.slice(0, 200)
  if (offsetBytes + COUNT_BYTES > options.endBytes) throw engineError('checkpoint/storage-missing', { path: file.path, storage })
  const elements = await readElementCount(file, offsetBytes)
  const startBytes = offsetBytes + COUNT_BYTES
  const foundBytes = options.endBytes - startBytes
  const neededBytes = elements * BigInt(storageElementBytes(dtype))
  if (neededBytes > BigInt(foundBytes)) {
    throw engineError('checkpoint/storage-too-short', { path: file.path, storage, neededBytes: Number(neededBytes), foundBytes })
  }
  const sizeBytes = Number(neededBytes)
  return {
    elements: Number(elements),
    endBytes: startBytes + sizeBytes,
    place: {
      file: file.path,
      sizeBytes,
      plainOffsetBytes: startBytes,
      bigEndian: false,
      read: (opened, range) => opened.read({ ...range, offsetBytes: startBytes + range.offsetBytes }),
    },
  }
}
