// Fractal heaps, where large groups keep their links and attributes (III.G).
import { engineError } from '../../errors'
import type { Hdf5Source } from './source'

/** Gives the bytes of an object by its heap id. */
export type ReadHeapObject = (id: Uint8Array) => Promise<Uint8Array>

/** HDF5 keeps links and attributes below 64 KiB; anything above would lie outside the heap. */
const MAX_OBJECT_BYTES = 64 * 1024
/** Blocks visited on the way to an object; heaps of this width are 2 levels deep in practice. */
const MAX_DEPTH = 16

interface HeapShape {
  readonly tableWidth: number
  readonly startBlockBytes: number
  readonly maxDirectBytes: number
  readonly offsetBytes: number
  readonly headBytes: number
}

/** Rows of blocks double in size from the second on. */
function rowBlockBytes(shape: HeapShape, row: number): number {
  return shape.startBlockBytes * 2 ** Math.max(0, row - 1)
}

function directRows(shape: HeapShape): number {
  return Math.log2(shape.maxDirectBytes / shape.startBlockBytes) + 2
}

/** Bytes of the heap's address space that an indirect block of `rows` rows covers. */
function spanBytes(shape: HeapShape, rows: number): number {
  return rows === 0 ? 0 : shape.tableWidth * shape.startBlockBytes * 2 ** (rows - 1)
}

/** Reads a heap's header. Throws "checkpoint/hdf5-malformed", "checkpoint/hdf5-unsupported". */
export async function openFractalHeap(source: Hdf5Source, address: number): Promise<ReadHeapObject> {
  const { addressBytes, lengthBytes } = source
  const sizeBytes = 22 + 12 * lengthBytes + 3 * addressBytes
  const cursor = source.cursor(await source.read(address, sizeBytes), address)
  cursor.signature('FRHP')
  cursor.skip(1)
  const idBytes = cursor.u16()
  const filterBytes = cursor.u16()
  if (filterBytes > 0)
    throw engineError('checkpoint/hdf5-unsupported', { path: source.file.path, object: 'a group', what: 'links in a compressed heap' })
  cursor.skip(1)
  const maxManagedBytes = cursor.u32()
  cursor.skip(lengthBytes + addressBytes + lengthBytes + addressBytes + 8 * lengthBytes)
  const tableWidth = cursor.u16()
  const startBlockBytes = cursor.size()
  const maxDirectBytes = cursor.size()
  const heapBits = cursor.u16()
  cursor.skip(2)
  const rootAddress = cursor.address()
  const rootRows = cursor.u16()
  const isPower = (value: number): boolean => value > 0 && Number.isInteger(Math.log2(value))
  if (!isPower(tableWidth) || !isPower(startBlockBytes) || !isPower(maxDirectBytes) || maxDirectBytes < startBlockBytes || heapBits > 64)
    throw source.malformed(address, 'a heap has impossible block sizes')
  const offsetBytes = Math.ceil(heapBits / 8)
  const lengthFieldBytes = Math.ceil((Math.floor(Math.log2(Math.min(maxDirectBytes, maxManagedBytes) || 1)) + 1) / 8)
  const shape: HeapShape = { tableWidth, startBlockBytes, maxDirectBytes, offsetBytes, headBytes: 5 + addressBytes + offsetBytes }

  const findIndirect = async (block: {
    readonly address: number
    readonly rows: number
    readonly offset: number
    readonly depth: number
  }): Promise<{ readonly address: number; readonly offset: number }> => {
    if (block.depth > MAX_DEPTH) throw source.malformed(block.address, 'a heap nests too deep')
    let row = 0
    let start = 0
    while (row < block.rows && block.offset >= start + rowBlockBytes(shape, row) * tableWidth) {
      start += rowBlockBytes(shape, row) * tableWidth
      row++
    }
    if (row >= block.rows) throw source.malformed(block.address, 'a heap id points outside its heap')
    const column = Math.floor((block.offset - start) / rowBlockBytes(shape, row))
    const entry = block.address + shape.headBytes + (row * tableWidth + column) * addressBytes
    const child = source.cursor(await source.read(entry, addressBytes), entry).address()
    if (child === null) throw source.malformed(entry, 'a heap id points to a block that was never written')
    const inside = block.offset - start - column * rowBlockBytes(shape, row)
    if (row < directRows(shape)) return { address: child, offset: inside }
    let rows = 1
    while (spanBytes(shape, rows) < rowBlockBytes(shape, row)) rows++
    return findIndirect({ address: child, rows, offset: inside, depth: block.depth + 1 })
  }

  return async (id) => {
    const idCursor = source.cursor(id.subarray(0, idBytes), address)
    const type = (idCursor.u8() >> 4) & 3
    if (type !== 0)
      throw engineError('checkpoint/hdf5-unsupported', { path: source.file.path, object: 'a group', what: 'huge or tiny heap objects' })
    const offset = idCursor.uint(offsetBytes)
    const length = idCursor.uint(lengthFieldBytes)
    if (length > MAX_OBJECT_BYTES) throw source.malformed(address, `a heap object has ${length} bytes`)
    if (rootAddress === null) throw source.malformed(address, 'a heap without blocks has an object')
    // Offsets count from the block's very start, its head included.
    if (rootRows === 0) return source.read(rootAddress + offset, length)
    const place = await findIndirect({ address: rootAddress, rows: rootRows, offset, depth: 0 })
    return source.read(place.address + place.offset, length)
  }
}
