// What every checkpoint reader returns: named lazy tensors with the file and byte range they lie in.
import type { BlockType } from '../tensor/blocks/formats'
import type { Dtype } from '../tensor/dtype'
import type { NBitsFormat, NBitsMatrix } from '../tensor/nbits/layout'
import type { Note } from '../notes'

/** What is known of every tensor. `sizeBytes` is its size as `read` gives it: little-endian, row-major, packed. `file` is an absolute real path. */
interface TensorHeader {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly file: string
  readonly sizeBytes: number
}

/** A tensor that lies in its file as `read` gives it: `sizeBytes` bytes from `offsetBytes` on. It can be mapped without a copy. */
export interface PlainTensor extends TensorHeader {
  readonly storage?: 'plain'
  readonly offsetBytes: number
}

/** Why the bytes of a tensor have to be made. */
export type TensorComputation = 'strided' | 'big-endian' | 'compressed' | 'dequantized' | 'converted' | 'derived' | 'checked'

/** A tensor whose bytes only `read` and `readRange` give; `file` holds what they are made from. */
export interface ComputedTensor extends TensorHeader {
  readonly storage: 'computed'
  readonly computation: TensorComputation
  /** Where a 'dequantized' tensor's blocks lie in `file`, for those who can use them as they are. */
  readonly block?: StoredBlocks
  /** How the rows of a 'dequantized' tensor are quantized, where MatMulNBits multiplies with exactly that; `readQuantized` gives them. */
  readonly quantized?: NBitsFormat
  /** The columns of the codes that `readQuantized` gives, in their order; absent where it is that of the values. */
  readonly inputOrder?: Int32Array
  /** The last two dimensions are the other way round than the family stores this matrix: [outputs, inputs] where it has [inputs, outputs]. */
  readonly swapped?: true
}

/** Quantized blocks in a file: `sizeBytes` bytes of whole blocks from `offsetBytes` on. Scales are little-endian unless the file is not. */
interface StoredBlocks {
  readonly type: BlockType
  readonly offsetBytes: number
  readonly sizeBytes: number
}

/** One tensor of a checkpoint. */
export type TensorInfo = PlainTensor | ComputedTensor

/** Format of a checkpoint, detected by content. */
export type CheckpointFormat =
  | 'safetensors'
  | 'pytorch'
  | 'pytorch-legacy'
  | 'pytorch-tar'
  | 'torchscript'
  | 'gguf'
  | 'tensorflow-checkpoint'
  | 'tensorflow-saved-model'
  | 'hdf5'
  | 'flax-msgpack'
  | 'numpy-npz'
  | 'numpy-npy'
  | 'onnx'
  | 'llama2c'

/** A part of one tensor's bytes; `offsetBytes` counts from the tensor's start. */
export interface TensorRange {
  readonly name: string
  readonly offsetBytes: number
  readonly sizeBytes: number
  readonly signal?: AbortSignal
}

/** Whole rows of one tensor, where a row is what its last dimension holds. */
export interface TensorRows {
  readonly name: string
  readonly firstRow: number
  readonly rows: number
  readonly signal?: AbortSignal
}

/** An opened checkpoint; `read` returns one tensor's bytes, `readRange` a part of them. Files are opened when first read from; dispose closes them. */
export interface Checkpoint extends Disposable {
  readonly format: CheckpointFormat
  readonly files: readonly { readonly path: string; readonly sizeBytes: number }[]
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly metadata: Readonly<Record<string, string>>
  /** How its matrices are packed, where they are: in a word, and in a few. */
  readonly packing?: { readonly label: string; readonly description: string }
  /** Remarks for people: what was skipped or looked odd without being an error. */
  readonly notes: readonly Note[]
  /** Scalars that a training script saved beside the model, by their dotted names (\`model_args.n_head\`). */
  readonly settings?: Readonly<Record<string, string | number | boolean | null>>
  readonly read: (name: string, signal?: AbortSignal) => Promise<Uint8Array>
  readonly readRange: (range: TensorRange) => Promise<Uint8Array>
  /** The codes, scales and zero points of rows of a tensor that has `quantized`; absent where none has. */
  readonly readQuantized?: (rows: TensorRows) => Promise<NBitsMatrix>
}

/** How a checkpoint is opened. \`include\`: of a training checkpoint the model alone, or the optimizer's tensors too. */
export interface ReadOptions {
  readonly signal?: AbortSignal
  readonly include?: 'model' | 'optimizer'
}

/** Opens the checkpoint at `path` (an absolute path of a file); only headers are read. */
export type CheckpointReader = (path: string, options: ReadOptions) => Promise<Checkpoint>
