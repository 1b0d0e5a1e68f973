// Splits a growing message into blocks: what stands before the last block cannot change any more and is not parsed again.
import type { Token } from 'marked'
import { MAX_BLOCK_CHARS, MAX_BLOCKS } from './limits'
import { opensFormula } from './math-syntax'
import type { MarkdownParser } from './parser'
import { splitSegments, type Segment } from './segments'

/** One block of a message: a Markdown token, or text that is shown as it stands. `start` is its offset and its identity. */
export type Block =
  | { readonly kind: 'markdown'; readonly start: number; readonly source: string; readonly token: Token }
  | { readonly kind: 'plain'; readonly start: number; readonly source: string }

/** What was read so far. */
export interface ReadBlocks {
  readonly text: string
  readonly blocks: readonly Block[]
  /** The first blocks and the length of text that can be taken over when more text follows. */
  readonly settledBlocks: number
  readonly settledChars: number
}

/** Nothing read yet. */
export const NO_BLOCKS: ReadBlocks = { text: '', blocks: [], settledBlocks: 0, settledChars: 0 }

/** Reads a message; where it begins with what `before` read, only the part behind the settled blocks is parsed. */
export function readBlocks(options: { readonly text: string; readonly before: ReadBlocks; readonly parser: MarkdownParser }): ReadBlocks {
  const { before, parser } = options
  const text = options.text.replace(/\r\n?/g, '\n')
  const settled = before.text.slice(0, before.settledChars)
  const base = text.startsWith(settled) ? before : NO_BLOCKS
  const blocks: Block[] = base.blocks.slice(0, base.settledBlocks)
  let start = base.settledChars
  for (const segment of splitSegments(text.slice(start))) {
    blocks.push(...blocksOf(segment, start, parser))
    start += segment.text.length
  }
  const rest = blocks[MAX_BLOCKS]
  if (rest !== undefined) blocks.splice(MAX_BLOCKS, Infinity, { kind: 'plain', start: rest.start, source: text.slice(rest.start) })
  const mayReadOtherwise = (block: Block): boolean =>
    block.kind === 'markdown' &&
    block.token.type !== 'mathBlock' &&
    opensFormula({ source: block.source, charsToEnd: text.length - block.start })
  const open = blocks.findIndex(mayReadOtherwise)
  const aligned = blocks.every((block) => text.startsWith(block.source, block.start))
  const settledBlocks = !aligned ? 0 : Math.max(0, open < 0 ? blocks.length - 1 : Math.min(open, blocks.length - 1))
  return { text, blocks, settledBlocks, settledChars: blocks[settledBlocks]?.start ?? 0 }
}

/** True where a link is defined apart from its use, so that blocks depend on each other and a finished message is best read as a whole. */
export function definesLinks(text: string): boolean {
  return /^ {0,3}\[[^\]\n]{1,200}\]:/m.test(text)
}

function blocksOf(segment: Segment, start: number, parser: MarkdownParser): readonly Block[] {
  if (segment.kind === 'plain') return [{ kind: 'plain', start, source: segment.text }]
  const blocks: Block[] = []
  let offset = start
  for (const token of lexOrNull(segment.text, parser) ?? []) {
    if (token.type !== 'space' && token.type !== 'def') blocks.push(blockOf(token, offset))
    offset += token.raw.length
  }
  return blocks.length === 0 && segment.text.trim() !== '' ? [{ kind: 'plain', start, source: segment.text }] : blocks
}

function blockOf(token: Token, start: number): Block {
  if (token.type !== 'code' && token.raw.length > MAX_BLOCK_CHARS) return { kind: 'plain', start, source: token.raw }
  return { kind: 'markdown', start, source: token.raw, token }
}

/** Marked throws where its recursion runs out of stack or a rule makes no progress; the text is then shown as it stands. */
function lexOrNull(source: string, parser: MarkdownParser): readonly Token[] | null {
  try {
    return parser.lex(source)
  } catch {
    return null
  }
}
