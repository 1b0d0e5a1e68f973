// Search snippets: the host marks each hit with U+2068 and U+2069 (Unicode isolates), which no title carries by accident.

/** A stretch of a snippet. */
export interface SnippetPart {
  readonly text: string
  readonly match: boolean
}

/** Splits a snippet at its marks; an unclosed mark runs to the end. */
export function splitSnippet(snippet: string): readonly SnippetPart[] {
  return snippet
    .split(/(\u2068[^\u2069]*\u2069?)/)
    .filter((part) => part !== '')
    .map((part) =>
      part.startsWith('\u2068')
        ? { text: part.replace(/[\u2068\u2069]/g, ''), match: true }
        : { text: part.replace(/\u2069/g, ''), match: false },
    )
}
