// Splits a message into stretches that are safe to parse and stretches that are not, before any Markdown rule sees it. One pass, line by line.
import { MAX_INDENT_CHARS, MAX_INLINE_MARKS, MAX_MESSAGE_CHARS, MAX_NESTING, MAX_PARAGRAPH_CHARS } from './limits'

/** A stretch of the message. */
export interface Segment {
  readonly kind: 'markdown' | 'plain'
  readonly text: string
}

interface Paragraph {
  text: string
  marks: number
  tooDeep: boolean
}

/** Cuts a message into segments whose texts add up to it. Paragraphs beyond a limit are plain; fenced code is exempt, its rule is linear. */
export function splitSegments(message: string): readonly Segment[] {
  if (message.length > MAX_MESSAGE_CHARS) return [{ kind: 'plain', text: message }]
  const segments: { kind: Segment['kind']; text: string }[] = []
  const append = (kind: Segment['kind'], text: string): void => {
    const last = segments.at(-1)
    if (last?.kind === kind) last.text += text
    else if (text !== '') segments.push({ kind, text })
  }

  let paragraph: Paragraph = emptyParagraph()
  const flush = (): void => {
    append(isTooComplex(paragraph) ? 'plain' : 'markdown', paragraph.text)
    paragraph = emptyParagraph()
  }

  let fence: string | null = null
  for (const line of linesOf(message)) {
    const mark = fenceMark(line)
    if (fence !== null) {
      append('markdown', line)
      if (mark !== null && closes(line, mark, fence)) fence = null
    } else if (mark !== null) {
      flush()
      append('markdown', line)
      fence = mark
    } else {
      paragraph.text += line
      paragraph.marks += countMarks(line)
      paragraph.tooDeep ||= isTooDeep(line)
      if (line.trim() === '') flush()
    }
  }
  flush()
  return segments
}

const emptyParagraph = (): Paragraph => ({ text: '', marks: 0, tooDeep: false })

function isTooComplex(paragraph: Paragraph): boolean {
  return paragraph.text.length > MAX_PARAGRAPH_CHARS || paragraph.marks > MAX_INLINE_MARKS || paragraph.tooDeep
}

function* linesOf(text: string): Generator<string> {
  let start = 0
  while (start < text.length) {
    const end = text.indexOf('\n', start)
    const next = end < 0 ? text.length : end + 1
    yield text.slice(start, next)
    start = next
  }
}

function fenceMark(line: string): string | null {
  return /^ {0,3}(`{3,}(?=[^`\n]*\n?$)|~{3,})/.exec(line.length > 400 ? line.slice(0, 400) : line)?.[1] ?? null
}

function closes(line: string, mark: string, fence: string): boolean {
  return mark.startsWith(fence) && line.trim() === mark
}

function countMarks(line: string): number {
  let count = 0
  for (let index = 0; index < line.length; index += 1) {
    if ('*_[]()~`$\\<|!'.includes(line.charAt(index))) count += 1
  }
  return count
}

function isTooDeep(line: string): boolean {
  let level = 0
  let indent = 0
  for (let index = 0; index < line.length; index += 1) {
    const char = line.charAt(index)
    if (char === ' ' || char === '\t') indent += char === '\t' ? 4 : 1
    else if (char === '>' || '-+*'.includes(char)) level += 1
    else if (char < '0' || char > '9') {
      if (char !== '.' && char !== ')') break
      level += 1
    }
    if (level > MAX_NESTING || indent > MAX_INDENT_CHARS) return !isRule(line)
  }
  return false
}

function isRule(line: string): boolean {
  return /^ {0,3}([-*+])(?:[ \t]*\1)*\s*$/.test(line) && !/[-*+][ \t]+[-*+]/.test(line)
}
