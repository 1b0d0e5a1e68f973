// What a quantizing worker does: reads rows, quantizes them in its WebAssembly instance, writes the parts to their places. It sees only its own scope: its text is what runs.
import type * as FileSystem from 'node:fs'
import type * as Threads from 'node:worker_threads'
import type * as Zlib from 'node:zlib'
import type { MatrixShape } from '../tensor/nbits/layout'

/** What is used of the global WebAssembly, which TypeScript declares with browsers only. */
interface WebAssemblyApi {
  readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer; readonly grow: (pages: number) => number }
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> }
}

/** Rows to quantize, or values to copy (`bits` 32). Offsets are those of the target file for the first row. */
export interface WorkerJob {
  /** Rows in a file, or given along: `elementBytes` each value, in the kernel's `dtype`. */
  readonly source: { readonly path: string; readonly offsetBytes: number } | { readonly bytes: Uint8Array<ArrayBuffer> }
  readonly dtype: number
  readonly elementBytes: number
  /** true: the source lies transposed, [columns, rows]. */
  readonly transposed: boolean
  readonly shape: MatrixShape
  readonly bits: number
  readonly blockSize: number
  readonly target: string
  readonly codes: { readonly offsetBytes: number; readonly rowBytes: number }
  readonly scales: { readonly offsetBytes: number; readonly rowBytes: number }
  readonly zeroPoints: { readonly offsetBytes: number; readonly rowBytes: number }
}

/** CRC-32 of what was written for each part, and blocks with values that are no numbers. A failed system call keeps its code and says what it was about. */
export type WorkerResult =
  | { readonly ok: true; readonly crcs: readonly [number, number, number]; readonly brokenBlocks: number }
  | { readonly ok: false; readonly reading: boolean; readonly reason: string }

