// Where everything lies in a file that is about to be written: known to the byte before the first tensor is read.
import type { BlockTarget } from '../../tensor/blocks/quantize'
import type { Dtype } from '../../tensor/dtype'
import type { GgufEntries } from './gguf-entries'

/** What numbers are in a file: a dtype, or blocks of a format that has them. */
export type StoredDtype = Dtype | BlockTarget

/** A tensor of a file to be written. `aliases` are further names of the same bytes, for formats that can share them. */
export interface OutputTensor {
  readonly name: string
  readonly aliases: readonly string[]
  readonly dtype: StoredDtype
  readonly shape: readonly number[]
  readonly sizeBytes: number
}

/** The place of one tensor's bytes. `crcSeed` is the CRC-32 of what precedes them in the same archive entry, 0 without any. */
interface TensorSlot {
  readonly tensor: OutputTensor
  readonly offsetBytes: number
  readonly crcSeed: number
}

/** Bytes that are not tensor data: headers, directories, padding with a meaning. */
interface StructurePart {
  readonly offsetBytes: number
  readonly bytes: Uint8Array
}

/**
 * Invariants: slots ascend without overlap; slots and structure together lie within `sizeBytes`; what neither covers is zero.
 * `structure` takes the CRC-32 of every slot (continued from its seed) in the order of the slots, where the format `hasChecksums`.
 */
export interface FileLayout {
  readonly sizeBytes: number
  readonly slots: readonly TensorSlot[]
  readonly hasChecksums: boolean
  readonly structure: (crc32s: readonly number[]) => readonly StructurePart[]
}

/** Lays out one file of a format. */
export type LayOutFile = (
  tensors: readonly OutputTensor[],
  options: { readonly metadata: Readonly<Record<string, string>>; readonly ggufEntries?: GgufEntries },
) => FileLayout
