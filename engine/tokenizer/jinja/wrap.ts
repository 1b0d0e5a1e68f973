// Wraps a line. Follows textwrap.TextWrapper of Python 3.11 with expand_tabs and replace_whitespace off, as jinja2's wordwrap sets it.
import { textLength } from './iteration'

export interface WrapOptions {
  readonly width: number
  readonly breakLongWords: boolean
  readonly breakOnHyphens: boolean
}

/** Words, hyphenated parts, dashes and blanks. */
const CHUNKS =
  /[\t-\r ]+|[^\t-\r ]*[\w!"'&.,?]-{2,}(?=\w)|-{2,}(?=\w)|[^\t-\r ]+?(?:[\p{L}_]{2}-(?=[\p{L}_]-?[\p{L}_])|[\p{L}_]-[\p{L}_]-(?=[\p{L}_]-?[\p{L}_])|(?=[\t-\r ]|$))/gu

/** The lines that `text` becomes. Throws RangeError-free: a width below 1 breaks after every character. */
export function wrapText(text: string, { width, breakLongWords, breakOnHyphens }: WrapOptions): string[] {
  const size = Math.max(1, width)
  const chunks = (breakOnHyphens ? text.match(CHUNKS) : text.match(/[\t-\r ]+|[^\t-\r ]+/g)) ?? []
  const queue = [...chunks].reverse()
  const lines: string[] = []
  while (queue.length > 0) {
    const line: string[] = []
    let length = 0
    if (lines.length > 0 && (queue.at(-1) ?? '').trim() === '') queue.pop()
    for (let next = queue.at(-1); next !== undefined && length + textLength(next) <= size; next = queue.at(-1)) {
      line.push(next)
      length += textLength(next)
      queue.pop()
    }
    const long = queue.at(-1)
    if (long !== undefined && textLength(long) > size) {
      queue.pop()
      if (breakLongWords) {
        const points = Array.from(long)
        const room = Math.max(1, size - length)
        line.push(points.slice(0, room).join(''))
        queue.push(points.slice(room).join(''))
      } else if (line.length === 0) line.push(long)
      else queue.push(long)
    }
    if (line.length > 0 && (line.at(-1) ?? '').trim() === '') line.pop()
    if (line.length > 0) lines.push(line.join(''))
  }
  return lines
}
