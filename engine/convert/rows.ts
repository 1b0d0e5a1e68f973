// Tensors made of rows of other tensors, read lazily: parts, stacks, other orders, columns side by side, transposes. Nothing is held but the rows asked for.
import type { Checkpoint, TensorInfo } from '../checkpoint/types'
import { decodeFloat32 } from '../tensor/decode'
import { DTYPE_BITS, type Dtype } from '../tensor/dtype'
import { castBytes } from './cast'

/** A matrix as a sequence of rows of equal size; a vector has one element in a row. */
export interface Rows {
  readonly count: number
  readonly rowBytes: number
  readonly read: (range: { readonly first: number; readonly count: number; readonly signal?: AbortSignal }) => Promise<Uint8Array>
}

type RowRange = Parameters<Rows['read']>[0]

/** The rows of one tensor as they are. Elements of less than a byte have no rows of their own and count as one row. */
export function rowsOf(checkpoint: Checkpoint, tensor: TensorInfo): Rows {
  const count = tensor.shape[0] ?? 1
  const rowBytes = count === 0 ? 0 : tensor.sizeBytes / count
  const whole = { count: 1, rowBytes: tensor.sizeBytes }
  const layout = Number.isInteger(rowBytes) ? { count, rowBytes } : whole
  return {
    ...layout,
    read: ({ first, count: rows, signal }) =>
      checkpoint.readRange({
        name: tensor.name,
        offsetBytes: first * layout.rowBytes,
        sizeBytes: rows * layout.rowBytes,
        ...(signal && { signal }),
      }),
  }
}

/** `count` rows from `first` on. */
export function sliceRows(rows: Rows, slice: { readonly first: number; readonly count: number }): Rows {
  return {
    count: slice.count,
    rowBytes: rows.rowBytes,
    read: ({ first, ...range }) => rows.read({ ...range, first: slice.first + first }),
  }
}

/** One after the other. All have rows of the same size. */
export function stackRows(parts: readonly Rows[]): Rows {
  const read = async ({ first, count, signal }: RowRange): Promise<Uint8Array> => {
    const pieces: Uint8Array[] = []
    let start = 0
    for (const part of parts) {
      const from = Math.max(first, start)
      const end = Math.min(first + count, start + part.count)
      if (from < end) pieces.push(await part.read({ first: from - start, count: end - from, ...(signal && { signal }) }))
      start += part.count
    }
    return pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces)
  }
  return { count: parts.reduce((sum, part) => sum + part.count, 0), rowBytes: parts[0]?.rowBytes ?? 0, read }
}

/** Rows in another order within groups of `groupRows`: row r of a group is row `sourceRow(r)` of the same group. A few groups are read at a time. */
export function reorderRows(rows: Rows, order: { readonly groupRows: number; readonly sourceRow: (row: number) => number }): Rows {
  const { groupRows, sourceRow } = order
  const { rowBytes } = rows
  const read = async ({ first, count, signal }: RowRange): Promise<Uint8Array> => {
    const start = Math.floor(first / groupRows) * groupRows
    const end = Math.min(rows.count, Math.ceil((first + count) / groupRows) * groupRows)
    const source = await rows.read({ first: start, count: end - start, ...(signal && { signal }) })
    const result = new Uint8Array(count * rowBytes)
    for (let index = 0; index < count; index++) {
      const row = first + index
      const group = Math.floor(row / groupRows) * groupRows
      const from = (group - start + sourceRow(row - group)) * rowBytes
      result.set(source.subarray(from, from + rowBytes), index * rowBytes)
    }
    return result
  }
  return { count: rows.count, rowBytes, read }
}

/** Side by side: each row is the same row of every part. */
export function joinColumns(parts: readonly Rows[]): Rows {
  const rowBytes = parts.reduce((sum, part) => sum + part.rowBytes, 0)
  const read = async (range: RowRange): Promise<Uint8Array> => {
    const result = new Uint8Array(range.count * rowBytes)
    let column = 0
    for (const part of parts) {
      const bytes = await part.read(range)
      for (let row = 0; row < range.count; row++)
        result.set(bytes.subarray(row * part.rowBytes, (row + 1) * part.rowBytes), row * rowBytes + column)
      column += part.rowBytes
    }
    return result
  }
  return { count: parts[0]?.count ?? 0, rowBytes, read }
}

