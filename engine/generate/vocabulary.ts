// What each token adds to a text, as bytes: for grammars, for showing tokens, and for finding the tokens that contain a text.
import { bytesOfToken } from '../tokenizer/byte-level'
import type { Tokenizer } from '../tokenizer/types'
import { buildTokenTrie, type TokenTrie } from './grammar/token-trie'

/** The tokens of a model by id. */
export interface Vocabulary {
  readonly size: number
  /** What the token adds in the middle of a text; null for special tokens and ids that stand for nothing. */
  readonly bytesOf: (id: number) => Uint8Array | null
  /** The same as text, parts of characters as <0xNN>; special tokens as the vocabulary writes them. */
  readonly textOf: (id: number) => string
  /** All tokens by their bytes; the first call takes about a second for a large vocabulary. */
  readonly trie: () => TokenTrie
  /** Ids of the tokens whose text contains one of these, in ascending order. */
  readonly idsContaining: (texts: readonly string[]) => readonly number[]
  /** Ids after which a token's text is that of `bytesOf`, for decoders that treat the beginning of a text differently. */
  readonly contextIds: readonly number[]
}

const BYTE_PIECE = /^<0x([0-9A-Fa-f]{2})>$/
const REPLACEMENT = '\ufffd'

const asBytePiece = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`

/** Makes the vocabulary of a tokenizer; `size` is the model's, which may have more ids than the tokenizer. Tokens are looked at when they are asked for. */
export function createVocabulary(tokenizer: Tokenizer, size: number): Vocabulary {
  const contextIds = tokenizer.encode('a', { addSpecial: false, parseSpecial: false })
  const context = tokenizer.decode(contextIds, { skipSpecial: true })
  const known: (Uint8Array | null | undefined)[] = []
  let trie: TokenTrie | null = null

  function spell(id: number): Uint8Array | null {
    const piece = tokenizer.piece(id)
    if (piece === null || tokenizer.isSpecial(id)) return null
    const whole = tokenizer.decode([...contextIds, id], { skipSpecial: true })
    const text = whole.startsWith(context) ? whole.slice(context.length) : whole
    if (text === '') return null
    if (!text.includes(REPLACEMENT)) return new TextEncoder().encode(text)
    const byte = BYTE_PIECE.exec(piece)?.[1]
    return byte === undefined ? bytesOfToken(piece) : Uint8Array.of(Number.parseInt(byte, 16))
  }

  function bytesOf(id: number): Uint8Array | null {
    let bytes = known[id]
    if (bytes === undefined) known[id] = bytes = spell(id)
    return bytes
  }

  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const textOf = (id: number): string => {
    const bytes = bytesOf(id)
    if (bytes === null) return tokenizer.piece(id) ?? ''
    const text = decoder.decode(bytes)
    return text.includes(REPLACEMENT) ? Array.from(bytes, asBytePiece).join('') : text
  }
  return {
    size,
    bytesOf,
    textOf,
    trie: () => (trie ??= buildTokenTrie(bytesOf, size)),
    idsContaining: (texts) => {
      const wanted = texts.filter((text) => text !== '')
      if (wanted.length === 0) return []
      return Array.from({ length: size }, (_, id) => id).filter((id) => {
        if (bytesOf(id) === null) return false
        const text = textOf(id)
        return wanted.some((each) => text.includes(each))
      })
    },
    contextIds,
  }
}
