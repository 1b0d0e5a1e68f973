// The chunks of a dataset and how they make up the whole (III.A.1 type 1, and the indexes of layout version 4, VII).
import { treeRecords } from './btree-v2'
import type { ChunkIndex } from './layout'
import type { Hdf5Source } from './source'

/** A stored chunk: its first element's place in the dataset, and its bytes in the file. */
export interface Hdf5Chunk {
  readonly offsets: readonly number[]
  readonly address: number
  readonly storedBytes: number
  readonly filterMask: number
}

/** Shape of the dataset and of its chunks; `filtered` chunks store their own size. */
export interface ChunkGrid {
  readonly shape: readonly number[]
  readonly chunkShape: readonly number[]
  readonly chunkBytes: number
  readonly filtered: boolean
}

/** Chunks of one dataset; each one costs a read, and 1 MB chunks of a 100 GB tensor are a tenth of this. */
const MAX_CHUNKS = 1_000_000

async function* treeV1Chunks(source: Hdf5Source, root: number, grid: ChunkGrid): AsyncGenerator<Hdf5Chunk, void, undefined> {
  const rank = grid.shape.length
  const keyBytes = 8 + 8 * (rank + 1)
  const visited = new Set<number>()
  const pending = [root]
  for (let address = pending.pop(); address !== undefined; address = pending.pop()) {
    if (visited.has(address) || visited.size > MAX_CHUNKS) throw source.malformed(address, 'the tree of chunks does not end')
    visited.add(address)
    const head = source.cursor(await source.read(address, 8), address)
    head.signature('TREE')
    const type = head.u8()
    const level = head.u8()
    const count = head.u16()
    if (type !== 1) throw source.malformed(address, 'the tree of chunks is of another kind')
    const start = address + 8 + 2 * source.addressBytes
    const node = source.cursor(await source.read(start, count * (keyBytes + source.addressBytes)), start)
    const children: number[] = []
    for (let index = 0; index < count; index++) {
      const storedBytes = node.u32()
      const filterMask = node.u32()
      const offsets = Array.from({ length: rank }, () => node.uint(8))
      node.skip(8)
      const child = node.address()
      if (child === null) throw source.malformed(start, 'a chunk has no address')
      if (level > 0) children.push(child)
      else yield { offsets, address: child, storedBytes, filterMask }
    }
    pending.push(...children.reverse())
  }
}

/** Place of the chunk with the given number in row-major order of the chunk grid. */
function gridOffsets(grid: ChunkGrid, number: number): readonly number[] {
  const counts = grid.shape.map((size, dimension) => Math.ceil(size / (grid.chunkShape[dimension] ?? 1)))
  const offsets = counts.map(() => 0)
  let rest = number
  for (let dimension = counts.length - 1; dimension >= 0; dimension--) {
    const count = counts[dimension] ?? 1
    offsets[dimension] = (rest % count) * (grid.chunkShape[dimension] ?? 1)
    rest = Math.floor(rest / count)
  }
  return offsets
}

function gridCount(grid: ChunkGrid): number {
  return grid.shape.reduce((product, size, dimension) => product * Math.ceil(size / (grid.chunkShape[dimension] ?? 1)), 1)
}

/** Fixed arrays (VII.C): chunk addresses in grid order, in pages with a bitmap where there are many. */
async function* fixedArrayChunks(source: Hdf5Source, address: number, grid: ChunkGrid): AsyncGenerator<Hdf5Chunk, void, undefined> {
  const { addressBytes, lengthBytes } = source
  const header = source.cursor(await source.read(address, 8 + lengthBytes + addressBytes), address)
  header.signature('FAHD')
  header.skip(2)
  const entryBytes = header.u8()
  const pageBits = header.u8()
  const count = header.size()
  const block = header.address()
  if (block === null) return
  if (count > Math.min(MAX_CHUNKS, gridCount(grid)) || pageBits > 32)
    throw source.malformed(address, `an array of ${count} chunks does not fit the dataset`)
  const pageEntries = 2 ** pageBits
  const pages = count > pageEntries ? Math.ceil(count / pageEntries) : 0
  const bitmapBytes = Math.ceil(pages / 8)
  const start = block + 6 + addressBytes
  source.cursor(await source.read(block, 4), block).signature('FADB')
  const bitmap = await source.read(start, bitmapBytes)
  const sizeBytes = entryBytes - addressBytes - 4
  if (grid.filtered ? sizeBytes < 1 || sizeBytes > 8 : entryBytes !== addressBytes)
    throw source.malformed(address, 'array entries have an impossible size')
  for (let first = 0; first < count; first += pageEntries) {
    const page = first / pageEntries
    const entries = Math.min(pageEntries, count - first)
    if (pages > 0 && ((bitmap[page >> 3] ?? 0) & (0x80 >> (page & 7))) === 0) continue
    // Pages follow the block's own checksum, each with one of its own.
    const position = pages > 0 ? start + bitmapBytes + 4 + page * (pageEntries * entryBytes + 4) : start
    const cursor = source.cursor(await source.read(position, entries * entryBytes), position)
    for (let index = 0; index < entries; index++) {
      const child = cursor.address()
      const storedBytes = grid.filtered ? cursor.uint(sizeBytes) : grid.chunkBytes
      const filterMask = grid.filtered ? cursor.u32() : 0
      if (child !== null) yield { offsets: gridOffsets(grid, first + index), address: child, storedBytes, filterMask }
    }
  }
}