/** Copies elements of `size` bytes; 2 and 4, the sizes that weights have, without a call for each. */
function transposeBytes(source: Uint8Array, shape: { readonly rows: number; readonly columns: number; readonly size: number }): Uint8Array {
  const { rows, columns, size } = shape
  const result = new Uint8Array(source.length)
  const aligned = Uint8Array.from(source)
  if (size === 2 || size === 4) {
    const from = size === 2 ? new Uint16Array(aligned.buffer, aligned.byteOffset) : new Uint32Array(aligned.buffer, aligned.byteOffset)
    const to = size === 2 ? new Uint16Array(result.buffer) : new Uint32Array(result.buffer)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) to[column * rows + row] = from[row * columns + column] ?? 0
    return result
  }
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const at = (row * columns + column) * size
      result.set(source.subarray(at, at + size), (column * rows + row) * size)
    }
  return result
}

/** Columns as rows. The whole matrix is read once and held until its last row was asked for. */
export function transposeRows(rows: Rows, dtype: Dtype): Rows {
  const size = DTYPE_BITS[dtype] / 8
  const columns = rows.rowBytes / size
  const rowBytes = rows.count * size
  let held: Promise<Uint8Array> | null = null
  const read = async ({ first, count, signal }: RowRange): Promise<Uint8Array> => {
    const make = async (): Promise<Uint8Array> =>
      transposeBytes(await rows.read({ first: 0, count: rows.count, ...(signal && { signal }) }), { rows: rows.count, columns, size })
    held ??= make()
    try {
      const bytes = await held
      if (first + count === columns) held = null
      return bytes.slice(first * rowBytes, (first + count) * rowBytes)
    } catch (cause) {
      // A failed or cancelled attempt must not stick.
      held = null
      throw cause
    }
  }
  return { count: columns, rowBytes, read }
}

/** Rows of zeros, for a part that the source does without. */
export function zeroRows(count: number, rowBytes: number): Rows {
  return { count, rowBytes, read: (range) => Promise.resolve(new Uint8Array(range.count * rowBytes)) }
}

/** Dtypes whose values can be changed row by row. */
export type PlainFloat = 'F32' | 'F16' | 'BF16'

/** Whether the values of a dtype can be changed. */
export function isPlainFloat(dtype: Dtype): dtype is PlainFloat {
  return dtype === 'F32' || dtype === 'F16' || dtype === 'BF16'
}

function mapRows(rows: Rows, dtype: PlainFloat, change: (value: number) => number): Rows {
  const read = async (range: RowRange): Promise<Uint8Array> => {
    const values = decodeFloat32(await rows.read(range), dtype).map(change)
    return castBytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), { from: 'F32', to: dtype }).bytes
  }
  return { count: rows.count, rowBytes: rows.rowBytes, read }
}

/** Every value doubled: exact, but for those beyond half of the largest one. */
export function doubleRows(rows: Rows, dtype: PlainFloat): Rows {
  return mapRows(rows, dtype, (value) => 2 * value)
}

/** A number added to every value; rows of other dtypes stay as they are. */
export function addRows(rows: Rows, dtype: Dtype, addend: number): Rows {
  return isPlainFloat(dtype) ? mapRows(rows, dtype, (value) => value + addend) : rows
}

/** Blocks that lie one after the other, taken apart into equal groups: the first group of every block, then the second of every block. `parts` are the blocks' rows. */
export function regroupRows(rows: Rows, order: { readonly groups: number; readonly parts: readonly number[] }): Rows {
  const { groups, parts } = order
  const starts = parts.map((_, index) => parts.slice(0, index).reduce((sum, count) => sum + count, 0))
  const slices = Array.from({ length: groups }, (_, group) =>
    parts.map((count, index) => sliceRows(rows, { first: (starts[index] ?? 0) + (group * count) / groups, count: count / groups })),
  )
  return stackRows(slices.flat())
}

/** Any range of bytes. */
export async function readBytes(
  rows: Rows,
  range: { readonly offsetBytes: number; readonly sizeBytes: number; readonly signal?: AbortSignal },
): Promise<Uint8Array> {
  const { offsetBytes, sizeBytes, signal } = range
  if (sizeBytes === 0 || rows.rowBytes === 0) return new Uint8Array()
  const first = Math.floor(offsetBytes / rows.rowBytes)
  const last = Math.ceil((offsetBytes + sizeBytes) / rows.rowBytes)
  const bytes = await rows.read({ first, count: last - first, ...(signal && { signal }) })
  const start = offsetBytes - first * rows.rowBytes
  return bytes.length === sizeBytes ? bytes : bytes.subarray(start, start + sizeBytes)
}
