// What every checkpoint reader returns: named lazy tensors with the file and byte range they lie in.
import type { Dtype } from '../tensor/dtype'

/** One tensor of a checkpoint. `file` is an absolute real path; the bytes are little-endian, row-major, `sizeBytes` long from `offsetBytes`. */
export interface TensorInfo {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly file: string
  readonly offsetBytes: number
  readonly sizeBytes: number
}

/** Format of a checkpoint, detected by content. */
export type CheckpointFormat = 'safetensors'

/** A part of one tensor's bytes; `offsetBytes` counts from the tensor's start. */
export interface TensorRange {
  readonly name: string
  readonly offsetBytes: number
  readonly sizeBytes: number
  readonly signal?: AbortSignal
}

/** An opened checkpoint; `read` returns one tensor's bytes, `readRange` a part of them. Files are opened when first read from; dispose closes them. */
export interface Checkpoint extends Disposable {
  readonly format: CheckpointFormat
  readonly files: readonly { readonly path: string; readonly sizeBytes: number }[]
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly metadata: Readonly<Record<string, string>>
  /** Remarks for people: what was skipped or looked odd without being an error. */
  readonly notes: readonly string[]
  readonly read: (name: string, signal?: AbortSignal) => Promise<Uint8Array>
  readonly readRange: (range: TensorRange) => Promise<Uint8Array>
}
