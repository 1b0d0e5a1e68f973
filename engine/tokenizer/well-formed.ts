// JavaScript strings may hold halves of surrogate pairs; UTF-8, which every tokenizer works on, cannot.

/** The text with every lone surrogate as U+FFFD, as the encoding standard writes it. */
export function toWellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd')
}
