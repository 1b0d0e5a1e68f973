// Whether a file of an interrupted conversion may be used again: everything in it is hashed and compared with the journal.
import { EngineError, engineError } from '../errors'
import { OutputFile } from './output-file'
import type { PreparedFile } from './plan'
import { proofOf } from './range-answer'
import type { RangeThread, RangeThreads } from './range-threads'
import { CHUNK_BYTES } from './source-chunks'
import { checkStructure, type TensorProof } from './write-file'

interface ReuseOptions {
  readonly path: string
  readonly file: PreparedFile
  readonly proofs: readonly TensorProof[]
  readonly threads: RangeThreads
  readonly onBytes: (sizeBytes: number) => void
  readonly signal?: AbortSignal
}

async function checkSlot(opened: OutputFile, index: number, options: ReuseOptions & { readonly thread: RangeThread }): Promise<void> {
  const { file, proofs, thread, onBytes, signal } = options
  const slot = file.layout.slots[index]
  if (!slot) return
  const { tensor, offsetBytes: start } = slot
  const crcSeed = file.layout.hasChecksums ? slot.crcSeed : null
  for (let done = 0; done === 0 || done < tensor.sizeBytes; done += CHUNK_BYTES) {
    if (signal?.aborted) throw engineError('runtime/aborted', { what: 'The conversion' })
    const sizeBytes = Math.min(CHUNK_BYTES, tensor.sizeBytes - done)
    const place = { target: opened.descriptor, offsetBytes: start + done, sizeBytes, crcSeed }
    const order = { isFirst: done === 0, isLast: done + sizeBytes === tensor.sizeBytes }
    const answer = await thread.ask({ kind: 'check', ...place, ...order, bytes: null })
    const proof = await proofOf(answer, { file: opened, source: null })
    if (proof && proof.sha256 !== proofs[index]?.sha256)
      throw engineError('convert/verification-failed', { path: opened.path, tensor: tensor.name, reason: 'its SHA-256 is another one' })
    onBytes(sizeBytes)
  }
}

/** Checks a file against its proofs; false when it is not what they say. Throws "runtime/aborted". */
export async function isReusable(options: ReuseOptions): Promise<boolean> {
  const { path, file, proofs, threads } = options
  if (proofs.length !== file.layout.slots.length) return false
  await using opened = await OutputFile.open(path, 'read')
  const crc32s = proofs.map(({ crc32 }) => crc32)
  try {
    await checkStructure(opened, file.layout, crc32s)
    await threads.forEach([...file.layout.slots.keys()], (index, thread) => checkSlot(opened, index, { ...options, thread }))
    return true
  } catch (cause) {
    if (cause instanceof EngineError && cause.code === 'convert/verification-failed') return false
    throw cause
  }
}
