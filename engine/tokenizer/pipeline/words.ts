// Models that look words up: WordPiece and WordLevel. Follows Hugging Face tokenizers 0.23 (models/wordpiece, models/wordlevel).
import type { EncodePiece } from './bpe'

/** What a WordPiece model of a tokenizer.json says. */
export interface WordPieceOptions {
  readonly idOf: ReadonlyMap<string, number>
  readonly unkId: number | null
  readonly continuingSubwordPrefix: string
  /** Longer words are unknown. */
  readonly maxInputCharsPerWord: number
}

function unknown(unkId: number | null): readonly number[] {
  if (unkId === null) throw new Error('it has no unknown token for a word that it does not know')
  return [unkId]
}

/** Makes the encoder: from the left the longest piece that exists; a word that is not covered is unknown as a whole. */
export function createWordPiece({ idOf, unkId, continuingSubwordPrefix, maxInputCharsPerWord }: WordPieceOptions): EncodePiece {
  return (text) => {
    const characters = Array.from(text)
    if (characters.length > maxInputCharsPerWord) return unknown(unkId)
    const ids: number[] = []
    for (let start = 0; start < characters.length;) {
      let end = characters.length
      let id: number | undefined
      for (; end > start; end--) {
        const piece = characters.slice(start, end).join('')
        id = idOf.get(start > 0 ? continuingSubwordPrefix + piece : piece)
        if (id !== undefined) break
      }
      if (id === undefined) return unknown(unkId)
      ids.push(id)
      start = end
    }
    return ids
  }
}

/** Makes the encoder: a word is a token or unknown. */
export function createWordLevel({ idOf, unkId }: Pick<WordPieceOptions, 'idOf' | 'unkId'>): EncodePiece {
  return (text) => {
    const id = idOf.get(text)
    return id === undefined ? unknown(unkId) : [id]
  }
}
