// A chat's title from its first question.

const MAX_TITLE_CHARS = 60
/** A cut falls back to the last space only when that keeps this much of the line. */
const MIN_KEPT_CHARS = 30

/** The first line that says something, shortened at a word where there are words. */
export function titleFrom(content: string): string {
  const line = content.split('\n').find((candidate) => candidate.trim() !== '') ?? ''
  const text =
    line
      .replace(/^[#>*\-\s]+/, '')
      .replace(/\s+/g, ' ')
      .trim() || line.trim()
  const chars = Array.from(text)
  if (chars.length <= MAX_TITLE_CHARS) return text
  const cut = chars.slice(0, MAX_TITLE_CHARS).join('')
  const space = cut.lastIndexOf(' ')
  return `${(space >= MIN_KEPT_CHARS ? cut.slice(0, space) : cut).trimEnd()}…`
}
