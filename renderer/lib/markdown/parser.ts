// Marked (CommonMark with GFM) set up for replies: raw HTML stays text, images are named and not loaded, links are checked, code can be copied.
import { Marked, type Token, type TokensList } from 'marked'
import { escapeHtml } from './escape'
import { safeLink } from './links'
import { mathSyntax } from './math-syntax'

/** Texts that the HTML carries. */
export interface MarkdownLabels {
  readonly image: (text: string) => string
  readonly copyCode: string
  readonly code: string
}

/** Reads blocks of Markdown, and writes one as HTML that still has to be sanitised. */
export interface MarkdownParser {
  readonly lex: (source: string) => TokensList
  readonly write: (token: Token) => string
}

/** Makes the parser for a language's labels. */
export function createParser(labels: MarkdownLabels): MarkdownParser {
  const marked = new Marked({
    gfm: true,
    breaks: true,
    extensions: [...mathSyntax],
    tokenizer: {
      // Without these two rules HTML is text like any other.
      html: () => undefined,
      tag: () => undefined,
    },
    renderer: {
      html: ({ text }) => escapeHtml(text),
      image({ href, text }) {
        const name = text === '' ? href : `${text} (${href})`
        return `<span class="image-named">${escapeHtml(labels.image(name))}</span>`
      },
      link({ href, tokens }) {
        const inner = this.parser.parseInline(tokens)
        const address = safeLink(href)
        if (address === null) return `<span class="link-inert">${inner}</span>`
        return `<a href="${escapeHtml(address)}" title="${escapeHtml(address)}">${inner}</a>`
      },
      heading({ tokens, depth }) {
        // A reply stands under headings of its own; its first level is the third of the page.
        const level = Math.min(6, depth + 2)
        return `<h${level} class="level-${depth}">${this.parser.parseInline(tokens)}</h${level}>`
      },
      code({ text, lang }) {
        const language = /^[\w+#.-]{1,32}/.exec(lang ?? '')?.[0] ?? ''
        const head = `<div class="code-head"><span>${escapeHtml(language || labels.code)}</span><button type="button" data-copy="code">${escapeHtml(labels.copyCode)}</button></div>`
        return `<div class="code-block">${head}<pre tabindex="0"><code data-language="${escapeHtml(language.toLowerCase())}">${escapeHtml(text)}</code></pre></div>`
      },
      checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
      table(token) {
        const row = (cells: typeof token.header, tag: 'th' | 'td'): string =>
          `<tr>${cells.map((cell) => `<${tag}${cell.align === null ? '' : ` class="align-${cell.align}"`}>${this.parser.parseInline(cell.tokens)}</${tag}>`).join('')}</tr>`
        const body = token.rows.map((cells) => row(cells, 'td')).join('')
        return `<div class="table-scroll" tabindex="0"><table><thead>${row(token.header, 'th')}</thead><tbody>${body}</tbody></table></div>`
      },
    },
  })
  return {
    lex: (source) => marked.lexer(source),
    write: (token) => marked.parser([token]),
  }
}
