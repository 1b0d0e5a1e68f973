// Segmentation of a normalized text with the Unigram, word and character models of a tokenizer.model. Follows the C++ library SentencePiece 0.2.2 (src/unigram_model.cc, word_model.cc, char_model.cc, sentencepiece_processor.cc).
import { buildPieceTrie } from './pipeline/unigram'
import { byteOfPiece, PIECE_TYPE, type SentencePieceModel } from './sentencepiece-model'

const SPACE_SYMBOL = '\u2581'
/** An unknown character costs this much more than the rarest piece. */
const UNKNOWN_PENALTY = 10
/** FLT_MIN, from which the library starts to look for the highest score. */
const SMALLEST_FLOAT = 1.1754943508222875e-38

interface Segment {
  readonly text: string
  readonly id: number
}

/** Sums of scores: in single precision, as in SentencePiece, or in double, as in Hugging Face tokenizers. */
export type ScorePrecision = 'single' | 'double'

/** Makes the function from a normalized text to ids. */
export function createSegments(model: SentencePieceModel, precision: ScorePrecision): (normalized: string) => number[] {
  const segment = SEGMENTS[model.algorithm === 'bpe' ? 'char' : model.algorithm](model, precision)
  const byteIds = new Int32Array(256).fill(-1)
  for (const [id, piece] of model.pieces.entries()) {
    if (model.types[id] === PIECE_TYPE.byte) byteIds[byteOfPiece(piece) ?? 0] = id
  }
  return (normalized) => {
    const ids: number[] = []
    let afterUnknown = false
    for (const { text, id } of segment(normalized)) {
      const isUnknown = model.types[id] === PIECE_TYPE.unknown
      if (isUnknown && model.byteFallback) for (const byte of new TextEncoder().encode(text)) ids.push(byteIds[byte] ?? id)
      // Unknown characters side by side are one unknown piece.
      else if (!isUnknown || !afterUnknown) ids.push(id)
      afterUnknown = isUnknown
    }
    return ids
  }
}

type MakeSegment = (model: SentencePieceModel, precision: ScorePrecision) => (normalized: string) => readonly Segment[]

const SEGMENTS: Readonly<Record<'unigram' | 'word' | 'char', MakeSegment>> = {
  unigram: createUnigramSegment,
  word: (model) => (normalized) => wordsOf(normalized).map((text) => ({ text, id: idOfText(model, text) })),
  char: (model) => {
    const symbols = model.pieces.filter((_, id) => model.types[id] === PIECE_TYPE.userDefined)
    const symbolIds = buildPieceTrie(new Map(symbols.map((piece, index) => [piece, index])))
    return (normalized) => {
      const segments: Segment[] = []
      for (let at = 0; at < normalized.length;) {
        let end = at + ((normalized.codePointAt(at) ?? 0) > 0xffff ? 2 : 1)
        symbolIds.prefixes(normalized, at, (symbolEnd) => {
          end = symbolEnd
        })
        const text = normalized.slice(at, end)
        segments.push({ text, id: idOfText(model, text) })
        at = end
      }
      return segments
    }
  },
}

function idOfText(model: SentencePieceModel, text: string): number {
  return model.idOfPiece.get(text) ?? model.unkId
}

/** A word begins at every space. */
function wordsOf(normalized: string): readonly string[] {
  const words: string[] = []
  let start = 0
  for (let at = 1; at <= normalized.length; at++) {
    if (at < normalized.length && normalized.charAt(at) !== SPACE_SYMBOL) continue
    words.push(normalized.slice(start, at))
    start = at
  }
  return normalized === '' ? [] : words
}

/** The path of pieces with the highest sum of scores, the first of equals. */
function createUnigramSegment(model: SentencePieceModel, precision: ScorePrecision): (normalized: string) => readonly Segment[] {
  const { pieces, scores, types, unkId } = model
  const found = (id: number) => types[id] === PIECE_TYPE.normal || types[id] === PIECE_TYPE.userDefined || precision === 'double'
  const trie = buildPieceTrie(new Map(pieces.flatMap((piece, id): [string, number][] => (found(id) ? [[piece, id]] : []))))
  const normal = Array.from(scores).filter((_, id) => precision === 'double' || types[id] === PIECE_TYPE.normal)
  const lowest = normal.reduce((least, score) => Math.min(least, score), Infinity)
  const highest = normal.reduce((most, score) => Math.max(most, score), SMALLEST_FLOAT)
  const keep = precision === 'single' ? Math.fround : (sum: number) => sum
  const unknownScore = keep(lowest - UNKNOWN_PENALTY)
  // The library gives symbols of the user's a bonus so that they always win.
  const scoreOf = Float64Array.from(pieces, (piece, id) =>
    precision === 'single' && types[id] === PIECE_TYPE.userDefined
      ? Math.fround(Buffer.byteLength(piece) * highest) - 0.1
      : (scores[id] ?? 0),
  )

  return (normalized) => {
    const size = normalized.length
    const best = new Float64Array(size + 1)
    const startsAt = new Int32Array(size + 1).fill(-1)
    const idAt = new Int32Array(size + 1)
    for (let start = 0; start < size;) {
      const characterEnd = start + ((normalized.codePointAt(start) ?? 0) > 0xffff ? 2 : 1)
      const before = best[start] ?? 0
      const from = start
      const seen = { character: false }
      const offer = (end: number, id: number, sum: number): void => {
        const score = keep(sum)
        if (startsAt[end] !== -1 && score <= (best[end] ?? 0)) return
        best[end] = score
        startsAt[end] = from
        idAt[end] = id
      }
      trie.prefixes(normalized, start, (end, id) => {
        offer(end, id, (scoreOf[id] ?? 0) + before)
        if (end === characterEnd) seen.character = true
      })
      if (!seen.character) offer(characterEnd, unkId, unknownScore + before)
      start = characterEnd
    }
    const segments: Segment[] = []
    for (let end = size; end > 0; end = startsAt[end] ?? 0) {
      segments.push({ text: normalized.slice(startsAt[end] ?? 0, end), id: idAt[end] ?? unkId })
    }
    return segments.reverse()
  }
}
