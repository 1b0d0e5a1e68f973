// Makes the entries of a prepared file: plain 16- and 32-bit rows go to the workers as file ranges, everything else is decoded here and handed over.
import { crc32 } from 'node:zlib'
import type { FileHandle } from 'node:fs/promises'
import type { Checkpoint, TensorInfo } from '../checkpoint/types'
import { engineError } from '../errors'
import { decodeFloat32 } from '../tensor/decode'
import { DTYPE_BITS } from '../tensor/dtype'
import { KERNEL_DTYPES, type KernelDtype } from '../tensor/nbits/kernel'
import { nbitsLayout, type NBitsMatrix } from '../tensor/nbits/layout'
import type { PlacedEntry } from './types'
import { writeAt } from './write-at'
import { writeFailure } from './write-failure'
import type { WorkerJob, WorkerResult } from './worker-main'
import type { WorkerPool } from './worker-pool'

/** CRC-32 of the codes, scales and zero points of consecutive rows. */
export interface WrittenChunk {
  readonly rows: number
  readonly crcs: readonly [number, number, number]
}

/** What writing needs. `target` is an existing file as long as the placement says. */
export interface WriteOptions {
  readonly checkpoint: Checkpoint
  readonly target: { readonly path: string; readonly handle: FileHandle }
  readonly pool: WorkerPool
  readonly onRows: (entry: PlacedEntry, rows: number) => void
  readonly signal?: AbortSignal
}

/** Values of one job: small enough that workers end together, large enough that handing over costs nothing. */
const JOB_VALUES = 4 * 1024 * 1024

/** Writes one entry; its chunks come in row order. Throws "prepared/not-finite", "prepared/write-failed", "prepared/disk-full", "prepared/read-failed", "runtime/aborted". */
export async function writeEntry(entry: PlacedEntry, options: WriteOptions): Promise<readonly WrittenChunk[]> {
  const { source, form } = entry
  const tensor = options.checkpoint.tensors.get(source.tensor)
  if (tensor === undefined)
    throw engineError('checkpoint/unknown-tensor', { tensor: source.tensor, count: options.checkpoint.tensors.size })
  if (form.kind === 'stored') return writeStored(entry, options)
  const { rows, columns } = source.shape
  // Transposed rows are spread over the whole matrix: one worker reads it once.
  const jobRows = source.layout === 'in-out' ? rows : Math.max(1, Math.floor(JOB_VALUES / columns))
  const jobs: Promise<WrittenChunk>[] = []
  for (let first = 0; first < rows; first += jobRows) {
    if (options.signal?.aborted === true) break
    const count = Math.min(jobRows, rows - first)
    const job = await jobFor(entry, { tensor, first, count, options })
    jobs.push(finish(options.pool.run(job), { entry, count, options }))
    // Decoded bytes wait in memory: never more than two jobs a worker.
    if (jobs.length >= 2 * options.pool.size) await Promise.race([jobs.at(-2 * options.pool.size), rejected(jobs)])
  }
  const chunks = await Promise.all(jobs)
  if (options.signal?.aborted === true) throw engineError('runtime/aborted', { what: 'Preparing the weights' })
  return chunks
}

/** Settles only when one of the jobs fails, so that the failure is not left unhandled while others are waited for. */
function rejected(jobs: readonly Promise<unknown>[]): Promise<never> {
  return new Promise((_, reject) => {
    for (const job of jobs) job.catch(reject)
  })
}

async function finish(
  result: Promise<WorkerResult>,
  { entry, count, options }: { readonly entry: PlacedEntry; readonly count: number; readonly options: WriteOptions },
): Promise<WrittenChunk> {
  const done = await result
  if (!done.ok) {
    const tensor = options.checkpoint.tensors.get(entry.source.tensor)
    if (done.reading) throw engineError('prepared/read-failed', { path: tensor?.file ?? entry.source.tensor, reason: done.reason })
    throw await writeFailure(options.target.path, { reason: done.reason, neededBytes: entry.codes.sizeBytes })
  }
  if (done.brokenBlocks > 0) throw engineError('prepared/not-finite', { tensor: entry.source.tensor })
  options.onRows(entry, count)
  return { rows: count, crcs: done.crcs }
}

interface JobPart {
  readonly tensor: TensorInfo
  readonly first: number
  readonly count: number
  readonly options: WriteOptions
}

function isKernelDtype(dtype: string): dtype is KernelDtype {
  return Object.hasOwn(KERNEL_DTYPES, dtype)
}

