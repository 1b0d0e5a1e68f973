// Full-text search over titles and messages: trigram index for words of three characters and more, a plain scan for shorter ones.

/** More words than this say nothing more, and each costs a lookup. */
const MAX_TERMS = 16
/** The trigram tokenizer finds nothing shorter. */
const MIN_INDEXED_CHARS = 3
const SNIPPET_BEFORE_CHARS = 30
const SNIPPET_AFTER_CHARS = 70
/** Marks around the match, as the contract says. */
const MATCH_OPEN = '\u2068'
const MATCH_CLOSE = '\u2069'

/** A query as conditions: `match` for the index (null when no word is long enough), `like` patterns that must all hold. */
export interface SearchQuery {
  readonly terms: readonly string[]
  readonly match: string | null
  readonly like: readonly string[]
}

/** Splits what was typed into words; every word must occur. Null when nothing was typed. */
export function parseQuery(query: string): SearchQuery | null {
  const terms = query
    .normalize('NFC')
    .replaceAll('\0', ' ')
    .split(/\s+/u)
    .filter((term) => term !== '')
    .slice(0, MAX_TERMS)
  if (terms.length === 0) return null
  const indexed = terms.filter((term) => codePoints(term) >= MIN_INDEXED_CHARS)
  const scanned = terms.filter((term) => codePoints(term) < MIN_INDEXED_CHARS)
  return {
    terms,
    // A quoted FTS5 string is taken literally; only the quote itself needs doubling.
    match: indexed.length === 0 ? null : indexed.map((term) => `"${term.replaceAll('"', '""')}"`).join(' '),
    like: scanned.map((term) => `%${term.replace(/[\\%_]/g, (char) => `\\${char}`)}%`),
  }
}

/** True when every word occurs in `text`, letter case aside. */
export function matchesAll(text: string, terms: readonly string[]): boolean {
  return terms.every((term) => find(text, term) !== null)
}

/** The surroundings of the first match, on one line, with the match marked; null when there is none. */
export function snippetOf(text: string, terms: readonly string[]): string | null {
  for (const term of terms) {
    const found = find(text, term)
    if (found === null) continue
    const before = text.slice(Math.max(0, found.start - SNIPPET_BEFORE_CHARS), found.start)
    const after = text.slice(found.end, found.end + SNIPPET_AFTER_CHARS)
    const head = found.start > SNIPPET_BEFORE_CHARS ? '…' : ''
    const tail = found.end + SNIPPET_AFTER_CHARS < text.length ? '…' : ''
    return `${head}${oneLine(before)}${MATCH_OPEN}${oneLine(text.slice(found.start, found.end))}${MATCH_CLOSE}${oneLine(after)}${tail}`
  }
  return null
}

/** The tokenizer counts code points, whatever a reader takes for one character. */
function codePoints(text: string): number {
  return Array.from(text).length
}

function find(text: string, term: string): { readonly start: number; readonly end: number } | null {
  const found = new RegExp(term.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&').replaceAll('\\-', '\\u002d'), 'iu').exec(text)
  return found === null ? null : { start: found.index, end: found.index + found[0].length }
}

/** Line breaks become spaces; half a surrogate pair at a cut is dropped, as are marks that are not ours. */
function oneLine(text: string): string {
  return text
    .replace(/^[\uDC00-\uDFFF]|[\uD800-\uDBFF]$/g, '')
    .replace(/[\u2066-\u2069]/g, '')
    .replace(/\s+/gu, ' ')
}