/** Record types 10 and 11 (III.A.2): the offsets are counted in chunks. */
async function* treeV2Chunks(source: Hdf5Source, address: number, grid: ChunkGrid): AsyncGenerator<Hdf5Chunk, void, undefined> {
  const rank = grid.shape.length
  for await (const record of treeRecords(source, address)) {
    const cursor = source.cursor(record, address)
    const child = cursor.address()
    const sizeBytes = record.length - source.addressBytes - 4 - 8 * rank
    const storedBytes = grid.filtered ? cursor.uint(sizeBytes) : grid.chunkBytes
    const filterMask = grid.filtered ? cursor.u32() : 0
    const offsets = Array.from({ length: rank }, (_, dimension) => cursor.uint(8) * (grid.chunkShape[dimension] ?? 1))
    if (child !== null) yield { offsets, address: child, storedBytes, filterMask }
  }
}

/** Yields the stored chunks of a dataset. Throws "checkpoint/hdf5-malformed". */
export async function* datasetChunks(source: Hdf5Source, index: ChunkIndex, grid: ChunkGrid): AsyncGenerator<Hdf5Chunk, void, undefined> {
  if (index.kind === 'unsupported' || index.address === null) return
  if (gridCount(grid) > MAX_CHUNKS) throw source.malformed(index.address, `a dataset has more than ${MAX_CHUNKS} chunks`)
  switch (index.kind) {
    case 'tree-v1':
      yield* treeV1Chunks(source, index.address, grid)
      return
    case 'tree-v2':
      yield* treeV2Chunks(source, index.address, grid)
      return
    case 'fixed-array':
      yield* fixedArrayChunks(source, index.address, grid)
      return
    case 'single':
      yield {
        offsets: grid.shape.map(() => 0),
        address: index.address,
        storedBytes: index.sizeBytes ?? grid.chunkBytes,
        filterMask: index.filterMask,
      }
      return
    case 'implicit':
      for (let number = 0; number < gridCount(grid); number++) {
        yield {
          offsets: gridOffsets(grid, number),
          address: index.address + number * grid.chunkBytes,
          storedBytes: grid.chunkBytes,
          filterMask: 0,
        }
      }
  }
}

/** Copies the part of a decoded chunk that lies inside the dataset, row by row along the last dimension. */
export function placeChunk(
  target: Uint8Array,
  bytes: Uint8Array,
  place: { readonly offsets: readonly number[]; readonly grid: ChunkGrid; readonly elementBytes: number },
): void {
  const { offsets, grid, elementBytes } = place
  const { shape, chunkShape } = grid
  const last = shape.length - 1
  const lengths = shape.map((size, dimension) => Math.min(chunkShape[dimension] ?? 0, size - (offsets[dimension] ?? 0)))
  if (lengths.some((length) => length <= 0)) return
  const rowBytes = (lengths[last] ?? 1) * elementBytes
  const strides = (sizes: readonly number[]): readonly number[] =>
    sizes.map((_, dimension) => sizes.slice(dimension + 1).reduce((product, size) => product * size, elementBytes))
  const toStrides = strides(shape)
  const fromStrides = strides(chunkShape)
  const rows = lengths.slice(0, -1).reduce((product, length) => product * length, 1)
  const index = lengths.map(() => 0)
  for (let row = 0; row < rows; row++) {
    let from = 0
    let to = 0
    for (let dimension = 0; dimension <= last; dimension++) {
      from += (index[dimension] ?? 0) * (fromStrides[dimension] ?? 0)
      to += ((offsets[dimension] ?? 0) + (index[dimension] ?? 0)) * (toStrides[dimension] ?? 0)
    }
    target.set(bytes.subarray(from, from + rowBytes), to)
    for (let dimension = last - 1; dimension >= 0; dimension--) {
      const next = (index[dimension] ?? 0) + 1
      index[dimension] = next
      if (next < (lengths[dimension] ?? 0)) break
      index[dimension] = 0
    }
  }
}
