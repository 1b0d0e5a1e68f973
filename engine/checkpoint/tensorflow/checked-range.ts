// Ranges of a tensor whose checksum is stored: what is read to its end is checked. Follows tensorflow/core/util/tensor_bundle/tensor_bundle.cc (BundleReader::GetValue, 2.21).
import { engineError } from '../../errors'
import type { ComputeRange } from '../tensor-files'
import { crc32c, maskCrc } from './crc32c'

/** Bytes of one tensor in a data file, and the masked CRC-32C that its entry holds. */
export interface CheckedBytes {
  readonly path: string
  readonly tensor: string
  readonly offsetBytes: number
  readonly sizeBytes: number
  readonly maskedCrc: number
}

/** Compares the checksum of a whole tensor's bytes. Throws "checkpoint/tensorflow-tensor-checksum". */
export function checkCrc(crc: number, { path, tensor, offsetBytes, maskedCrc }: Omit<CheckedBytes, 'sizeBytes'>): void {
  if (maskCrc(crc) !== maskedCrc) throw engineError('checkpoint/tensorflow-tensor-checksum', { path, tensor, offsetBytes })
}

/** Reads ranges as they are. Those that follow each other from the start are checked when the last byte was read; others are not, since no part has a checksum. */
export function checkedRange(bytes: CheckedBytes): ComputeRange {
  let next = 0
  let crc = 0
  return async ({ offsetBytes, sizeBytes, open, signal }) => {
    const file = await open(bytes.path)
    const part = await file.read({ offsetBytes: bytes.offsetBytes + offsetBytes, sizeBytes, ...(signal && { signal }) })
    if (offsetBytes === 0) [next, crc] = [0, 0]
    if (offsetBytes !== next) return part
    next += sizeBytes
    crc = crc32c(part, crc)
    if (next === bytes.sizeBytes) checkCrc(crc, bytes)
    return part
  }
}
