// @vitest-environment node
// Hostile replies in a real browser, under the page's own content security policy: nothing runs, nothing is loaded, nothing freezes.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Chat, Message } from '../../../preload/contract'
import { chromiumPath, startRendererPages, type RendererPages } from '../../support/renderer-page'

const LIMIT_MS = 60_000

function chatWith(content: string): Chat {
  const base = { chatId: 'c', createdAtMs: 0, status: 'complete', finishReason: null, stats: null, error: null, modelName: null } as const
  const messages: Message[] = [
    { ...base, id: 'q', parentId: null, role: 'user', content, siblingIds: ['q'] },
    { ...base, id: 'a', parentId: 'q', role: 'assistant', content, siblingIds: ['a'] },
  ]
  return { id: 'c', title: 'attack', createdAtMs: 0, updatedAtMs: 1, systemPrompt: null, sampling: null, messages }
}

/** What a reply must never become, read from the page. */
function dangers(page: Page): Promise<readonly string[]> {
  return page.getByTestId('message-list').evaluate((list) => {
    const found: string[] = []
    for (const element of list.querySelectorAll('.markdown *, p.plain *')) {
      const tag = element.tagName.toLowerCase()
      const inFormula = element.closest('.math') !== null
      if (!inFormula && ['svg', 'math', 'style', 'path'].includes(tag)) found.push(tag)
      if (
        [
          'script',
          'img',
          'iframe',
          'object',
          'embed',
          'form',
          'input',
          'link',
          'meta',
          'base',
          'video',
          'audio',
          'use',
          'foreignobject',
        ].includes(tag)
      )
        found.push(tag)
      for (const { name, value } of element.attributes) {
        if (name.startsWith('on') || ['src', 'srcset', 'srcdoc', 'xlink:href', 'action', 'formaction', 'id', 'name'].includes(name))
          found.push(`${tag}[${name}]`)
        if (name === 'style' && !inFormula) found.push(`${tag}[style]`)
        if (name === 'style' && /url\(|expression|position\s*:\s*fixed/i.test(value)) found.push(`${tag}[style=${value}]`)
        if (name === 'href' && !/^(?:https?|mailto):/.test(value)) found.push(`${tag}[href=${value}]`)
      }
    }
    if ('pwned' in window) found.push('script ran')
    return found
  })
}

describe.skipIf(chromiumPath === null)('hostile replies', () => {
  let pages: RendererPages

  beforeAll(async () => {
    pages = await startRendererPages()
  }, LIMIT_MS)
  afterAll(() => pages.close())

  async function show(content: string): Promise<Page> {
    const page = await pages.open({ chats: [chatWith(content)] })
    await page.getByTestId('chat-row').getByRole('button').first().click()
    await page.getByTestId('assistant-message').waitFor()
    // Formulas and highlighting arrive with their parts of the app.
    await page.waitForTimeout(300)
    return page
  }

  // Side by side: each mostly waits for its page.
  it.concurrent.each([
    ['scripts', '<script>window.pwned = 1</script>\n\n<svg><script>window.pwned = 1</script></svg>'],
    [
      'handlers',
      '<img src=x onerror="window.pwned=1">\n\n<body onload=window.pwned=1>\n\n<details open ontoggle=window.pwned=1>x</details>',
    ],
    ['frames and forms', '<iframe src="https://evil.example"></iframe>\n\n<form action="https://evil.example"><input name=q></form>'],
    [
      'styles',
      '<style>body{display:none}</style>\n\n<p style="position:fixed;inset:0">x</p>\n\n<link rel=stylesheet href="https://evil.example/x.css">',
    ],
    [
      'remote images',
      '![a](https://evil.example/1.png)\n\n![b][c]\n\n[c]: https://evil.example/2.png\n\n[![d](https://evil.example/3.png)](https://evil.example)',
    ],
    [
      'link schemes',
      '[a](javascript:window.pwned=1) [b](JAVA&#115;cript:window.pwned=1) [c](data:text/html,x) [d](file:///etc/passwd) [e](smb://h/s) [f](vbscript:x)',
    ],
    ['autolinks', '<javascript:window.pwned=1> <data:text/html,x> javascript:window.pwned=1 www.evil.example'],
    [
      'attributes out of their quotes',
      '[a](https://e.example/" onclick="window.pwned=1) [b](https://e.example "x\\" onclick=\\"window.pwned=1")',
    ],
    ['a hostile language', '```"><img/src=x/onerror=window.pwned=1>\ncode\n```\n\n```html\n<img src=x onerror=window.pwned=1>\n```'],
    [
      'formulas that link',
      '$\\href{javascript:window.pwned=1}{x}$ $\\url{https://evil.example}$ $\\htmlClass{x}{y}$ $\\htmlStyle{position:fixed}{y}$ $\\htmlData{a=b}{y}$ $\\htmlId{app}{y}$',
    ],
    [
      'formulas that load',
      '$\\includegraphics[height=1em]{https://evil.example/x.png}$\n\n$$\n\\includegraphics{https://evil.example/y.png}\n$$',
    ],
    [
      'formulas that break out',
      '$\\text{</span><img src=x onerror=window.pwned=1>}$ $`<img src=x onerror=window.pwned=1>`$ $\\unicode{x}<script>window.pwned=1</script>$',
    ],
    ['clobbering', '<a id=app></a><form id=body><input name=children></form>\n\n<img name=getElementById>'],
    [
      'mutation',
      '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=window.pwned=1&gt;">\n\n<noscript><p title="</noscript><img src=x onerror=window.pwned=1>">',
    ],
    [
      'prefixes of namespaces',
      '<svg:script>window.pwned=1</svg:script>\n\n<svg><use href="data:image/svg+xml;base64,AA"/></svg>\n\n<svg><a xlink:href="javascript:window.pwned=1">x</a></svg>',
    ],
  ])(
    'make nothing of %s',
    async (_name, content) => {
      const page = await show(content)
      expect(await dangers(page)).toEqual([])
      expect(pages.foreignRequests).toEqual([])
      await page.context().close()
    },
    LIMIT_MS,
  )

  it(
    'cannot make a formula run away or cover the window',
    async () => {
      const bomb =
        '$\\def\\a{\\b\\b\\b\\b\\b\\b\\b\\b\\b\\b}\\def\\b{\\c\\c\\c\\c\\c\\c\\c\\c\\c\\c}\\def\\c{\\d\\d\\d\\d\\d\\d\\d\\d\\d\\d}\\def\\d{xxxxxxxxxx}\\a$'
      const page = await show(`${bomb}\n\n$\\rule{9999em}{9999em}$\n\n$\\def\\x{\\x\\x}\\x$\n\n$x^2$`)
      const widest = await page.evaluate(() =>
        Math.max(...[...document.querySelectorAll('.math *')].map((element) => element.getBoundingClientRect().height)),
      )
      expect(widest).toBeLessThan(1_000)
      expect(await page.locator('.math-mistaken').count()).toBe(2)
      await page.context().close()
    },
    LIMIT_MS,
  )

  it(
    'are opened outside only where they lead to the web or to mail',
    async () => {
      const page = await show('[web](https://example.org/a) [script](javascript:window.pwned=1)')
      const reply = page.getByTestId('assistant-message')
      await reply.getByText('script').click()
      await reply.getByText('web').click()
      await reply.getByText('web').click({ button: 'middle' })
      const opened = await page.evaluate(() => {
        const bridge = window as unknown as { weightroom: { log: { name: string; input: unknown }[] } }
        return bridge.weightroom.log.filter(({ name }) => name === 'app.openExternal').map(({ input }) => input)
      })
      expect(opened).toEqual([{ url: 'https://example.org/a' }, { url: 'https://example.org/a' }])
      expect(page.url()).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/)
      expect(page.context().pages()).toHaveLength(1)
      await page.context().close()
    },
    LIMIT_MS,
  )

  it.each([
    ['a line of a megabyte', 'a'.repeat(1 << 20)],
    ['10 000 nested quotes', `${'>'.repeat(10_000)} x`],
    ['10 000 nested lists', `${'- '.repeat(10_000)}x`],
    ['10 000 open brackets', `${'['.repeat(10_000)}${'('.repeat(10_000)}`],
    ['10 000 stars', '*a **b '.repeat(5_000)],
    ['10 000 paragraphs', 'A *short* paragraph.\n\n'.repeat(8_000)],
    ['a table of 200 columns', `${'| a '.repeat(200)}|\n${'|---'.repeat(200)}|\n${`${'| b '.repeat(200)}|\n`.repeat(50)}`],
    ['code of 100 000 lines', `\`\`\`js\n${'let x = 1;\n'.repeat(15_000)}\`\`\``],
    ['many formulas', '$\\frac{a}{b}$ '.repeat(500)],
  ])(
    'leave the window usable with %s',
    async (_name, content) => {
      const page = await show(content)
      await page.getByTestId('composer').fill('still here')
      expect(await page.getByTestId('composer').inputValue()).toBe('still here')
      expect(await dangers(page)).toEqual([])
      await page.context().close()
    },
    LIMIT_MS,
  )

  it('asked for nothing outside, and the policy had nothing to refuse', () => {
    expect(pages.foreignRequests).toEqual([])
    expect(pages.complaints).toEqual([])
  })
})
