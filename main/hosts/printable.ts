// Text that a terminal can be shown: what comes from a file must not move the cursor, change colours or titles, or reorder what stands beside it.

/** Control characters (C0, DEL, C1), line and paragraph separators, and marks that reverse the direction of text. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu
/** Running text keeps its lines, its tabs and the marks that right-to-left languages need. */
const CONTROL = /(?![\n\t])\p{Cc}/gu

/** One line with every unprintable character written out, as `\u001b`. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, written)
}

/** Running text with its control characters written out, line ends and tabs apart. */
export function printableText(text: string): string {
  return text.replaceAll(CONTROL, written)
}

function written(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