async function jobFor(entry: PlacedEntry, part: JobPart): Promise<WorkerJob> {
  const { source, form } = entry
  const { tensor, first, count } = part
  const { columns } = source.shape
  const shape = { rows: count, columns }
  const transposed = source.layout === 'in-out'
  const format = form.kind === 'f32' ? null : form.format
  const layout = format === null ? { codeRowBytes: columns * 4, scaleRowBytes: 0, zeroPointRowBytes: 0 } : nbitsLayout(shape, format)
  const at = (range: PlacedEntry['scales'], rowBytes: number) => ({ offsetBytes: (range?.offsetBytes ?? 0) + first * rowBytes, rowBytes })
  const common = {
    transposed,
    shape,
    bits: format?.bits ?? 32,
    blockSize: format?.blockSize ?? 0,
    target: part.options.target.path,
    codes: at(entry.codes, layout.codeRowBytes),
    scales: at(entry.scales, layout.scaleRowBytes),
    zeroPoints: at(entry.zeroPoints, layout.zeroPointRowBytes),
  }
  // A transposed source begins where the whole matrix begins: its job takes all rows.
  const offsetElements = source.offsetElements + first * columns
  if (form.kind === 'nbits' && tensor.storage !== 'computed' && isKernelDtype(tensor.dtype)) {
    const elementBytes = DTYPE_BITS[tensor.dtype] / 8
    const file = { path: tensor.file, offsetBytes: tensor.offsetBytes + offsetElements * elementBytes }
    return { ...common, source: file, dtype: KERNEL_DTYPES[tensor.dtype], elementBytes }
  }
  const values = await decodedValues(part.options, { tensor, offsetElements, elements: count * columns })
  return { ...common, source: { bytes: values }, dtype: KERNEL_DTYPES.F32, elementBytes: 4 }
}

/** Values of a tensor as F32 in a buffer of their own. */
async function decodedValues(
  { checkpoint, signal }: WriteOptions,
  range: { readonly tensor: TensorInfo; readonly offsetElements: number; readonly elements: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const { tensor, offsetElements, elements } = range
  const bits = DTYPE_BITS[tensor.dtype]
  const bytes = await checkpoint.readRange({
    name: tensor.name,
    offsetBytes: (offsetElements * bits) / 8,
    sizeBytes: (elements * bits) / 8,
    ...(signal && { signal }),
  })
  return tensor.dtype === 'F32' ? bytes.slice() : new Uint8Array(decodeFloat32(bytes, tensor.dtype).slice().buffer)
}

/** Takes over rows that are quantized already, a part of the matrix at a time. */
async function writeStored(entry: PlacedEntry, options: WriteOptions): Promise<readonly WrittenChunk[]> {
  const { checkpoint, target, signal } = options
  const { tensor: name, shape, offsetElements } = entry.source
  const partRows = Math.max(1, Math.floor(JOB_VALUES / shape.columns))
  const ranges = [entry.codes, entry.scales, entry.zeroPoints]
  const done = [0, 0, 0]
  const chunks: WrittenChunk[] = []
  for (let first = 0; first < shape.rows; first += partRows) {
    if (signal?.aborted === true) throw engineError('runtime/aborted', { what: 'Preparing the weights' })
    const rows = Math.min(partRows, shape.rows - first)
    const firstRow = offsetElements / shape.columns + first
    const matrix = await checkpoint.readQuantized?.({ name, firstRow, rows, ...(signal && { signal }) })
    if (matrix === undefined) throw engineError('checkpoint/not-quantized', { tensor: name })
    if (!matrix.scales.every((scale) => Number.isFinite(scale))) throw engineError('prepared/not-finite', { tensor: name })
    const crcs: [number, number, number] = [0, 0, 0]
    for (const [index, bytes] of partsOf(matrix).entries()) {
      const range = ranges[index] ?? null
      if (range === null) continue
      crcs[index] = crc32(bytes)
      await writeAt(target.handle, bytes, { path: target.path, offsetBytes: range.offsetBytes + (done[index] ?? 0) })
      done[index] = (done[index] ?? 0) + bytes.length
    }
    chunks.push({ rows, crcs })
    options.onRows(entry, rows)
  }
  return chunks
}

function partsOf({ codes, scales, zeroPoints }: NBitsMatrix): readonly Uint8Array[] {
  return [codes, new Uint8Array(scales.buffer, scales.byteOffset, scales.byteLength), zeroPoints]
}
