// One block as a fragment of the page: Markdown to HTML, sanitised, then formulas and code filled in.
import type { Block } from './blocks'
import type { MarkdownExtras } from './extras.svelte'
import { MAX_HIGHLIGHT_CHARS } from './limits'
import type { MarkdownParser } from './parser'
import { sanitiseMarkdown, sanitiseMath } from './sanitise'

/** Writes a Markdown block; where writing fails, its source as text. */
export function writeBlock(
  block: Extract<Block, { readonly kind: 'markdown' }>,
  options: { readonly parser: MarkdownParser; readonly extras: MarkdownExtras },
): DocumentFragment {
  const fragment = sanitiseMarkdown(writeOrEscape(block, options.parser))
  fillFormulas(fragment, options.extras)
  fillCode(fragment, options.extras)
  return fragment
}

function writeOrEscape(block: Extract<Block, { readonly kind: 'markdown' }>, parser: MarkdownParser): string {
  try {
    return parser.write(block.token)
  } catch {
    const paragraph = document.createElement('p')
    paragraph.textContent = block.source
    return paragraph.outerHTML
  }
}

function fillFormulas(fragment: DocumentFragment, extras: MarkdownExtras): void {
  const places = fragment.querySelectorAll<HTMLElement>('span[data-formula]')
  const { math } = places.length === 0 ? { math: null } : extras
  if (math === null) return
  for (const place of places) {
    const display = place.getAttribute('data-math') === 'display'
    try {
      place.replaceChildren(sanitiseMath(math.formulaHtml(place.getAttribute('data-formula') ?? '', { display })))
    } catch {
      place.classList.add('math-mistaken')
    }
  }
}

function fillCode(fragment: DocumentFragment, extras: MarkdownExtras): void {
  for (const place of fragment.querySelectorAll<HTMLElement>('code[data-language]')) {
    const language = place.getAttribute('data-language') ?? ''
    const code = place.textContent
    if (language === '' || code.length > MAX_HIGHLIGHT_CHARS) continue
    const html = extras.highlight?.highlightedHtml(code, language)
    if (html !== undefined && html !== null) place.replaceChildren(sanitiseMarkdown(html))
  }
}
