// Streams tensors into one output file and proves it: what is read back must be what was read from the source. At most a few chunks are in memory.
import { createHash, type Hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Checkpoint } from '../checkpoint/types'
import type { FileLayout } from '../checkpoint/writers/file-layout'
import { engineError } from '../errors'
import { addLoss, castBytes, LOSSLESS, type CastLoss, type CastTarget } from './cast'
import { OutputFile } from './output-file'
import { CHUNK_BYTES, sourceChunks, type Chunk } from './source-chunks'
import type { PlannedTensor } from './types'

/** What is known of one written tensor: the SHA-256 of its bytes as read back, their CRC-32 where the format has checksums, and the loss. */
export interface TensorProof extends CastLoss {
  readonly sha256: string
  readonly crc32: number
}

/** One file to write. `sources` are in the order of the layout's slots. */
export interface FileToWrite {
  readonly path: string
  readonly layout: FileLayout
  readonly sources: readonly (PlannedTensor & { readonly cast: CastTarget | null })[]
}

interface SlotState {
  crc: number
  loss: CastLoss
  readonly sha256: Hash
}

interface WriteOptions {
  readonly checkpoint: Checkpoint
  readonly onBytes: (sizeBytes: number) => void
  readonly signal?: AbortSignal
}

/** Casts where asked, and keeps count of what that lost. */
function transform(bytes: Uint8Array, chunk: Chunk, state: SlotState): Uint8Array {
  const result = chunk.cast === null ? { bytes, loss: LOSSLESS } : castBytes(bytes, chunk.cast)
  state.loss = addLoss(state.loss, result.loss)
  return result.bytes
}

/** Reads back what was written: it must be the same bytes, and it is what the proof is about. */
async function readBack(
  file: OutputFile,
  part: { readonly offsetBytes: number; readonly bytes: Uint8Array; readonly buffer: Uint8Array; readonly state: SlotState },
): Promise<void> {
  const { offsetBytes, bytes, buffer, state } = part
  const found = buffer.subarray(0, bytes.length)
  if (!(await file.read(found, offsetBytes)))
    throw mismatch(file.path, { tensor: null, reason: `it ends before byte ${offsetBytes + bytes.length}` })
  if (Buffer.compare(found, bytes) !== 0)
    throw mismatch(file.path, { tensor: null, reason: `what was read back from byte ${offsetBytes} on differs` })
  state.sha256.update(found)
}

/** The error of a file that does not hold what was written. */
export function mismatch(path: string, details: { readonly tensor: string | null; readonly reason: string }): Error {
  return engineError('convert/verification-failed', { path, ...details })
}

/** A promise that is awaited later must not count as unhandled when something else fails first. */
function later<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}

/**
 * Writes the tensors, three chunks at a time: one is read, one written, one read back.
 *
 *   source -> cast, CRC -> file -> compare, SHA-256
 */
async function streamTensors(file: OutputFile, task: FileToWrite & WriteOptions, states: readonly SlotState[]): Promise<void> {
  const { checkpoint, layout, sources, signal, onBytes } = task
  const read = ({ sourceName, offsetBytes, sizeBytes }: Chunk): Promise<Uint8Array> =>
    later(checkpoint.readRange({ name: sourceName, offsetBytes, sizeBytes, ...(signal && { signal }) }))
  const chunks = sourceChunks(layout, sources)
  // F4 to F64 makes a chunk sixteen times as long; everything else stays near CHUNK_BYTES.
  let buffer = new Uint8Array(CHUNK_BYTES)
  let current = chunks.next()
  let reading = current.done === true ? null : read(current.value)
  let checking: Promise<void> = Promise.resolve()
  try {
    while (current.done !== true && reading !== null) {
      if (signal?.aborted) throw engineError('runtime/aborted', { what: 'The conversion' })
      const chunk = current.value
      const source = await reading
      current = chunks.next()
      reading = current.done === true ? null : read(current.value)
      const state = states[chunk.slot]
      if (!state) break
      const bytes = transform(source, chunk, state)
      if (layout.hasChecksums) state.crc = crc32(bytes, state.crc)
      const offsetBytes = chunk.outOffsetBytes
      const writing = later(file.write(bytes, offsetBytes))
      await checking
      if (buffer.length < bytes.length) buffer = new Uint8Array(bytes.length)
      const target = buffer
      checking = later(
        writing.then(async () => {
          await readBack(file, { offsetBytes, bytes, buffer: target, state })
          onBytes(bytes.length)
        }),
      )
      await writing
    }
  } finally {
    // Nothing may touch the file once the caller closes it.
    await Promise.allSettled([checking, reading])
  }
  await checking
}

async function writeStructure(file: OutputFile, layout: FileLayout, crc32s: readonly number[]): Promise<void> {
  for (const { offsetBytes, bytes } of layout.structure(crc32s)) {
    await file.write(bytes, offsetBytes)
  }
  await checkStructure(file, layout, crc32s)
}

/** Everything beside the tensors must be there, and nothing after it. Throws "convert/verification-failed". */
export async function checkStructure(file: OutputFile, layout: FileLayout, crc32s: readonly number[]): Promise<void> {
  const size = await file.size()
  if (size !== layout.sizeBytes) throw mismatch(file.path, { tensor: null, reason: `it has ${size} bytes instead of ${layout.sizeBytes}` })
  for (const { offsetBytes, bytes } of layout.structure(crc32s)) {
    const found = new Uint8Array(bytes.length)
    if (!(await file.read(found, offsetBytes)) || Buffer.compare(found, bytes) !== 0)
      throw mismatch(file.path, { tensor: null, reason: `its structure differs at byte ${offsetBytes}` })
  }
}

/**
 * Writes and proves one file; the proofs are in the order of the slots.
 * Throws "convert/disk-full", "convert/write-failed", "convert/verification-failed", "runtime/aborted" and what reading the source throws.
 */
export async function writeFile(task: FileToWrite & WriteOptions): Promise<readonly TensorProof[]> {
  const { layout, path } = task
  await using file = await OutputFile.open(path, 'write')
  const states = layout.slots.map(({ crcSeed }): SlotState => ({
    crc: crcSeed,
    loss: LOSSLESS,
    sha256: createHash('sha256'),
  }))
  await streamTensors(file, task, states)
  const crc32s = states.map(({ crc }) => crc)
  await writeStructure(file, layout, crc32s)
  await file.sync()
  return states.map(({ sha256, loss, crc }) => ({ ...loss, sha256: sha256.digest('hex'), crc32: crc }))
}
