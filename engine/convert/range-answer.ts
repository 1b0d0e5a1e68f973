// What a thread found, as a proof or as the engine's error.
import { engineError } from '../errors'
import { mismatch, writeError, type OutputFile } from './output-file'
import type { RangeAnswer } from './range-worker'

/** What is known of the bytes of one tensor as they were read back; `crc32` is 0 where the format has no checksums. */
export interface RangeProof {
  readonly sha256: string
  readonly crc32: number
}

/**
 * The proof that an answer brings; null before the last range of a tensor.
 * Throws "checkpoint/file-changed", "bytes/unreadable", "convert/disk-full", "convert/write-failed", "convert/verification-failed".
 */
export async function proofOf(
  answer: RangeAnswer,
  files: { readonly file: OutputFile; readonly source: { readonly path: string; readonly fileBytes: number } | null },
): Promise<RangeProof | null> {
  const { file, source } = files
  switch (answer.kind) {
    case 'done':
      return null
    case 'proof':
      return { sha256: answer.sha256, crc32: answer.crc32 }
    case 'source-changed':
      throw engineError('checkpoint/file-changed', {
        path: source?.path ?? file.path,
        expectedBytes: source?.fileBytes ?? 0,
        sizeBytes: answer.sizeBytes,
      })
    case 'source-failed':
      throw engineError('bytes/unreadable', { path: source?.path ?? file.path, reason: answer.reason })
    case 'read-back-failed':
      throw engineError('bytes/unreadable', { path: file.path, reason: answer.reason })
    case 'write-failed':
      throw await writeError(file.path, { cause: answer.reason, neededBytes: 0 })
    case 'ends':
      throw mismatch(file.path, { tensor: null, reason: `it ends before byte ${answer.offsetBytes}` })
    case 'differs':
      throw mismatch(file.path, { tensor: null, reason: `what was read back from byte ${answer.offsetBytes} on differs` })
  }
}
