// Markdown before it is sanitised: what the parser writes, what it refuses to parse, and that growing text gives the same as whole text.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NO_BLOCKS, readBlocks, type ReadBlocks } from '../../../renderer/lib/markdown/blocks'
import { MAX_MESSAGE_CHARS, MAX_NESTING } from '../../../renderer/lib/markdown/limits'
import { safeLink } from '../../../renderer/lib/markdown/links'
import { createParser } from '../../../renderer/lib/markdown/parser'
import { splitSegments } from '../../../renderer/lib/markdown/segments'

const parser = createParser({ image: (text) => `Image: ${text}`, copyCode: 'Copy', code: 'Code' })

function writeAll(read: ReadBlocks): string {
  return read.blocks.map((block) => (block.kind === 'plain' ? `PLAIN(${block.source.length})` : parser.write(block.token))).join('')
}
const html = (text: string): string => writeAll(readBlocks({ text, before: NO_BLOCKS, parser }))

describe('raw HTML', () => {
  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    'text <b onclick="x()">bold</b>',
    '<svg onload=alert(1)>\n<iframe src="https://example.org"></iframe>\n</svg>',
    '<!-- comment -->\n<style>*{display:none}</style>',
    '<a href="javascript:alert(1)">x</a>',
    '- <details open ontoggle=alert(1)>\n\n> <form action=//evil>',
    '<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>',
  ])('stays text: %s', (source) => {
    const written = html(source)
    expect(written).toContain('&lt;')
    expect(written).not.toMatch(/<(?!\/?(?:p|br|ul|li|blockquote|span)\b)/)
  })
})

describe('links', () => {
  it.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'java\nscript:alert(1)',
    ' javascript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:x',
    'file:///etc/passwd',
    'smb://server/share',
    '\\\\server\\share',
    'app://weightroom/index.html',
    'blob:https://example.org/1',
    '//example.org',
    '/etc/passwd',
    'relative.html',
    '#fragment',
    'https://user:password@example.org',
    'https://bank.example@evil.example',
    'http://',
    '',
  ])('refuses %j', (address) => {
    expect(safeLink(address)).toBeNull()
    expect(html(`[text](<${address.replaceAll('\n', '&NewLine;')}>)`)).not.toMatch(/href="(?!https?:|mailto:)/)
  })

  it.each([
    ['https://example.org/a?b=c#d', 'https://example.org/a?b=c#d'],
    ['HTTP://EXAMPLE.org', 'http://example.org/'],
    ['mailto:me@example.org', 'mailto:me@example.org'],
  ])('takes %s', (address, expected) => {
    expect(safeLink(address)).toBe(expected)
  })

  it('keeps an address inside its attribute', () => {
    const written = html('[a](https://example.org/"onmouseover="alert(1)) [b](https://example.org/\'><script>)')
    expect(written).not.toMatch(/"onmouseover|'>|<script/)
  })

  it('refuses one longer than the host takes', () => {
    expect(safeLink(`https://example.org/${'a'.repeat(10_000)}`)).toBeNull()
  })

  it('writes an unsafe one as text', () => {
    expect(html('[click](javascript:alert(1))')).toBe('<p><span class="link-inert">click</span></p>\n')
  })
})

describe('images', () => {
  it('are named with their address and never loaded', () => {
    const written = html('![a cat](https://evil.example/pixel.png "title") ![](data:image/png;base64,AAAA)')
    expect(written).not.toContain('<img')
    expect(written).toContain('Image: a cat (https://evil.example/pixel.png)')
  })
})

describe('formulas', () => {
  const formulas = (text: string): readonly (readonly [string, string])[] =>
    [...html(text).matchAll(/data-math="(\w+)" data-formula="([^"]*)"/g)].map((match) => [match[1] ?? '', match[2] ?? ''] as const)

  it('are found in all four notations', () => {
    expect(formulas('$a$ and \\(b\\)')).toEqual([
      ['inline', 'a'],
      ['inline', 'b'],
    ])
    expect(formulas('$$\na\n$$\n\n\\[\nb\n\\]')).toEqual([
      ['display', 'a'],
      ['display', 'b'],
    ])
  })

  it('are not found in prices, code or unfinished text', () => {
    expect(formulas('It costs $5 or $ 6, or 7$ and 8$.')).toEqual([])
    expect(formulas('`$a$` and \\$a\\$')).toEqual([])
    expect(formulas('```\n$$a$$\n```')).toEqual([])
    expect(formulas('$$\nunfinished')).toEqual([])
  })

  it('do not become emphasis or HTML', () => {
    expect(html('$a_1 * b_2 * c$')).not.toContain('<em>')
    expect(html('$a<b>c$')).toContain('data-formula="a&lt;b&gt;c"')
  })
})

