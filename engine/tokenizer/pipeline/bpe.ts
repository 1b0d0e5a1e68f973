// Byte-pair encoding: the pair with the lowest rank merges first, the leftmost of equals. Follows Hugging Face tokenizers 0.23 (models/bpe), its treatment of unknown characters included.
import { createPairTable, type PairTable } from './pair-table'

/** What a BPE model of a tokenizer.json says. */
export interface BpeOptions {
  readonly idOf: ReadonlyMap<string, number>
  /** Pairs of tokens in the order of their ranks; each makes the token that both spell, without the prefix of the second. */
  readonly merges: readonly (readonly [string, string])[]
  readonly unkId: number | null
  /** A token for unknown characters is named, but the vocabulary does not have it. */
  readonly lacksUnk?: boolean
  readonly fuseUnk: boolean
  readonly byteFallback: boolean
  /** A word that is a token is not cut first. */
  readonly ignoreMerges: boolean
  readonly continuingSubwordPrefix: string
  readonly endOfWordSuffix: string
}

/** Ids of one piece. */
export type EncodePiece = (text: string) => readonly number[]

/** Words repeat; a few thousand of them make most of a text. */
const MAX_CACHED_WORDS = 20_000
const MAX_CACHED_CHARACTERS = 64

/** Heap keys are rank and position in one number: 2^22 ranks by 2^23 positions stay exact. */
const POSITIONS = 2 ** 23

/** Makes the encoder; it throws an Error for an unknown character where `lacksUnk`. Merges whose tokens are not in the vocabulary must have been refused before. */
export function createBpe(options: BpeOptions): EncodePiece {
  const { idOf, ignoreMerges } = options
  const ranks = rankTable(options)
  const cache = new Map<string, readonly number[]>()
  return (text) => {
    if (text === '') return []
    const cached = cache.get(text)
    if (cached) return cached
    const whole = ignoreMerges ? idOf.get(text) : undefined
    const ids = whole === undefined ? mergeAll(symbolsOf(text, options), ranks) : [whole]
    if (text.length <= MAX_CACHED_CHARACTERS && cache.size < MAX_CACHED_WORDS) cache.set(text, ids)
    return ids
  }
}

interface Ranks {
  readonly rankOf: PairTable
  readonly newIds: Int32Array
}

function rankTable({ idOf, merges, continuingSubwordPrefix }: BpeOptions): Ranks {
  const rankOf = createPairTable(merges.length)
  const newIds = new Int32Array(merges.length)
  for (const [rank, [left, right]] of merges.entries()) {
    const [leftId, rightId, newId] = [idOf.get(left), idOf.get(right), idOf.get(left + right.slice(continuingSubwordPrefix.length))]
    if (leftId === undefined || rightId === undefined || newId === undefined) continue
    rankOf.set(leftId, rightId, rank)
    newIds[rank] = newId
  }
  return { rankOf, newIds }
}

/** The ids a word starts from: its characters, or their bytes, or the unknown token. */
function symbolsOf(text: string, options: BpeOptions): number[] {
  const { idOf, byteFallback, unkId, fuseUnk, continuingSubwordPrefix, endOfWordSuffix } = options
  const symbols: number[] = []
  let pendingUnk = false
  let at = 0
  for (const character of text) {
    const isFirst = at === 0
    at += character.length
    let symbol = isFirst ? character : continuingSubwordPrefix + character
    if (at === text.length) symbol += endOfWordSuffix
    const id = idOf.get(symbol)
    if (id !== undefined) {
      if (pendingUnk && unkId !== null) symbols.push(unkId)
      pendingUnk = false
      symbols.push(id)
      continue
    }
    const bytes = byteFallback ? byteIds(symbol, idOf) : null
    // The library forgets to write an open unknown token before bytes; it comes behind them.
    if (bytes) symbols.push(...bytes)
    else if (options.lacksUnk === true) throw new Error('its vocabulary lacks the token that it names for unknown characters')
    else if (unkId !== null) {
      if (pendingUnk && !fuseUnk) symbols.push(unkId)
      pendingUnk = true
    }
  }
  if (pendingUnk && unkId !== null) symbols.push(unkId)
  return symbols
}

/** Ids of the tokens `<0x..>` that spell a text, or null when one of them does not exist. */
export function byteIds(text: string, idOf: ReadonlyMap<string, number>): number[] | null {
  const ids: number[] = []
  for (const byte of new TextEncoder().encode(text)) {
    const id = idOf.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
    if (id === undefined) return null
    ids.push(id)
  }
  return ids
}

function mergeAll(ids: number[], { rankOf, newIds }: Ranks): readonly number[] {
  const count = ids.length
  if (count < 2) return ids
  const next = Int32Array.from({ length: count }, (_, index) => index + 1)
  const previous = Int32Array.from({ length: count }, (_, index) => index - 1)
  const alive = new Uint8Array(count).fill(1)
  const heap: number[] = []
  const offer = (position: number): void => {
    if (position < 0) return
    const right = next[position] ?? count
    if (right >= count) return
    const rank = rankOf.get(ids[position] ?? 0, ids[right] ?? 0)
    if (rank !== undefined) pushHeap(heap, rank * POSITIONS + position)
  }
  for (let position = 0; position + 1 < count; position++) offer(position)
  for (let top = popHeap(heap); top !== undefined; top = popHeap(heap)) {
    const position = top % POSITIONS
    const right = next[position] ?? count
    if (alive[position] === 0 || right >= count) continue
    const newId = newIds[(top - position) / POSITIONS] ?? 0
    const rank = rankOf.get(ids[position] ?? 0, ids[right] ?? 0)
    // The neighbours have changed since the entry was made.
    if (rank === undefined || newIds[rank] !== newId) continue
    ids[position] = newId
    alive[right] = 0
    const after = next[right] ?? count
    next[position] = after
    if (after < count) previous[after] = position
    offer(previous[position] ?? -1)
    offer(position)
  }
  return ids.filter((_, index) => alive[index] === 1)
}

function pushHeap(heap: number[], key: number): void {
  let index = heap.push(key) - 1
  while (index > 0) {
    const parent = (index - 1) >> 1
    const above = heap[parent] ?? 0
    if (above <= key) break
    heap[index] = above
    index = parent
  }
  heap[index] = key
}

function popHeap(heap: number[]): number | undefined {
  const top = heap[0]
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return top
  let index = 0
  for (;;) {
    let child = index * 2 + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && (heap[child + 1] ?? 0) < (heap[child] ?? 0)) child++
    const below = heap[child] ?? 0
    if (below >= last) break
    heap[index] = below
    index = child
  }
  heap[index] = last
  return top
}
