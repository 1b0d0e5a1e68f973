// Classes of characters as the Rust standard library and Hugging Face tokenizers 0.23 define them; JavaScript's own \s, \d and \w differ.

const WHITE_SPACE = /^\p{White_Space}$/u
const NUMERIC = /^\p{N}$/u
const PUNCTUATION = /^[\p{P}\x21-\x2F\x3A-\x40\x5B-\x60\x7B-\x7E]$/u

/** char::is_whitespace: U+0085 is one, U+FEFF is none. */
export function isWhitespace(character: string): boolean {
  return WHITE_SPACE.test(character)
}

/** char::is_numeric: every kind of number, not only digits. */
export function isNumeric(character: string): boolean {
  return NUMERIC.test(character)
}

/** ASCII symbols count as punctuation beside the Unicode category. */
export function isPunctuation(character: string): boolean {
  return PUNCTUATION.test(character)
}

/** \w of Rust's regex crate; Oniguruma's lacks the joiners. */
const WORD = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u

/** Whether a character is part of a word for the pre-tokenizer Whitespace. */
export function isWordCharacter(character: string): boolean {
  return WORD.test(character)
}
