// Where every entry of a prepared file lies: decided while the graph is built, before a byte is written.
import { nbitsLayout } from '../tensor/nbits/layout'
import type { PlacedEntry, PreparedRange, PreparedRequest } from './types'

/** The file begins with one page of header. */
export const HEADER_BYTES = 4096
/** Codes begin at pages, so that ONNX Runtime maps them without a copy. */
const CODE_ALIGNMENT = 4096
/** Scales and zero points are small and many: a cache line is enough. */
const PART_ALIGNMENT = 64

/** The entries of one prepared file, in the order they were asked for. */
export interface PreparedPlacement {
  /** Places an entry; the same name again is the same entry. */
  readonly add: (request: PreparedRequest) => PlacedEntry
  readonly entries: () => readonly PlacedEntry[]
  /** Where the data ends. */
  readonly endBytes: () => number
}

/** Starts an empty file. */
export function createPlacement(): PreparedPlacement {
  const placed = new Map<string, PlacedEntry>()
  let end = HEADER_BYTES

  const take = (sizeBytes: number, alignment: number): PreparedRange => {
    const offsetBytes = Math.ceil(end / alignment) * alignment
    end = offsetBytes + sizeBytes
    return { offsetBytes, sizeBytes }
  }

  return {
    add: (request) => {
      const known = placed.get(request.name)
      if (known !== undefined) return known
      const entry = { ...request, ...takeParts(request, take) }
      placed.set(request.name, entry)
      return entry
    },
    entries: () => [...placed.values()],
    endBytes: () => end,
  }
}

function takeParts(
  { source, form }: PreparedRequest,
  take: (sizeBytes: number, alignment: number) => PreparedRange,
): Pick<PlacedEntry, 'codes' | 'scales' | 'zeroPoints'> {
  if (form.kind === 'f32') {
    return { codes: take(source.shape.rows * source.shape.columns * 4, CODE_ALIGNMENT), scales: null, zeroPoints: null }
  }
  const layout = nbitsLayout(source.shape, form.format)
  return {
    codes: take(layout.codeBytes, CODE_ALIGNMENT),
    scales: take(layout.scaleBytes, PART_ALIGNMENT),
    zeroPoints: form.format.symmetric ? null : take(layout.zeroPointBytes, PART_ALIGNMENT),
  }
}
