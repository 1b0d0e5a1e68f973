// Unigram segmentation: the path of pieces with the highest sum of scores. Follows Hugging Face tokenizers 0.23 (models/unigram), sums in doubles, the first of equals.
import { byteIds, type EncodePiece } from './bpe'
import { createPairTable } from './pair-table'

/** What a Unigram model of a tokenizer.json says; the id of a piece is its place. */
export interface UnigramOptions {
  readonly pieces: readonly (readonly [piece: string, score: number])[]
  readonly unkId: number | null
  readonly byteFallback: boolean
}

/** An unknown character costs this much more than the rarest piece. */
const UNKNOWN_PENALTY = 10

/** Makes the encoder. It throws an Error for an unknown character where the model has no unknown piece. */
export function createUnigram({ pieces, unkId, byteFallback }: UnigramOptions): EncodePiece {
  const idOf = new Map(pieces.map(([piece], id) => [piece, id]))
  const scores = Float64Array.from(pieces, ([, score]) => score)
  const unkScore = scores.reduce((least, score) => Math.min(least, score), Infinity) - UNKNOWN_PENALTY
  const trie = buildPieceTrie(idOf)

  return (text) => {
    const size = text.length
    const best = new Float64Array(size + 1)
    const startsAt = new Int32Array(size + 1).fill(-1)
    const idAt = new Int32Array(size + 1)
    const offer = (options: { readonly start: number; readonly end: number; readonly id: number; readonly score: number }): void => {
      const { start, end, id, score } = options
      if (startsAt[end] !== -1 && score <= (best[end] ?? 0)) return
      best[end] = score
      startsAt[end] = start
      idAt[end] = id
    }
    for (let start = 0; start < size;) {
      const characterEnd = start + ((text.codePointAt(start) ?? 0) > 0xffff ? 2 : 1)
      const before = best[start] ?? 0
      const seen = { character: false }
      trie.prefixes(text, start, (end, id) => {
        offer({ start, end, id, score: (scores[id] ?? 0) + before })
        if (end === characterEnd) seen.character = true
      })
      if (!seen.character) {
        if (unkId === null) throw new Error('it has no unknown piece for a character that it does not know')
        offer({ start, end: characterEnd, id: unkId, score: unkScore + before })
      }
      start = characterEnd
    }
    return idsOfPath({ text, startsAt, idAt, unkId, idOf, byteFallback })
  }
}

interface Path {
  readonly text: string
  readonly startsAt: Int32Array
  readonly idAt: Int32Array
  readonly unkId: number | null
  readonly idOf: ReadonlyMap<string, number>
  readonly byteFallback: boolean
}

/** Unknown characters side by side become one unknown piece, or the bytes of all of them. */
function idsOfPath({ text, startsAt, idAt, unkId, idOf, byteFallback }: Path): readonly number[] {
  const segments: { start: number; end: number; unknown: boolean }[] = []
  for (let end = text.length; end > 0;) {
    const start = startsAt[end] ?? 0
    const unknown = unkId !== null && idAt[end] === unkId
    const last = segments.at(-1)
    if (unknown && last?.unknown) last.start = start
    else segments.push({ start, end, unknown })
    end = start
  }
  return segments.reverse().flatMap(({ start, end }) => {
    const piece = text.slice(start, end)
    const id = idOf.get(piece)
    if (id !== undefined) return [id]
    const bytes = byteFallback ? byteIds(piece, idOf) : null
    return bytes ?? (unkId === null ? [] : [unkId])
  })
}

/** The pieces of a vocabulary, to be found at a place of a text. */
export interface PieceTrie {
  /** Calls `found` for every piece that stands at `start`, shorter ones first. */
  readonly prefixes: (text: string, start: number, found: (end: number, id: number) => void) => void
}

/** Builds the tree of pieces. */
export function buildPieceTrie(idOf: ReadonlyMap<string, number>): PieceTrie {
  let units = 0
  for (const piece of idOf.keys()) units += piece.length
  const children = createPairTable(units)
  const ids = new Int32Array(units + 1).fill(-1)
  let nodes = 1
  for (const [piece, id] of idOf) {
    let node = 0
    for (let index = 0; index < piece.length; index++) {
      const unit = piece.charCodeAt(index)
      let child = children.get(node, unit)
      if (child === undefined) {
        child = nodes++
        children.set(node, unit, child)
      }
      node = child
    }
    if (node !== 0) ids[node] = id
  }
  return {
    prefixes: (text, start, found) => {
      let node = 0
      for (let index = start; index < text.length; index++) {
        const child = children.get(node, text.charCodeAt(index))
        if (child === undefined) return
        node = child
        const id = ids[node] ?? -1
        if (id !== -1) found(index + 1, id)
      }
    },
  }
}
