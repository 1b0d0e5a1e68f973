// Streams tensors into one output file and proves it: what is read back must be what was read from the source. At most a few chunks are in memory.
import type { Checkpoint } from '../checkpoint/types'
import type { FileLayout } from '../checkpoint/writers/file-layout'
import { engineError } from '../errors'
import { addLoss, castBytes, LOSSLESS, type AnyCastTarget, type CastLoss } from './cast'
import { mismatch, OutputFile } from './output-file'
import { proofOf, type RangeProof } from './range-answer'
import type { RangeThread, RangeThreads } from './range-threads'
import { sourceChunks, type Chunk } from './source-chunks'
import type { PlannedTensor } from './types'

/** What is known of one written tensor: the SHA-256 of its bytes as read back, their CRC-32 where the format has checksums, and the loss. */
export interface TensorProof extends CastLoss, RangeProof {}

/** One file to write. `sources` are in the order of the layout's slots. */
export interface FileToWrite {
  readonly path: string
  readonly layout: FileLayout
  readonly sources: readonly (PlannedTensor & { readonly cast: AnyCastTarget | null })[]
}

interface WriteOptions {
  readonly checkpoint: Checkpoint
  readonly threads: RangeThreads
  readonly sync: boolean
  readonly onBytes: (sizeBytes: number) => void
  readonly signal?: AbortSignal
}

/** One tensor to write, with what all of them share. */
interface SlotTask extends WriteOptions {
  readonly file: OutputFile
  readonly thread: RangeThread
  readonly slot: FileLayout['slots'][number]
  readonly source: FileToWrite['sources'][number]
  /** What the threads need of it, see RangeTask. */
  readonly target: { readonly target: number; readonly crcSeed: number | null }
}

/** A promise that is awaited later must not count as unhandled when something else fails first. */
function later<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}

function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw engineError('runtime/aborted', { what: 'The conversion' })
}

const NO_PROOF: RangeProof = { sha256: '', crc32: 0 }

/** Copies a tensor that lies in its file as it is to be written. */
async function copyTensor(
  task: SlotTask,
  from: { readonly path: string; readonly fileBytes: number; readonly offsetBytes: number },
): Promise<TensorProof> {
  const { file, thread, slot, source, target, sync, onBytes, signal } = task
  let proof: RangeProof | null = null
  for (const { offsetBytes, sizeBytes, outOffsetBytes, isFirst, isLast } of sourceChunks(slot, source)) {
    checkAborted(signal)
    const range = { ...target, offsetBytes: outOffsetBytes, sizeBytes, isFirst, isLast }
    const answer = await thread.ask({ kind: 'copy', ...range, source: { ...from, offsetBytes: from.offsetBytes + offsetBytes } })
    proof = await proofOf(answer, { file, source: from })
    if (sync) file.flushSoon(sizeBytes)
    onBytes(sizeBytes)
  }
  return { ...LOSSLESS, ...(proof ?? NO_PROOF) }
}

/**
 * Makes a tensor chunk by chunk, three at a time: one is read, one written, one proven.
 *
 *   source -> cast -> file -> compare, CRC, SHA-256
 */
async function makeTensor(task: SlotTask): Promise<TensorProof> {
  const { checkpoint, file, thread, slot, source, target, sync, onBytes, signal } = task
  const read = ({ offsetBytes, sizeBytes }: Chunk): Promise<Uint8Array> =>
    later(checkpoint.readRange({ name: source.sourceName, offsetBytes, sizeBytes, ...(signal && { signal }) }))
  const check = async (bytes: Uint8Array, { outOffsetBytes, isFirst, isLast }: Chunk): Promise<RangeProof | null> => {
    const range = { ...target, offsetBytes: outOffsetBytes, sizeBytes: bytes.length, isFirst, isLast }
    const proof = await proofOf(await thread.ask({ kind: 'check', ...range, bytes }), { file, source: null })
    if (sync) file.flushSoon(bytes.length)
    onBytes(bytes.length)
    return proof
  }
  const chunks = sourceChunks(slot, source)
  let loss = LOSSLESS
  let current = chunks.next()
  let reading = current.done === true ? null : read(current.value)
  let checking: Promise<RangeProof | null> = Promise.resolve(null)
  try {
    while (current.done !== true && reading !== null) {
      checkAborted(signal)
      const chunk = current.value
      const bytes = await reading
      current = chunks.next()
      reading = current.done === true ? null : read(current.value)
      const cast = source.cast === null ? { bytes, loss: LOSSLESS } : castBytes(bytes, { from: source.sourceDtype, to: source.cast })
      loss = addLoss(loss, cast.loss)
      await file.write(cast.bytes, chunk.outOffsetBytes)
      await checking
      checking = later(check(cast.bytes, chunk))
    }
  } finally {
    // Nothing may touch the files once the caller closes them.
    await Promise.allSettled([checking, reading])
  }
  return { ...loss, ...((await checking) ?? NO_PROOF) }
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

/** Slots by how they are written: `copied` ones side by side, `made` ones one after the other, since a reader may hold a whole tensor for each. */
function groupSlots(task: FileToWrite & WriteOptions): readonly (readonly number[])[] {
  const made: number[] = []
  const copied: number[][] = []
  for (const [index, { cast, sourceName }] of task.sources.entries()) {
    if (cast !== null || task.checkpoint.tensors.get(sourceName)?.storage === 'computed') made.push(index)
    else copied.push([index])
  }
  return made.length > 0 ? [made, ...copied] : copied
}

async function writeTensors(file: OutputFile, task: FileToWrite & WriteOptions): Promise<readonly TensorProof[]> {
  const { layout, sources, checkpoint, threads, signal } = task
  const fileSizes = new Map(checkpoint.files.map(({ path, sizeBytes }) => [path, sizeBytes]))
  const proofs = new Map<number, TensorProof>()
  await threads.forEach(groupSlots(task), async (group, thread) => {
    for (const index of group) {
      checkAborted(signal)
      const [slot, source] = [layout.slots[index], sources[index]]
      if (!slot || !source) continue
      const target = { target: file.descriptor, crcSeed: layout.hasChecksums ? slot.crcSeed : null }
      const slotTask = { ...task, file, thread, slot, source, target }
      const found = checkpoint.tensors.get(source.sourceName)
      const isCopied = source.cast === null && found && found.storage !== 'computed'
      const fileBytes = fileSizes.get(found?.file ?? '')
      const proof =
        isCopied && fileBytes !== undefined
          ? await copyTensor(slotTask, { path: found.file, fileBytes, offsetBytes: found.offsetBytes })
          : await makeTensor(slotTask)
      proofs.set(index, proof)
    }
  })
  return layout.slots.map((_, index) => proofs.get(index) ?? { ...LOSSLESS, ...NO_PROOF })
}

/**
 * Writes and proves one file; the proofs are in the order of the slots.
 * Throws "convert/disk-full", "convert/write-failed", "convert/verification-failed", "runtime/aborted" and what reading the source throws.
 */
export async function writeFile(task: FileToWrite & WriteOptions): Promise<readonly TensorProof[]> {
  const { layout, path, sync } = task
  await using file = await OutputFile.open(path, 'write')
  const proofs = await writeTensors(file, task)
  await writeStructure(
    file,
    layout,
    proofs.map(({ crc32 }) => crc32),
  )
  if (sync) await file.sync()
  return proofs
}
