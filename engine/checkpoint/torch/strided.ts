// Reads ranges of strided views as packed row-major bytes, with few and bounded reads whatever the strides are.

/** What one read of the storage may span. */
const MAX_WINDOW_BYTES = 32 * 1024 * 1024
/** Windows of this size cost no more than the call; below it nothing is gained by splitting. */
const CHEAP_WINDOW_BYTES = 64 * 1024
/** A window may be this much larger than what is needed from it. */
const MAX_WASTE = 4

/** A strided view; all but `elementBytes` count elements. */
export interface StridedView {
  readonly shape: readonly number[]
  readonly strides: readonly number[]
  readonly offsetElements: number
  readonly elementBytes: number
}

interface Dimension {
  readonly size: number
  readonly stride: number
}

/** A rectangular part of the view: where it starts in storage and output, and its extent by dimension with the stride in both. */
interface Block {
  readonly storageStart: number
  readonly outputStart: number
  readonly dimensions: readonly (Dimension & { readonly outputStride: number })[]
}

/** Whether the view's elements lie in the storage one after the other, in order. */
export function isContiguous({ shape, strides }: Pick<StridedView, 'shape' | 'strides'>): boolean {
  if (shape.includes(0)) return true
  let expected = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1
    if (size === 1) continue
    if (strides[axis] !== expected) return false
    expected *= size
  }
  return true
}

/** Dimensions of one element are dropped, and neighbours that lie as one are merged. */
function mergeDimensions({ shape, strides }: StridedView): readonly Dimension[] {
  const merged: Dimension[] = []
  shape.forEach((size, axis) => {
    if (size === 1) return
    const stride = strides[axis] ?? 0
    const last = merged.at(-1)
    if (last && last.stride === stride * size) merged[merged.length - 1] = { size: last.size * size, stride }
    else merged.push({ size, stride })
  })
  return merged
}

/** Cuts the elements `start` to `end` of the row-major order into rectangles. */
function* rectangles(dimensions: readonly Dimension[], range: { readonly start: number; readonly end: number }): Generator<Block> {
  const rowSizes = dimensions.map((_, axis) => dimensions.slice(axis + 1).reduce((product, { size }) => product * size, 1))
  function* cut(axis: number, storageStart: number, start: number, end: number, outputStart: number): Generator<Block> {
    const dimension = dimensions[axis]
    if (!dimension) {
      if (end > start) yield { storageStart, outputStart, dimensions: [] }
      return
    }
    const rowSize = rowSizes[axis] ?? 1
    const { stride } = dimension
    const firstRow = Math.floor(start / rowSize)
    const lastRow = Math.floor((end - 1) / rowSize)
    const row = (index: number) => storageStart + index * stride
    if (firstRow === lastRow && end - start < rowSize) {
      yield* cut(axis + 1, row(firstRow), start - firstRow * rowSize, end - firstRow * rowSize, outputStart)
      return
    }
    let wholeFrom = firstRow
    let output = outputStart
    if (start % rowSize !== 0) {
      yield* cut(axis + 1, row(firstRow), start - firstRow * rowSize, rowSize, output)
      wholeFrom++
      output += wholeFrom * rowSize - start
    }
    const wholeTo = Math.floor(end / rowSize)
    if (wholeTo > wholeFrom) {
      yield {
        storageStart: row(wholeFrom),
        outputStart: output,
        dimensions: [{ size: wholeTo - wholeFrom, stride }, ...dimensions.slice(axis + 1)].map((inner, index) => ({
          ...inner,
          outputStride: rowSizes[axis + index] ?? 1,
        })),
      }
      output += (wholeTo - wholeFrom) * rowSize
    }
    if (end % rowSize !== 0) yield* cut(axis + 1, row(wholeTo), 0, end - wholeTo * rowSize, output)
  }
  if (range.end > range.start) yield* cut(0, 0, range.start, range.end, 0)
}

function spanElements({ dimensions }: Block): number {
  return dimensions.reduce((span, { size, stride }) => span + (size - 1) * stride, 1)
}

function neededElements({ dimensions }: Block): number {
  return dimensions.reduce((product, { size, stride }) => product * (stride === 0 ? 1 : size), 1)
}

