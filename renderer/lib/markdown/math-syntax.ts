// LaTeX in Markdown: $..$, $$..$$, \(..\) and \[..\] as Marked extensions. They only find formulas; KaTeX is loaded when one is shown.
import type { TokenizerAndRendererExtension, Tokens } from 'marked'
import { escapeHtml } from './escape'
import { MAX_FORMULA_CHARS } from './limits'

// As in LaTeX, no formula holds an empty line.
const BLOCK = /^ {0,3}(?:\$\$((?:(?!\n[ \t]*\n)[\s\S])+?)\$\$|\\\[((?:(?!\n[ \t]*\n)[\s\S])+?)\\\])[ \t]*(?:\n|$)/
const INLINE = /^(?:\$\$([^$]+?)\$\$|\\\(([\s\S]+?)\\\)|\\\[([\s\S]+?)\\\]|\$(?![\s$])((?:\\[^\n]|[^\\$\n])+?)(?<![\s\\])\$(?!\d))/

/** True where a formula may begin in a block that more text could still complete, and so change how the block reads. */
export function opensFormula(block: { readonly source: string; readonly charsToEnd: number }): boolean {
  return block.charsToEnd <= MAX_FORMULA_CHARS * 2 && /^ {0,3}(?:\$\$|\\\[)/m.test(block.source)
}

/** The extensions, block before inline. */
export const mathSyntax: readonly TokenizerAndRendererExtension[] = [
  {
    name: 'mathBlock',
    level: 'block',
    // No `start`: inside a paragraph the inline rule finds the same formulas, and Marked's tokens keep adding up to the text.
    tokenizer: (source) => mathToken({ type: 'mathBlock', match: BLOCK.exec(source.slice(0, MAX_FORMULA_CHARS * 2)), display: true }),
    renderer: renderMath,
  },
  {
    name: 'mathInline',
    level: 'inline',
    start: (source) => indexOrNothing(source, /\$|\\[([]/),
    tokenizer: (source) => {
      const match = INLINE.exec(source.slice(0, MAX_FORMULA_CHARS * 2))
      return mathToken({ type: 'mathInline', match, display: /^(?:\$\$|\\\[)/.test(source) })
    },
    renderer: renderMath,
  },
]

interface Found {
  readonly type: string
  readonly match: RegExpExecArray | null
  readonly display: boolean
}

function mathToken({ type, match, display }: Found): Tokens.Generic | undefined {
  // Exactly one of the groups took part; the others are undefined, whatever their type says.
  const formula = match?.slice(1).find(Boolean)
  if (match === null || formula === undefined || formula.length > MAX_FORMULA_CHARS) return undefined
  return { type, raw: match[0], formula: formula.trim(), display }
}

/** The source stands in a placeholder until KaTeX has written the formula. */
function renderMath(token: Tokens.Generic): string {
  const raw = token.raw.trim()
  const formula = String(token['formula'])
  const kind = token['display'] === true ? 'display' : 'inline'
  const span = `<span class="math" data-math="${kind}" data-formula="${escapeHtml(formula)}">${escapeHtml(raw)}</span>`
  return token.type === 'mathBlock' ? `<p class="math-block">${span}</p>` : span
}

function indexOrNothing(source: string, pattern: RegExp): number | undefined {
  const index = source.search(pattern)
  return index < 0 ? undefined : index
}
