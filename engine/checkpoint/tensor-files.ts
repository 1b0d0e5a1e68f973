// The open files behind a checkpoint's lazy tensors.
import { MAX_READ_BYTES, openRandomAccessFile, type RandomAccessFile } from '../bytes/random-access-file'
import { engineError } from '../errors'
import type { NBitsMatrix } from '../tensor/nbits/layout'
import { blockRowBytes, repackBlocks } from '../tensor/nbits/gguf-blocks'
import type { Checkpoint, TensorInfo, TensorRange, TensorRows } from './types'

/** Makes bytes of a computed tensor: exactly `sizeBytes` from `offsetBytes` of its packed form. `open` gives a file of the checkpoint, closed with it. */
export type ComputeRange = (
  range: Omit<TensorRange, 'name'> & { readonly open: (path: string) => Promise<RandomAccessFile> },
) => Promise<Uint8Array>

/** What a reader hands over: validated tensors, and a way to make the bytes of each computed one. */
export interface CheckpointContent extends Omit<Checkpoint, 'read' | 'readRange' | 'readQuantized' | typeof Symbol.dispose> {
  readonly computed?: ReadonlyMap<string, ComputeRange>
}

/** Files by real path, opened when first read from and closed together. */
class TensorFiles implements Disposable {
  readonly #sizes: ReadonlyMap<string, number>
  readonly #open = new Map<string, Promise<RandomAccessFile>>()
  #disposed = false

  constructor(files: Checkpoint['files']) {
    this.#sizes = new Map(files.map((file) => [file.path, file.sizeBytes]))
  }

  get(path: string): Promise<RandomAccessFile> {
    if (this.#disposed) return Promise.reject(engineError('bytes/unreadable', { path, reason: 'the checkpoint has been closed' }))
    let file = this.#open.get(path)
    if (!file) {
      file = this.#openChecked(path)
      this.#open.set(path, file)
      // A failed open must not stick: the disk may come back.
      file.catch(() => this.#open.delete(path))
    }
    return file
  }

  [Symbol.dispose](): void {
    this.#disposed = true
    for (const file of this.#open.values()) {
      file.then(
        (opened) => opened[Symbol.dispose](),
        () => undefined,
      )
    }
    this.#open.clear()
  }

  /** The header was checked against the file's size; a file of another size is another file. */
  async #openChecked(path: string): Promise<RandomAccessFile> {
    const file = await openRandomAccessFile(path)
    const expectedBytes = this.#sizes.get(path)
    if (expectedBytes !== undefined && file.sizeBytes !== expectedBytes) {
      file[Symbol.dispose]()
      throw engineError('checkpoint/file-changed', { path, expectedBytes, sizeBytes: file.sizeBytes })
    }
    return file
  }
}

/** Makes a checkpoint of validated tensors; `read` and `readRange` throw "checkpoint/unknown-tensor", "checkpoint/range-outside-tensor", "checkpoint/file-changed", "bytes/short-read". */
export function createCheckpoint({ computed, ...content }: CheckpointContent): Checkpoint {
  const files = new TensorFiles(content.files)
  const find = (name: string): TensorInfo => {
    const tensor = content.tensors.get(name)
    if (!tensor) throw engineError('checkpoint/unknown-tensor', { tensor: name, count: content.tensors.size })
    return tensor
  }
  const readRange = async (range: TensorRange): Promise<Uint8Array> => {
    const tensor = find(range.name)
    const { offsetBytes, sizeBytes, signal } = range
    if (offsetBytes < 0 || sizeBytes < 0 || offsetBytes + sizeBytes > tensor.sizeBytes) {
      throw engineError('checkpoint/range-outside-tensor', { tensor: range.name, offsetBytes, sizeBytes, tensorBytes: tensor.sizeBytes })
    }
    if (sizeBytes > MAX_READ_BYTES)
      throw engineError('checkpoint/tensor-too-large', { tensor: range.name, sizeBytes, maxBytes: MAX_READ_BYTES })
    if (tensor.storage === 'computed') {
      const compute = computed?.get(range.name)
      if (!compute) throw engineError('checkpoint/unknown-tensor', { tensor: range.name, count: content.tensors.size })
      return compute({ offsetBytes, sizeBytes, open: (path) => files.get(path), ...(signal && { signal }) })
    }
    const file = await files.get(tensor.file)
    return file.read({ offsetBytes: tensor.offsetBytes + offsetBytes, sizeBytes, ...(signal && { signal }) })
  }
  const readQuantized = async ({ name, firstRow, rows, signal }: TensorRows): Promise<NBitsMatrix> => {
    const tensor = find(name)
    const { block, quantized } = tensor.storage === 'computed' ? tensor : {}
    if (block === undefined || quantized === undefined) throw engineError('checkpoint/not-quantized', { tensor: name })
    const columns = tensor.shape.at(-1) ?? 0
    const rowBytes = blockRowBytes(columns, quantized)
    const range = { offsetBytes: firstRow * rowBytes, sizeBytes: rows * rowBytes }
    if (firstRow < 0 || rows < 0 || range.offsetBytes + range.sizeBytes > block.sizeBytes)
      throw engineError('checkpoint/range-outside-tensor', { tensor: name, ...range, tensorBytes: block.sizeBytes })
    const file = await files.get(tensor.file)
    const bytes = await file.read({ ...range, offsetBytes: block.offsetBytes + range.offsetBytes, ...(signal && { signal }) })
    return repackBlocks(bytes, { shape: { rows, columns }, format: quantized })
  }
  return {
    ...content,
    readRange,
    readQuantized,
    read: async (name, signal) => readRange({ name, offsetBytes: 0, sizeBytes: find(name).sizeBytes, ...(signal && { signal }) }),
    [Symbol.dispose]: () => files[Symbol.dispose](),
  }
}
