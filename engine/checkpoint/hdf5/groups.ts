// Links of a group, in all three forms: symbol tables, link messages, and heaps of links (III.A.1, III.B-D, IV.A.2.g).
import { treeRecords } from './btree-v2'
import { openFractalHeap } from './fractal-heap'
import { MESSAGE, type HeaderMessage } from './object-header'
import type { Hdf5Source } from './source'

/** A link of a group; a hard link has the address of an object header, others lead to a path or another file. */
export interface Hdf5Link {
  readonly name: string
  readonly address: number | null
}

/** Nodes of one group's tree; each holds at least one table of symbols. */
const MAX_TREE_NODES = 100_000
/** Links of one group. */
const MAX_LINKS = 1_000_000

/** Names are UTF-8 by today's rules, and bytes of some older code page where they are not. */
function decodeName(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return new TextDecoder('latin1').decode(bytes)
  }
}

async function readLocalHeap(source: Hdf5Source, address: number): Promise<(offset: number) => string> {
  const cursor = source.cursor(await source.read(address, 8 + 2 * source.lengthBytes + source.addressBytes), address)
  cursor.signature('HEAP')
  cursor.skip(4)
  const sizeBytes = cursor.size()
  cursor.skip(source.lengthBytes)
  const dataAddress = cursor.address()
  if (dataAddress === null) throw source.malformed(address, 'a heap of names has no data')
  const data = await source.read(dataAddress, sizeBytes)
  return (offset) => {
    const end = data.indexOf(0, offset)
    if (offset >= data.length || end < 0) throw source.malformed(address, 'a name leaves its heap')
    return decodeName(data.subarray(offset, end))
  }
}

async function readSymbols(source: Hdf5Source, address: number, nameAt: (offset: number) => string): Promise<Hdf5Link[]> {
  const head = source.cursor(await source.read(address, 8), address)
  head.signature('SNOD')
  head.skip(2)
  const count = head.u16()
  const entryBytes = 2 * source.addressBytes + 24
  const cursor = source.cursor(await source.read(address + 8, count * entryBytes), address + 8)
  const links: Hdf5Link[] = []
  for (let index = 0; index < count; index++) {
    const name = nameAt(cursor.uint(source.addressBytes))
    const target = cursor.address()
    const cacheType = cursor.u32()
    cursor.skip(20)
    links.push({ name, address: cacheType === 2 ? null : target })
  }
  return links
}

async function readSymbolTable(source: Hdf5Source, message: HeaderMessage): Promise<Hdf5Link[]> {
  const cursor = source.cursor(message.bytes, message.offsetBytes)
  const root = cursor.address()
  const heapAddress = cursor.address()
  if (root === null || heapAddress === null) return []
  const nameAt = await readLocalHeap(source, heapAddress)
  const links: Hdf5Link[] = []
  const visited = new Set<number>()
  const pending = [root]
  for (let address = pending.pop(); address !== undefined; address = pending.pop()) {
    if (visited.has(address) || visited.size >= MAX_TREE_NODES) throw source.malformed(address, 'the tree of a group does not end')
    visited.add(address)
    const head = source.cursor(await source.read(address, 8), address)
    head.signature('TREE')
    const type = head.u8()
    const level = head.u8()
    const count = head.u16()
    if (type !== 0) throw source.malformed(address, 'the tree of a group is of another kind')
    const pairBytes = source.lengthBytes + source.addressBytes
    const start = address + 8 + 2 * source.addressBytes
    const node = source.cursor(await source.read(start, count * pairBytes), start)
    const children: number[] = []
    for (let index = 0; index < count; index++) {
      node.skip(source.lengthBytes)
      const child = node.address()
      if (child === null) throw source.malformed(start, 'a tree node has no child')
      children.push(child)
    }
    if (level > 0) pending.push(...children.reverse())
    else {
      for (const child of children) {
        if (visited.has(child)) throw source.malformed(child, 'a table of symbols is used twice')
        visited.add(child)
        links.push(...(await readSymbols(source, child, nameAt)))
        if (links.length > MAX_LINKS) throw source.malformed(address, `a group has more than ${MAX_LINKS} links`)
      }
    }
  }
  return links
}

function readLink(source: Hdf5Source, bytes: Uint8Array, offsetBytes: number): Hdf5Link {
  const cursor = source.cursor(bytes, offsetBytes)
  const version = cursor.u8()
  const flags = cursor.u8()
  if (version !== 1) throw source.malformed(offsetBytes, `a link has the unknown version ${version}`)
  const type = flags & 8 ? cursor.u8() : 0
  if (flags & 4) cursor.skip(8)
  if (flags & 16) cursor.skip(1)
  const name = decodeName(cursor.bytes(cursor.uint(1 << (flags & 3))))
  return { name, address: type === 0 ? cursor.address() : null }
}

/** Link ids lie behind the hash in trees by name. */
async function readDenseLinks(source: Hdf5Source, message: HeaderMessage): Promise<Hdf5Link[]> {
  const cursor = source.cursor(message.bytes, message.offsetBytes)
  cursor.skip(1)
  const flags = cursor.u8()
  if (flags & 1) cursor.skip(8)
  const heapAddress = cursor.address()
  const treeAddress = cursor.address()
  if (heapAddress === null || treeAddress === null) return []
  const readObject = await openFractalHeap(source, heapAddress)
  const links: Hdf5Link[] = []
  for await (const record of treeRecords(source, treeAddress))
    links.push(readLink(source, await readObject(record.subarray(4)), heapAddress))
  return links
}

/** All links of the group whose header was read. Throws "checkpoint/hdf5-malformed", "checkpoint/hdf5-unsupported". */
export async function readLinks(source: Hdf5Source, messages: readonly HeaderMessage[]): Promise<readonly Hdf5Link[]> {
  const links: Hdf5Link[] = []
  for (const message of messages) {
    if (message.type === MESSAGE.symbolTable) links.push(...(await readSymbolTable(source, message)))
    if (message.type === MESSAGE.linkInfo) links.push(...(await readDenseLinks(source, message)))
    if (message.type === MESSAGE.link) links.push(readLink(source, message.bytes, message.offsetBytes))
  }
  return links
}
