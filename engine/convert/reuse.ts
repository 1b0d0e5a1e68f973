// Whether a file of an interrupted conversion may be used again: everything in it is hashed and compared with the journal.
import { createHash } from 'node:crypto'
import { EngineError, engineError } from '../errors'
import { OutputFile } from './output-file'
import type { PreparedFile } from './plan'
import { CHUNK_BYTES } from './source-chunks'
import { checkStructure, type TensorProof } from './write-file'

interface ReuseOptions {
  readonly path: string
  readonly file: PreparedFile
  readonly proofs: readonly TensorProof[]
  readonly onBytes: (sizeBytes: number) => void
  readonly signal?: AbortSignal
}

async function hashesMatch(opened: OutputFile, options: ReuseOptions): Promise<boolean> {
  const { file, proofs, onBytes, signal } = options
  const buffer = new Uint8Array(CHUNK_BYTES)
  for (const [index, { tensor, offsetBytes }] of file.layout.slots.entries()) {
    const hash = createHash('sha256')
    for (let done = 0; done < tensor.sizeBytes; done += CHUNK_BYTES) {
      if (signal?.aborted) throw engineError('runtime/aborted', { what: 'The conversion' })
      const target = buffer.subarray(0, Math.min(CHUNK_BYTES, tensor.sizeBytes - done))
      if (!(await opened.read(target, offsetBytes + done))) return false
      hash.update(target)
      onBytes(target.length)
    }
    if (hash.digest('hex') !== proofs[index]?.sha256) return false
  }
  return true
}

/** Checks a file against its proofs; false when it is not what they say. Throws "runtime/aborted". */
export async function isReusable(options: ReuseOptions): Promise<boolean> {
  const { path, file, proofs } = options
  if (proofs.length !== file.layout.slots.length) return false
  await using opened = await OutputFile.open(path, 'read')
  try {
    await checkStructure(
      opened,
      file.layout,
      proofs.map(({ crc32 }) => crc32),
    )
  } catch (cause) {
    if (cause instanceof EngineError && cause.code === 'convert/verification-failed') return false
    throw cause
  }
  return await hashesMatch(opened, options)
}
