// Tokens that are cut out of a text before the vocabulary's algorithm sees it. Follows AddedVocabulary of Hugging Face tokenizers 0.23 (tokenizer/added_vocabulary.rs).
import { engineError } from '../errors'
import { createPairTable, type PairTable } from './pipeline/pair-table'

/** A token matched as a whole. `normalized`: it is looked for after normalization; lstrip and rstrip take the spaces beside it along. */
export interface AddedToken {
  readonly content: string
  readonly special: boolean
  readonly normalized: boolean
  readonly lstrip: boolean
  readonly rstrip: boolean
  readonly singleWord: boolean
}

/** An added token that has its id. */
export type NumberedToken = AddedToken & { readonly id: number }

/** A piece of a text: a token found in it, or (normalized) text between tokens. `atStart` says that it begins where the whole text begins. */
export type TextPart =
  { readonly kind: 'token'; readonly id: number } | { readonly kind: 'text'; readonly text: string; readonly atStart: boolean }

/** The longest token of public models has 60 characters; a whole text is none. */
const MAX_TOKEN_CHARACTERS = 4096
/** Ten times what public models have. The search tree takes about 30 bytes for each. */
const MAX_TOKENS_CHARACTERS = 2 * 1024 * 1024

export interface SplitterOptions {
  readonly path: string
  readonly tokens: readonly NumberedToken[]
  readonly normalize: (text: string) => string
}

/** Cuts a text at its added tokens; special ones only with `parseSpecial`. Parts of text are never empty. */
export type Splitter = (text: string, options: { readonly parseSpecial: boolean }) => TextPart[]

/** Makes a splitter. Of several tokens that fit at the leftmost place the longest wins. Throws "tokenizer/limit-exceeded". */
export function createSplitter(options: SplitterOptions): Splitter {
  const { normalize, path } = options
  checkLengths(options)
  const asWritten = buildTrie(options.tokens.filter((token) => !token.normalized).map((token) => ({ text: token.content, token })))
  const normalized = options.tokens.filter((token) => token.normalized).map((token) => ({ text: normalize(token.content), token }))
  checkLengths({ path, tokens: normalized.map(({ text, token }) => ({ ...token, content: text })) })
  const afterNormalizing = buildTrie(normalized)
  return (text, { parseSpecial }) => {
    const parts: TextPart[] = []
    for (const outer of cut({ text, trie: asWritten, parseSpecial })) {
      if (outer.token) {
        parts.push({ kind: 'token', id: outer.token.id })
        continue
      }
      for (const inner of cut({ text: normalize(text.slice(outer.start, outer.end)), trie: afterNormalizing, parseSpecial })) {
        if (inner.token) parts.push({ kind: 'token', id: inner.token.id })
        else parts.push({ kind: 'text', text: inner.text, atStart: outer.start === 0 && inner.start === 0 })
      }
    }
    return parts
  }
}

function checkLengths({ tokens, path }: Pick<SplitterOptions, 'tokens' | 'path'>): void {
  let total = 0
  for (const { content } of tokens) {
    total += content.length
    const [what, found, max] =
      content.length > MAX_TOKEN_CHARACTERS
        ? ['the length of an added token', content.length, MAX_TOKEN_CHARACTERS]
        : ['the length of all added tokens', total, MAX_TOKENS_CHARACTERS]
    if (found > max) throw engineError('tokenizer/limit-exceeded', { path, what, found, max })
  }
}

/** A tree of UTF-16 units; node 0 is the root. */
interface Trie {
  readonly isEmpty: boolean
  readonly children: PairTable
  readonly tokens: ReadonlyMap<number, NumberedToken>
}

interface Span {
  readonly start: number
  readonly end: number
  readonly text: string
  readonly token: NumberedToken | null
}

function buildTrie(entries: readonly { readonly text: string; readonly token: NumberedToken }[]): Trie {
  const children = createPairTable(entries.reduce((sum, { text }) => sum + text.length, 0))
  const tokens = new Map<number, NumberedToken>()
  let nodes = 1
  for (const { text, token } of entries) {
    let node = 0
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index)
      let child = children.get(node, unit)
      if (child === undefined) {
        child = nodes++
        children.set(node, unit, child)
      }
      node = child
    }
    // Of tokens that read the same after normalization the first counts, special ones before others.
    const other = tokens.get(node)
    if (node !== 0 && (other === undefined || (token.special && !other.special))) tokens.set(node, token)
  }
  return { isEmpty: tokens.size === 0, children, tokens }
}

function longestMatch(text: string, options: { readonly at: number; readonly trie: Trie }): { token: NumberedToken; end: number } | null {
  const { children, tokens } = options.trie
  let node = 0
  let found: { token: NumberedToken; end: number } | null = null
  for (let index = options.at; index < text.length; index++) {
    const child = children.get(node, text.charCodeAt(index))
    if (child === undefined) break
    node = child
    const token = tokens.get(node)
    if (token) found = { token, end: index + 1 }
  }
  return found
}

function cut(options: { readonly text: string; readonly trie: Trie; readonly parseSpecial: boolean }): Span[] {
  const { text, trie, parseSpecial } = options
  if (text === '') return []
  if (trie.isEmpty) return [{ start: 0, end: text.length, text, token: null }]
  const spans: Span[] = []
  let done = 0
  const push = (start: number, end: number, token: NumberedToken | null) => spans.push({ start, end, text: text.slice(start, end), token })
  let position = 0
  while (position < text.length) {
    const match = longestMatch(text, { at: position, trie })
    if (!match) {
      position++
      continue
    }
    const { token } = match
    const from = position
    position = match.end
    if (token.special && !parseSpecial) continue
    if (token.singleWord && (endsWithWord(text.slice(0, from)) || startsWithWord(text.slice(match.end)))) continue
    const start = token.lstrip ? Math.max(done, spacesBefore(text, from)) : from
    const end = token.rstrip ? spacesAfter(text, match.end) : match.end
    // Spaces that a token took along may hold another token: the library finds it there once more, unless that one takes spaces along too and none are left.
    if (start >= end) continue
    if (done < start) push(done, start, null)
    push(start, end, token)
    done = end
  }
  if (done < text.length) push(done, text.length, null)
  return spans
}

// What \w and \s are in Rust's regex crate; in JavaScript they are ASCII words and a set of spaces that has U+FEFF.
const WORD_START = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u
const WORD_END = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u
const SPACE = /^\p{White_Space}$/u

function startsWithWord(text: string): boolean {
  return WORD_START.test(text.slice(0, 2))
}

function endsWithWord(text: string): boolean {
  return WORD_END.test(text.slice(-2))
}

/** Where the run of spaces that ends at `end` begins. Every space is one UTF-16 unit. */
function spacesBefore(text: string, end: number): number {
  let start = end
  while (start > 0 && SPACE.test(text.charAt(start - 1))) start--
  return start
}

/** Where the run of spaces that begins at `start` ends. */
function spacesAfter(text: string, start: number): number {
  let end = start
  while (end < text.length && SPACE.test(text.charAt(end))) end++
  return end
}
