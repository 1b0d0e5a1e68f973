// What can be prepared: matrices as quantized blocks, and tensors as plain F32, each made from one tensor of a checkpoint.
import type { MatrixShape, NBitsFormat } from '../tensor/nbits/layout'

/**
 * A matrix inside of a checkpoint tensor: `shape` as the graph multiplies with it, [rows = outputs, columns = inputs].
 * 'out-in' lies in the tensor row by row, 'in-out' transposed. `offsetElements` is where it begins: an expert's slice, or the rows of one projection of several.
 */
interface MatrixSource {
  readonly tensor: string
  readonly shape: MatrixShape
  readonly layout: 'out-in' | 'in-out'
  readonly offsetElements: number
}

/** What one entry of a prepared file holds. 'stored' takes the checkpoint's own codes as they are, 'nbits' quantizes, 'f32' writes the values out. */
export type PreparedForm =
  | { readonly kind: 'stored'; readonly format: NBitsFormat }
  | { readonly kind: 'nbits'; readonly format: NBitsFormat }
  | { readonly kind: 'f32' }

/** An entry as it is asked for. */
export interface PreparedRequest {
  /** Unique in its file. */
  readonly name: string
  readonly source: MatrixSource
  readonly form: PreparedForm
}

/** Bytes of a prepared file. */
export interface PreparedRange {
  readonly offsetBytes: number
  readonly sizeBytes: number
}

/** An entry at its place. `scales` and `zeroPoints` are null where the form has none. `codes` are the values themselves in the form 'f32'. */
export interface PlacedEntry extends PreparedRequest {
  readonly codes: PreparedRange
  readonly scales: PreparedRange | null
  readonly zeroPoints: PreparedRange | null
}