/** Halves a block along the dimension that reaches farthest in the storage. */
function halve(block: Block): readonly Block[] {
  const axis = block.dimensions.reduce((best, dimension, index) => {
    const reach = ({ size, stride }: Dimension) => (size > 1 ? (size - 1) * stride : -1)
    const other = block.dimensions[best]
    return other && reach(other) >= reach(dimension) ? best : index
  }, 0)
  const dimension = block.dimensions[axis]
  if (!dimension || dimension.size < 2) return [block]
  const half = dimension.size >> 1
  const withSize = (size: number) => block.dimensions.map((other, index) => (index === axis ? { ...other, size } : other))
  return [
    { ...block, dimensions: withSize(half) },
    {
      storageStart: block.storageStart + half * dimension.stride,
      outputStart: block.outputStart + half * dimension.outputStride,
      dimensions: withSize(dimension.size - half),
    },
  ]
}

type Lanes = Uint8Array | Uint16Array | Uint32Array

/** Elements as one or more machine words: floating-point arrays could change the bits of a NaN. */
function lanesOf(bytes: Uint8Array, elementBytes: number): { readonly lanes: Lanes; readonly perElement: number } {
  const { buffer, byteOffset, byteLength } = bytes
  if (elementBytes % 4 === 0) return { lanes: new Uint32Array(buffer, byteOffset, byteLength / 4), perElement: elementBytes / 4 }
  if (elementBytes % 2 === 0) return { lanes: new Uint16Array(buffer, byteOffset, byteLength / 2), perElement: elementBytes / 2 }
  return { lanes: bytes, perElement: elementBytes }
}

/** Copies a block out of `window`, whose first element is the block's. Both arrays start on a multiple of the element size. */
function scatter(block: Block, options: { readonly window: Uint8Array; readonly output: Uint8Array; readonly elementBytes: number }): void {
  const { lanes: source, perElement } = lanesOf(options.window, options.elementBytes)
  const { lanes: target } = lanesOf(options.output, options.elementBytes)
  const copy = (axis: number, from: number, to: number): void => {
    const dimension = block.dimensions[axis]
    if (!dimension) {
      for (let lane = 0; lane < perElement; lane++) target[to * perElement + lane] = source[from * perElement + lane] ?? 0
      return
    }
    const { size, stride, outputStride } = dimension
    if (axis < block.dimensions.length - 1) {
      for (let index = 0; index < size; index++) copy(axis + 1, from + index * stride, to + index * outputStride)
    } else if (stride === 1 && outputStride === 1) {
      target.set(source.subarray(from * perElement, (from + size) * perElement), to * perElement)
    } else {
      for (let index = 0; index < size; index++) {
        for (let lane = 0; lane < perElement; lane++) {
          target[(to + index * outputStride) * perElement + lane] = source[(from + index * stride) * perElement + lane] ?? 0
        }
      }
    }
  }
  copy(0, 0, block.outputStart)
}

/**
 * Reads the elements `start` to `end` (row-major) of a view, packed. `read` gives bytes of the storage; the view must lie inside it.
 * Reads at most 32 MiB at once, and at most 4 times what is needed unless the needed parts are tiny.
 */
export async function readStrided(
  view: StridedView,
  options: {
    readonly start: number
    readonly end: number
    readonly read: (offsetBytes: number, sizeBytes: number) => Promise<Uint8Array>
  },
): Promise<Uint8Array> {
  const { elementBytes } = view
  const output = new Uint8Array((options.end - options.start) * elementBytes)
  for (const rectangle of rectangles(mergeDimensions(view), options)) {
    const waiting: Block[] = [rectangle]
    for (let block = waiting.pop(); block; block = waiting.pop()) {
      const windowBytes = spanElements(block) * elementBytes
      const isCheap = windowBytes <= CHEAP_WINDOW_BYTES
      const isDense = windowBytes <= MAX_WINDOW_BYTES && windowBytes <= MAX_WASTE * neededElements(block) * elementBytes
      const parts = isCheap || isDense ? [block] : halve(block)
      if (parts.length > 1) {
        waiting.push(...parts)
        continue
      }
      const bytes = await options.read((view.offsetElements + block.storageStart) * elementBytes, windowBytes)
      // A view into a larger buffer may start anywhere; words need an aligned start.
      const window = bytes.byteOffset % 4 === 0 ? bytes : Uint8Array.from(bytes)
      scatter(block, { window, output, elementBytes })
    }
  }
  return output
}

/** Reverses the bytes of every word in place: what a big-endian file needs. */
export function swapBytes(bytes: Uint8Array, wordBytes: number): void {
  if (wordBytes < 2) return
  for (let start = 0; start + wordBytes <= bytes.length; start += wordBytes) bytes.subarray(start, start + wordBytes).reverse()
}
