// DOMPurify with two lists of what may remain: one for Markdown's HTML, one for what KaTeX writes.
import DOMPurify, { type Config } from 'dompurify'

const MARKDOWN_ATTRIBUTES = ['title', 'class', 'start', 'tabindex', 'type', 'data-copy', 'data-language', 'data-math', 'data-formula']

const MATH_ATTRIBUTES = [
  ...[
    'class',
    'style',
    'aria-hidden',
    'xmlns',
    'width',
    'height',
    'viewBox',
    'preserveAspectRatio',
    'd',
    'x1',
    'y1',
    'x2',
    'y2',
    'stroke-width',
  ],
  ...[
    'encoding',
    'mathvariant',
    'stretchy',
    'fence',
    'separator',
    'accent',
    'accentunder',
    'displaystyle',
    'scriptlevel',
    'linethickness',
    'lspace',
  ],
  ...[
    'rspace',
    'minsize',
    'maxsize',
    'columnalign',
    'columnspacing',
    'rowspacing',
    'columnlines',
    'rowlines',
    'notation',
    'display',
    'mathcolor',
  ],
  ...['mathbackground', 'voffset', 'symmetric', 'largeop', 'movablelimits', 'title'],
]

// DOMPurify holds every attribute against ALLOWED_URI_REGEXP unless it is named as one that carries no address.
const MARKDOWN: Config = {
  ALLOWED_TAGS: [
    ...[
      'p',
      'br',
      'hr',
      'h1',
      'h2',
      'h3',
      'h4',
      'h5',
      'h6',
      'blockquote',
      'ul',
      'ol',
      'li',
      'strong',
      'em',
      'del',
      'code',
      'pre',
      'a',
      'span',
      'div',
    ],
    ...['table', 'thead', 'tbody', 'tr', 'th', 'td', 'button'],
  ],
  ALLOWED_ATTR: ['href', ...MARKDOWN_ATTRIBUTES],
  ADD_URI_SAFE_ATTR: MARKDOWN_ATTRIBUTES,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  RETURN_DOM_FRAGMENT: true,
}

const MATH: Config = {
  ALLOWED_TAGS: [
    ...[
      'span',
      'svg',
      'path',
      'line',
      'math',
      'semantics',
      'annotation',
      'mrow',
      'mi',
      'mn',
      'mo',
      'ms',
      'mtext',
      'mspace',
      'msup',
      'msub',
      'msubsup',
    ],
    ...[
      'mfrac',
      'msqrt',
      'mroot',
      'mover',
      'munder',
      'munderover',
      'mtable',
      'mtr',
      'mtd',
      'mpadded',
      'mphantom',
      'mstyle',
      'menclose',
      'mglyph',
    ],
  ],
  ALLOWED_ATTR: MATH_ATTRIBUTES,
  ADD_URI_SAFE_ATTR: MATH_ATTRIBUTES,
  ALLOW_DATA_ATTR: false,
  ALLOWED_URI_REGEXP: /^$/,
  RETURN_DOM_FRAGMENT: true,
}

/** Sanitises the HTML of a Markdown block. */
export function sanitiseMarkdown(html: string): DocumentFragment {
  return sanitise(html, MARKDOWN)
}

/** Sanitises the HTML, MathML and SVG of a formula. */
export function sanitiseMath(html: string): DocumentFragment {
  return sanitise(html, MATH)
}

function sanitise(html: string, config: Config): DocumentFragment {
  return DOMPurify.sanitize(html, { ...config, RETURN_DOM_FRAGMENT: true })
}