describe('code', () => {
  it('carries its language and a button to copy it', () => {
    const written = html('```python title="x"\nprint("<b>")\n```')
    expect(written).toContain('<code data-language="python">print(&quot;&lt;b&gt;&quot;)</code>')
    expect(written).toContain('data-copy="code"')
  })

  it('keeps a hostile language name out of the HTML', () => {
    expect(html('```"><img/src=x>\nx\n```')).not.toContain('<img')
  })
})

describe('headings', () => {
  it('stand below those of the page', () => {
    expect(html('# One\n\n###### Six')).toBe('<h3 class="level-1">One</h3><h6 class="level-6">Six</h6>')
  })
})

describe('limits', () => {
  it.each([
    ['a line of a megabyte', 'a'.repeat(1 << 20)],
    ['a paragraph of 30 000 characters', 'word '.repeat(6_000)],
    ['10 000 nested quotes', `${'>'.repeat(10_000)} x`],
    ['10 000 nested lists', `${'- '.repeat(10_000)}x`],
    ['nested lists over many lines', Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth * 2)}- x`).join('\n')],
    ['numbered nesting', `${'1. '.repeat(100)}x`],
    ['10 000 open brackets', '['.repeat(10_000)],
    ['10 000 stars', '*a '.repeat(5_000)],
    ['one endless list', '- item\n\n'.repeat(6_000)],
    ['what follows 1 500 blocks', 'Short.\n\n'.repeat(2_000)],
    ['a message beyond the limit', 'short line\n\n'.repeat(MAX_MESSAGE_CHARS / 12 + 1)],
  ])('shows %s as it stands', (_name, text) => {
    const { blocks } = readBlocks({ text, before: NO_BLOCKS, parser })
    expect(blocks.map(({ kind }) => kind)).toContain('plain')
    expect(
      blocks
        .map(({ source }) => source)
        .join('')
        .replace(/\s/g, ''),
    ).toBe(text.replace(/\s/g, ''))
  })

  it('parses what stands around it', () => {
    const written = html(`**before**\n\n${'['.repeat(10_000)}\n\n**after**`)
    expect(written).toMatch(/<strong>before<\/strong>.*PLAIN\(\d+\).*<strong>after<\/strong>/s)
  })

  it('takes nesting that people write', () => {
    const quote = `${'> '.repeat(MAX_NESTING - 1)}x`
    expect(html(quote)).not.toContain('PLAIN')
    expect(html('---\n\n***\n\n______\n\n| a | b |\n|---|---|\n| - | - |')).not.toContain('PLAIN')
    expect(html(`${'-'.repeat(80)}\n\n${'*'.repeat(80)}`)).toContain('<hr>')
  })

  it('does not count code', () => {
    expect(html(`\`\`\`json\n${'[['.repeat(20_000)}\n\`\`\``)).toContain('<code data-language="json">')
  })

  it('cuts a message into segments that add up to it', () => {
    const piece = fc.constantFrom('a', '\n', '\n\n', '```\n', '~~~', '> ', '- ', '    ', '[', '$', '>'.repeat(40), 'x'.repeat(30_000), '\t')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join('')
        expect(
          splitSegments(text)
            .map((segment) => segment.text)
            .join(''),
        ).toBe(text)
      }),
      { seed: 1, numRuns: 200 },
    )
  })
})

describe('growing text', () => {
  const pieces = fc.constantFrom(
    ...[
      'Text ',
      'with **bold** ',
      '\n',
      '\n\n',
      '- item\n',
      '1. one\n',
      '> quote\n',
      '# Head\n',
      '```js\n',
      'code()\n',
      '```\n',
      '| a | b |\n',
      '|---|---|\n',
    ],
    ...[
      '$x$ ',
      '$$\n',
      'x^2\n',
      '***\n',
      '    indented\n',
      '<b>\n',
      '![i](u) ',
      '[l](https://e.org) ',
      '`c` ',
      '===\n',
      '---\n',
      '\\[',
      '\\]\n',
      '[',
      '~~',
    ],
  )

  it('gives the same blocks piece by piece as at once', () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        let read = NO_BLOCKS
        let text = ''
        for (const part of parts) {
          text += part
          read = readBlocks({ text, before: read, parser })
        }
        expect(writeAll(read)).toBe(html(text))
      }),
      { seed: 7, numRuns: 500 },
    )
  })

  it('takes over what is settled instead of parsing it again', () => {
    const first = readBlocks({ text: 'One.\n\nTwo.\n\nThr', before: NO_BLOCKS, parser })
    const second = readBlocks({ text: 'One.\n\nTwo.\n\nThree.', before: first, parser })
    expect(second.blocks[0]).toBe(first.blocks[0])
    expect(second.blocks[1]).toBe(first.blocks[1])
    expect(second.blocks[2]).not.toBe(first.blocks[2])
  })

  it('starts over when the text is another one', () => {
    const first = readBlocks({ text: 'One.\n\nTwo.', before: NO_BLOCKS, parser })
    expect(writeAll(readBlocks({ text: 'Other.', before: first, parser }))).toBe('<p>Other.</p>\n')
  })
})
