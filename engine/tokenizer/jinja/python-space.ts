// What Python counts as whitespace: str.isspace and `\s` of its `re`. JavaScript's `\s` has U+FEFF besides and lacks U+001C to U+001F and U+0085.

/** The inside of a character class. */
export const PYTHON_SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'

const SPACE = new RegExp(`^[${PYTHON_SPACE}]$`)

/** str.isspace of one character. */
export function isPythonSpace(character: string): boolean {
  return SPACE.test(character)
}

const SURROGATE = /[\ud800-\udfff]/

/** str.strip, lstrip and rstrip: without `characters` whitespace goes, with them exactly those. */
export function pythonStrip(text: string, options: { readonly sides: 'both' | 'left' | 'right'; readonly characters?: string }): string {
  const { sides, characters } = options
  // Characters of two units are rare here: only then the text is taken apart.
  const units = characters !== undefined && SURROGATE.test(characters) ? Array.from(text) : text
  const set = characters === undefined ? null : new Set(Array.from(characters))
  const goes = (character: string | undefined) => character !== undefined && (set ? set.has(character) : isPythonSpace(character))
  let start = 0
  let end = units.length
  if (sides !== 'right') while (start < end && goes(units[start])) start++
  if (sides !== 'left') while (end > start && goes(units[end - 1])) end--
  return typeof units === 'string' ? units.slice(start, end) : units.slice(start, end).join('')
}
