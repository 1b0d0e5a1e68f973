// Ids of a SentencePiece vocabulary to text, one at a time, as SentencePieceProcessor::Decode of the C++ library 0.2 does it in one go.
import { byteOfPiece, PIECE_TYPE, type SentencePieceModel } from './sentencepiece-model'
import type { StreamDecoder } from './types'
import { createUtf8Stream } from './utf8-stream'

const SPACE_SYMBOL = '\u2581'

/** What a special or added token shows as. `null` leaves the id to the vocabulary. */
type SurfaceOfToken = (id: number) => string | null

/** How the first piece loses its space: as `sentencepiece` (the normalizer flags decide), or by the rule of a tokenizer class. */
export type LeadingSpace = 'sentencepiece' | 'strip-one' | 'keep'

export interface SentencePieceDecoderOptions {
  readonly model: SentencePieceModel
  /** Text of ids that are shown or left out as a whole: special tokens and tokens added after training. */
  readonly surfaceOfToken: SurfaceOfToken
  readonly leadingSpace: LeadingSpace
}

/**
 * Makes a decoder. Holds back at most three bytes: the beginning of a character that byte pieces spell.
 * Bytes that form no character become one U+FFFD each.
 */
export function createSentencePieceDecoder(options: SentencePieceDecoderOptions): StreamDecoder {
  const { model, surfaceOfToken } = options
  const { addDummyPrefix, removeExtraWhitespaces } = model.normalizer
  const stripsAny =
    options.leadingSpace === 'sentencepiece' ? addDummyPrefix || removeExtraWhitespaces : options.leadingSpace === 'strip-one'
  // With remove_extra_whitespaces every leading space goes, not only the one the library put there.
  const stripsEach = options.leadingSpace === 'sentencepiece' && removeExtraWhitespaces
  const bytes = createUtf8Stream()
  let atStart = true
  let spaceTaken = false
  let hasText = false

  const emit = (text: string): string => {
    if (text !== '') hasText = true
    return text
  }

  const surface = (id: number): string => {
    const own = surfaceOfToken(id)
    if (own !== null) return own
    const piece = model.pieces[id]
    if (piece === undefined) return ''
    const type = model.types[id]
    if (type === PIECE_TYPE.control) return ''
    if (type === PIECE_TYPE.unknown) return model.unkSurface
    let text = piece
    if (atStart && stripsAny && text.startsWith(SPACE_SYMBOL)) {
      text = text.slice(1)
      spaceTaken = !stripsEach
    }
    return text.replaceAll(SPACE_SYMBOL, ' ')
  }

  return {
    push: (id) => {
      if (model.types[id] === PIECE_TYPE.byte && surfaceOfToken(id) === null) {
        return emit(bytes.push(byteOfPiece(model.pieces[id] ?? '') ?? 0))
      }
      const before = emit(bytes.flush())
      if (spaceTaken || hasText) atStart = false
      spaceTaken = false
      return before + emit(surface(id))
    },
    flush: () => emit(bytes.flush()),
  }
}
