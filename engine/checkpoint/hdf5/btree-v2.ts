// Version 2 B-trees: records of links, attributes and chunks (III.A.2).
import type { Hdf5Source } from './source'

/** Records of one tree: links of a group or chunks of a dataset. */
const MAX_TREE_RECORDS = 1_000_000
/** A tree of the smallest nodes that holds the above is far lower. */
const MAX_DEPTH = 32

interface Node {
  readonly address: number
  readonly records: number
  readonly depth: number
}

function bytesFor(value: number): number {
  let bytes = 1
  for (let rest = Math.floor(value / 256); rest > 0; rest = Math.floor(rest / 256)) bytes++
  return bytes
}

/** Yields the raw records of the tree at `address` in order. Throws "checkpoint/hdf5-malformed". */
export async function* treeRecords(source: Hdf5Source, address: number): AsyncGenerator<Uint8Array, void, undefined> {
  const { addressBytes, lengthBytes } = source
  const cursor = source.cursor(await source.read(address, 18 + addressBytes + lengthBytes), address)
  cursor.signature('BTHD')
  cursor.skip(2)
  const nodeBytes = cursor.u32()
  const recordBytes = cursor.u16()
  const depth = cursor.u16()
  cursor.skip(2)
  const root = cursor.address()
  const rootRecords = cursor.u16()
  if (root === null) return
  if (depth > MAX_DEPTH || recordBytes === 0 || nodeBytes < 16) throw source.malformed(address, 'a tree has impossible sizes')

  // Widths of the counts in internal nodes follow from how many records a node below can hold.
  const leafMax = Math.floor((nodeBytes - 10) / recordBytes)
  const countBytes = bytesFor(leafMax)
  const totalBytes: number[] = [0]
  let subtree = leafMax
  for (let level = 1; level <= depth; level++) {
    const pointerBytes = addressBytes + countBytes + (totalBytes[level - 1] ?? 0)
    const max = Math.floor((nodeBytes - 10 - pointerBytes) / (recordBytes + pointerBytes))
    subtree = (max + 1) * subtree + max
    totalBytes[level] = bytesFor(subtree)
  }

  let seen = 0
  const visited = new Set<number>()
  const walk = async function* (node: Node): AsyncGenerator<Uint8Array, void, undefined> {
    if (visited.has(node.address)) throw source.malformed(node.address, 'a tree leads back into itself')
    visited.add(node.address)
    seen += node.records
    if (seen > MAX_TREE_RECORDS) throw source.malformed(node.address, `a tree has more than ${MAX_TREE_RECORDS} records`)
    const bytes = await source.read(node.address, Math.min(nodeBytes, source.file.sizeBytes - node.address))
    const content = source.cursor(bytes, node.address)
    content.signature(node.depth === 0 ? 'BTLF' : 'BTIN')
    content.skip(2)
    const records = Array.from({ length: node.records }, () => content.bytes(recordBytes))
    if (node.depth === 0) {
      yield* records
      return
    }
    const below = totalBytes[node.depth - 1] ?? 0
    for (let index = 0; index <= node.records; index++) {
      const child = content.address()
      const count = content.uint(countBytes)
      if (node.depth > 1) content.skip(below)
      if (child === null) throw source.malformed(node.address, 'a tree node has no child')
      yield* walk({ address: child, records: count, depth: node.depth - 1 })
      const record = records[index]
      if (record) yield record
    }
  }
  yield* walk({ address: root, records: rootRecords, depth })
}
