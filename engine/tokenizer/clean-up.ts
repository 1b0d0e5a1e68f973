// Spaces before punctuation taken out of decoded text, as `clean_up_tokenization` of Transformers 5.18 (tokenization_utils_base.py) does where a configuration asks for it, and as text arrives.
import type { StreamDecoder } from './types'

/** In this order, each over the whole text. */
const REPLACEMENTS = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
] as const

/** The text without those spaces. */
export function cleanUpSpaces(text: string): string {
  return REPLACEMENTS.reduce((cleaned, [spaced, tight]) => cleaned.replaceAll(spaced, tight), text)
}

/** Where the text can be parted so that no replacement reaches across: before the last space that is followed by a character, with no apostrophe on either side. */
function lastBorder(text: string): number {
  for (let at = text.length - 2; at > 0; at--) {
    if (text[at] === ' ' && text[at + 1] !== "'" && text[at - 1] !== "'") return at
  }
  return 0
}

/** A decoder whose text is cleaned up; what may still change, at most the last words, is held back. */
export function withCleanUp(decoder: StreamDecoder): StreamDecoder {
  let held = ''
  return {
    push: (id) => {
      held += decoder.push(id)
      const border = lastBorder(held)
      const settled = held.slice(0, border)
      held = held.slice(border)
      return cleanUpSpaces(settled)
    },
    flush: () => {
      const rest = cleanUpSpaces(held + decoder.flush())
      held = ''
      return rest
    },
  }
}