/** The worker's whole program, with the modules it uses. Nothing from outside of this function may be used in it but types. */
export function workerMain(
  { parentPort, workerData }: typeof Threads,
  fs: Pick<typeof FileSystem, 'openSync' | 'closeSync' | 'readSync' | 'writeSync'>,
  { crc32 }: typeof Zlib,
): void {
  const PAGE_BYTES = 65536
  /** The kernel's own constants lie in the first page. */
  const INPUT_AT = PAGE_BYTES
  /** Input of one call of the kernel. */
  const PANEL_BYTES = 2 * 1024 * 1024
  const isWebAssembly = (value: unknown): value is WebAssemblyApi => typeof value === 'object' && value !== null && 'Instance' in value
  const api: unknown = Reflect.get(globalThis, 'WebAssembly')
  const data: unknown = workerData
  if (!isWebAssembly(api) || !(data instanceof Uint8Array)) throw new Error('There is no WebAssembly here.')
  const memory = new api.Memory({ initial: 96 })
  const isKernel = (value: unknown): value is (...numbers: readonly number[]) => number => typeof value === 'function'
  const { quantize } = new api.Instance(new api.Module(data), { env: { memory } }).exports
  if (!isKernel(quantize)) throw new Error('The kernel has no quantize.')
  let readFrom: { readonly path: string; readonly descriptor: number } | null = null
  let writeTo: { readonly path: string; readonly descriptor: number } | null = null
  let reading = false

  const descriptorOf = (path: string, flags: 'r' | 'r+'): number => {
    const open = flags === 'r' ? readFrom : writeTo
    if (open !== null && open.path === path) return open.descriptor
    if (open !== null) fs.closeSync(open.descriptor)
    const file = { path, descriptor: fs.openSync(path, flags) }
    if (flags === 'r') readFrom = file
    else writeTo = file
    return file.descriptor
  }
  const readAll = (path: string, target: Uint8Array, offsetBytes: number): void => {
    reading = true
    const descriptor = descriptorOf(path, 'r')
    for (let done = 0; done < target.length;) {
      const count = fs.readSync(descriptor, target, done, target.length - done, offsetBytes + done)
      if (count === 0) throw new Error('the file ends early')
      done += count
    }
    reading = false
  }
  const writeAll = (path: string, bytes: Uint8Array, offsetBytes: number): void => {
    const descriptor = descriptorOf(path, 'r+')
    for (let done = 0; done < bytes.length;) done += fs.writeSync(descriptor, bytes, done, bytes.length - done, offsetBytes + done)
  }
  /** Rows from `first` on of a matrix that lies transposed. */
  const gather = (from: Uint8Array, into: Uint8Array, job: WorkerJob, first: number, count: number): void => {
    const { rows, columns } = job.shape
    const source =
      job.elementBytes === 2
        ? new Uint16Array(from.buffer, from.byteOffset, rows * columns)
        : new Uint32Array(from.buffer, from.byteOffset, rows * columns)
    const target =
      job.elementBytes === 2
        ? new Uint16Array(into.buffer, into.byteOffset, count * columns)
        : new Uint32Array(into.buffer, into.byteOffset, count * columns)
    for (let row = 0; row < count; row++) {
      for (let column = 0; column < columns; column++) target[row * columns + column] = source[column * rows + first + row] ?? 0
    }
  }
  const run = (job: WorkerJob): WorkerResult => {
    const { rows, columns } = job.shape
    const rowBytes = columns * job.elementBytes
    const panelRows = Math.max(1, Math.min(rows, Math.floor(PANEL_BYTES / rowBytes)))
    const parts = [job.codes, job.scales, job.zeroPoints] as const
    const align = (at: number): number => Math.ceil(at / 64) * 64
    const codesAt = align(INPUT_AT + panelRows * rowBytes)
    const scalesAt = align(codesAt + panelRows * job.codes.rowBytes)
    const zerosAt = align(scalesAt + panelRows * job.scales.rowBytes)
    const end = zerosAt + panelRows * job.zeroPoints.rowBytes + 64
    const missing = Math.ceil((end - memory.buffer.byteLength) / PAGE_BYTES)
    if (missing > 0) memory.grow(missing)
    const heap = new Uint8Array(memory.buffer)
    let whole: Uint8Array | null = 'bytes' in job.source ? job.source.bytes : null
    if (job.transposed && whole === null && 'path' in job.source) {
      whole = new Uint8Array(rows * rowBytes)
      readAll(job.source.path, whole, job.source.offsetBytes)
    }
    const crcs: [number, number, number] = [0, 0, 0]
    let brokenBlocks = 0
    for (let first = 0; first < rows; first += panelRows) {
      const count = Math.min(panelRows, rows - first)
      const input = heap.subarray(INPUT_AT, INPUT_AT + count * rowBytes)
      if (whole === null) {
        if ('path' in job.source) readAll(job.source.path, input, job.source.offsetBytes + first * rowBytes)
      } else if (job.transposed) gather(whole, input, job, first, count)
      else input.set(whole.subarray(first * rowBytes, (first + count) * rowBytes))
      const at = job.bits === 32 ? [INPUT_AT, 0, 0] : [codesAt, scalesAt, zerosAt]
      if (job.bits !== 32) {
        brokenBlocks += quantize(INPUT_AT, job.dtype, count, columns, job.bits, job.blockSize, codesAt, scalesAt, zerosAt)
      }
      parts.forEach((part, index) => {
        const start = at[index] ?? 0
        const bytes = heap.subarray(start, start + count * part.rowBytes)
        if (bytes.length === 0) return
        crcs[index] = crc32(bytes, crcs[index])
        writeAll(job.target, bytes, part.offsetBytes + first * part.rowBytes)
      })
    }
    return { ok: true, crcs, brokenBlocks }
  }
  parentPort?.on('message', (job: WorkerJob) => {
    try {
      reading = false
      parentPort.postMessage(run(job))
    } catch (cause) {
      const reason = cause instanceof Error ? ('code' in cause ? String(cause.code) : cause.message) : String(cause)
      const failed: WorkerResult = { ok: false, reading, reason }
      parentPort.postMessage(failed)
    }
  })
}
