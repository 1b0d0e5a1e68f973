// How a tokenizer.model changes a text before it is cut. Follows Normalizer::Normalize of the C++ library SentencePiece 0.2.2 (src/normalizer.cc).
import { engineError } from '../errors'
import { MAX_TEXT_CHARACTERS } from './input-text'
import { PIECE_TYPE, type SentencePieceModel } from './sentencepiece-model'
import { longestCharsmapMatch, readCharsmap } from './pipeline/precompiled'

const SPACE_SYMBOL = '\u2581'
/** The longest replacement of a public character map has 18 characters. */
const MAX_NORMALIZED_CHARACTERS = MAX_TEXT_CHARACTERS * 20

export interface SentencePieceNormalizerOptions {
  readonly path: string
  readonly addDummyPrefix: boolean
  readonly removeExtraWhitespaces: boolean
}

/** Makes the normalizer: symbols of the user's stay as they are, everything else goes through the character map, and spaces are written as the model spells them. */
export function createSentencePieceNormalizer(
  model: SentencePieceModel,
  options: SentencePieceNormalizerOptions,
): (text: string) => string {
  const { addDummyPrefix, removeExtraWhitespaces, path } = options
  const { charsmap, escapeWhitespaces } = model.normalizer
  const space = escapeWhitespaces ? SPACE_SYMBOL : ' '
  const map = charsmap === null ? null : readCharsmap(charsmap)
  const symbols = model.pieces.filter((_, id) => model.types[id] === PIECE_TYPE.userDefined)
  const symbolAt = createSymbolFinder(symbols)

  /** The chunks of a text after the map, one for each place that was looked up. */
  function* chunks(text: string): Generator<string> {
    const bytes = map === null ? null : new TextEncoder().encode(text)
    let byteAt = 0
    for (let at = 0; at < text.length;) {
      const symbol = symbolAt(text, at)
      const match = symbol === null && map !== null && bytes !== null ? longestCharsmapMatch(map, bytes, byteAt) : null
      const code = text.codePointAt(at) ?? 0
      const source = symbol ?? (match === null ? String.fromCodePoint(code) : null)
      if (source === null && match !== null) {
        yield match.replacement
        for (let rest = match.lengthBytes; rest > 0;) {
          const next = text.codePointAt(at) ?? 0
          rest -= utf8Length(next)
          at += next > 0xffff ? 2 : 1
        }
        byteAt += match.lengthBytes
      } else if (source !== null) {
        yield source
        at += source.length
        byteAt += symbol === null ? utf8Length(code) : Buffer.byteLength(symbol)
      }
    }
  }

  return (text) => {
    const parts: string[] = []
    let length = 0
    let afterSpace = removeExtraWhitespaces
    let isHeading = removeExtraWhitespaces
    let hasText = false
    for (const chunk of chunks(text)) {
      // A text of nothing but spaces is none.
      if (isHeading && chunk === ' ') continue
      isHeading = false
      hasText = true
      const kept = afterSpace ? chunk.replace(/^ +/, '') : chunk
      if (kept !== '') {
        parts.push(escapeWhitespaces ? kept.replaceAll(' ', SPACE_SYMBOL) : kept)
        length += kept.length
        if (length > MAX_NORMALIZED_CHARACTERS) {
          throw engineError('tokenizer/limit-exceeded', {
            path,
            what: 'the length of the normalized text',
            found: length,
            max: MAX_NORMALIZED_CHARACTERS,
          })
        }
        afterSpace = kept.endsWith(' ')
      }
      if (!removeExtraWhitespaces) afterSpace = false
    }
    if (!hasText) return ''
    let result = parts.join('')
    if (addDummyPrefix && !model.whitespaceAsSuffix) result = space + result
    if (removeExtraWhitespaces) {
      let end = result.length
      while (end > 0 && result.charAt(end - 1) === space) end--
      result = result.slice(0, end)
    }
    return addDummyPrefix && model.whitespaceAsSuffix ? result + space : result
  }
}

function utf8Length(code: number): number {
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
}

/** The longest symbol that stands at a place, or null. */
function createSymbolFinder(symbols: readonly string[]): (text: string, at: number) => string | null {
  const byStart = new Map<string, string[]>()
  for (const symbol of symbols.toSorted((a, b) => b.length - a.length)) {
    const start = symbol.charAt(0)
    byStart.set(start, [...(byStart.get(start) ?? []), symbol])
  }
  return (text, at) => byStart.get(text.charAt(at))?.find((symbol) => text.startsWith(symbol, at)) ?? null
}
