// What a text must be before it is tokenized: not endless, and UTF-8.
import { engineError } from '../errors'

/** Far more than any context window holds; the SentencePiece library needs about 80 bytes of memory per character. */
export const MAX_TEXT_CHARACTERS = 4 * 1024 * 1024

/**
 * The text with every lone surrogate as U+FFFD, as the encoding standard writes it: JavaScript strings may hold halves of pairs, UTF-8
 * cannot. Throws "tokenizer/text-too-long".
 */
export function inputText(text: string): string {
  if (text.length > MAX_TEXT_CHARACTERS) {
    throw engineError('tokenizer/text-too-long', { characters: text.length, maxCharacters: MAX_TEXT_CHARACTERS })
  }
  return text.replace(/\p{Surrogate}/gu, '\ufffd')
}
