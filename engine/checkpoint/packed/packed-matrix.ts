// One packed matrix of a checkpoint: what it is as a float tensor, and how its rows come out of its parts.
import type { BlockPlan, GroupedRows } from '../../tensor/packed/grouped-rows'
import type { NBitsFormat } from '../../tensor/nbits/layout'
import { engineError } from '../../errors'
import type { Checkpoint, TensorInfo } from '../types'
import type { Dtype } from '../../tensor/dtype'

/** Reads the stored parts of a matrix: a byte range, or all of one, which the reader keeps while the same matrix is read on. */
export interface PartReader {
  readonly range: (name: string, offsetBytes: number, sizeBytes: number) => Promise<Uint8Array>
  readonly whole: (name: string) => Promise<Uint8Array>
}

/** Rows to decode; of stacked matrices, rows of all of them one after the other. */
export interface RowRange {
  readonly firstRow: number
  readonly rows: number
}

/** A matrix whose rows are integer codes in groups. */
interface CodedMatrix {
  readonly kind: 'codes'
  readonly groupOf: Int32Array
  /** How MatMulNBits takes the codes as they are; null where its layout does not allow it. */
  readonly blocks: { readonly plan: BlockPlan; readonly format: NBitsFormat } | null
  readonly decode: (reader: PartReader, range: RowRange) => Promise<GroupedRows>
}

/** A matrix whose rows are only values. */
interface ValueMatrix {
  readonly kind: 'values'
  /** [rows, columns] F32 */
  readonly decode: (reader: PartReader, range: RowRange) => Promise<Float32Array>
}

/** A packed matrix. `name` is that of the float tensor it stands for, `parts` the stored tensors it is made of. */
export interface PackedMatrix {
  readonly name: string
  /** [rows, columns], or [matrices, rows, columns]. */
  readonly shape: readonly number[]
  readonly parts: readonly string[]
  readonly content: CodedMatrix | ValueMatrix
  /** The last two dimensions are the other way round than the family stores them. */
  readonly swapped?: true
}

/** Finds the parts of packed matrices in a checkpoint and checks them. */
export interface PartFinder {
  readonly names: readonly string[]
  readonly has: (name: string) => boolean
  /** A part that must be there, of one of the dtypes. Throws "checkpoint/packed-part-missing", "checkpoint/packed-part-dtype". */
  readonly part: (name: string, dtypes: readonly Dtype[]) => TensorInfo
  readonly read: Checkpoint['read']
}

/** Opens the parts of a checkpoint. `scheme` is its name for messages. */
export function findParts(checkpoint: Checkpoint, scheme: string): PartFinder {
  const { tensors } = checkpoint
  return {
    names: [...tensors.keys()],
    has: (name) => tensors.has(name),
    part: (name, dtypes) => {
      const tensor = tensors.get(name)
      if (tensor === undefined) throw engineError('checkpoint/packed-part-missing', { tensor: name, scheme })
      if (!dtypes.includes(tensor.dtype))
        throw engineError('checkpoint/packed-part-dtype', { tensor: name, scheme, found: tensor.dtype, allowed: dtypes })
      return tensor
    },
    read: checkpoint.read,
  }
}

/** Throws "checkpoint/packed-part-shape" unless the part has the shape. */
export function requireShape(part: TensorInfo, expected: readonly (number | null)[]): void {
  const fits = part.shape.length === expected.length && expected.every((size, axis) => size === null || size === part.shape[axis])
  if (!fits) throw badShape(part, `[${expected.map((size) => size ?? 'any').join(', ')}]`)
}

/** The error for a part whose shape does not fit. */
export function badShape(part: TensorInfo, expected: string): Error {
  return engineError('checkpoint/packed-part-shape', { tensor: part.name, found: part.shape, expected })
}

/** The largest vocabulary that a configuration may have: no matrix of a decoder is larger either way. */
const MAX_SIZE = 4_194_304

/** Rows and columns of a part that must be a matrix of some size. Throws "checkpoint/packed-part-shape". */
export function matrixSizes(part: TensorInfo): readonly [number, number] {
  const [rows = 0, columns = 0] = part.shape
  if (part.shape.length !== 2 || rows < 1 || columns < 1 || rows > MAX_SIZE || columns > MAX_SIZE)
    throw badShape(part, `[rows, columns], each from 1 to ${MAX_SIZE}`)
  return [rows, columns]
}
