// The bytes of all tokens as one tree in preorder: a mask over a whole vocabulary is one walk that skips what does not fit.

/** Nodes in preorder; the arrays run in parallel. Depth counts from 1; `end` is the first node behind a node's subtree; `token` is -1 where no token ends. */
export interface TokenTrie {
  readonly byte: Uint8Array
  readonly depth: Uint16Array
  readonly end: Uint32Array
  readonly token: Int32Array
  /** [vocabSize] another token with the same bytes, or -1. */
  readonly same: Int32Array
  readonly maxDepth: number
}

/** A longer token is a text by itself; vocabularies have a few of over 100 spaces. Longer ones are never allowed by a grammar. */
const MAX_TOKEN_BYTES = 1024

/** Builds the tree; ids without bytes are left out. */
export function buildTokenTrie(bytesOf: (id: number) => Uint8Array | null, vocabSize: number): TokenTrie {
  const spelled: { readonly key: string; readonly id: number }[] = []
  for (let id = 0; id < vocabSize; id++) {
    const bytes = bytesOf(id)
    if (bytes !== null && bytes.length > 0 && bytes.length <= MAX_TOKEN_BYTES)
      spelled.push({ key: Buffer.from(bytes).toString('latin1'), id })
  }
  // UTF-16 code units of Latin-1 text order as the bytes do.
  spelled.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.id - b.id))
  const byte: number[] = []
  const depth: number[] = []
  const end: number[] = []
  const token: number[] = []
  const same = new Int32Array(vocabSize).fill(-1)
  const path: number[] = []
  let before = ''
  let maxDepth = 0
  const leave = (toDepth: number): void => {
    while (path.length > toDepth) end[path.pop() ?? 0] = byte.length
  }
  for (const { key, id } of spelled) {
    let shared = 0
    while (shared < key.length && shared < before.length && key.charCodeAt(shared) === before.charCodeAt(shared)) shared++
    leave(shared)
    for (let index = shared; index < key.length; index++) {
      path.push(byte.length)
      byte.push(key.charCodeAt(index))
      depth.push(index + 1)
      end.push(0)
      token.push(-1)
    }
    const node = path.at(-1) ?? 0
    same[id] = token[node] ?? -1
    token[node] = id
    maxDepth = Math.max(maxDepth, key.length)
    before = key
  }
  leave(0)
  return {
    byte: Uint8Array.from(byte),
    depth: Uint16Array.from(depth),
    end: Uint32Array.from(end),
    token: Int32Array.from(token),
    same,
    maxDepth,
  }
}
