// Escape sequences in the string literals of a template: those of Python's "unicode-escape" codec. Unknown ones stay as they are.

const SIMPLE: Readonly<Record<string, string>> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}
const DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }
const ESCAPE = /\\([0-7]{1,3}|x[\da-fA-F]{0,2}|u[\da-fA-F]{0,4}|U[\da-fA-F]{0,8}|[^])/gu

/** The text that a literal stands for; null where a `\x`, `\u` or `\U` is cut off or no character. */
export function unescapeString(literal: string): string | null {
  if (!literal.includes('\\')) return literal
  const broken: string[] = []
  const text = literal.replace(ESCAPE, (whole, escape: string) => {
    const simple = Object.hasOwn(SIMPLE, escape) ? SIMPLE[escape] : undefined
    if (simple !== undefined) return simple
    if (/^[0-7]/.test(escape)) return String.fromCodePoint(parseInt(escape, 8))
    const digits = DIGITS[escape.charAt(0)]
    if (digits === undefined) {
      // `\N{...}` names a character; a table of all names is not carried along.
      if (escape === 'N') broken.push(whole)
      return whole
    }
    const code = parseInt(escape.slice(1), 16)
    if (escape.length !== digits + 1 || code > 0x10ffff) {
      broken.push(whole)
      return ''
    }
    return String.fromCodePoint(code)
  })
  return broken.length > 0 ? null : text
}
