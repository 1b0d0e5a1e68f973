// @vitest-environment node
// The window in a real browser: what a person does with keyboard and pointer, and that nothing stands in the way of assistive technology.
import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Chat, Message, ModelEntry } from '../../../preload/contract'
import { findViolations } from '../../support/accessibility'
import { guideEntry, guideLoaded, type FakeScenario } from '../../support/fake-bridge'
import { chromiumPath, startRendererPages, type RendererPages } from '../../support/renderer-page'

const LIMIT_MS = 90_000
const stats = { promptTokens: 31, cachedTokens: 12, completionTokens: 87, ttftMs: 184, tokensPerSecond: 43.6, totalMs: 2140, seed: 7 }
const MARKDOWN =
  '# Head\n\nText with `code`, **bold** and a [link](https://example.org).\n\n```js\nlet x = 1 // one\n```\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n> quote\n\n$x^2$'

function chat(id: string, turns: number, more: Partial<Message> = {}): Chat {
  const messages: Message[] = []
  for (let turn = 0; turn < turns; turn += 1) {
    const base = { chatId: id, createdAtMs: 0, status: 'complete', error: null, modelName: null } as const
    const question = `${id}-q${turn}`
    messages.push({
      ...base,
      id: question,
      parentId: messages.at(-1)?.id ?? null,
      role: 'user',
      content: `Question ${turn}`,
      finishReason: null,
      stats: null,
      siblingIds: [question],
    })
    messages.push({
      ...base,
      id: `${id}-a${turn}`,
      parentId: question,
      role: 'assistant',
      content: MARKDOWN,
      finishReason: 'stop',
      stats,
      siblingIds: [`${id}-a${turn}`, 'x'],
      ...more,
    })
  }
  return { id, title: `Chat ${id}`, createdAtMs: 0, updatedAtMs: Date.now(), systemPrompt: null, sampling: null, messages }
}

const models: readonly ModelEntry[] = [
  guideEntry,
  { ...guideEntry, id: '/m/tiny', name: 'tiny', path: '/m/tiny', source: 'folder' },
  {
    ...guideEntry,
    id: '/m/half',
    name: 'half',
    path: '/m/half',
    source: 'hf-cache',
    state: 'incomplete',
    problem: { code: 'checkpoint/missing-shard', message: 'A shard is missing.', details: {} },
  },
  {
    ...guideEntry,
    id: '/m/odd',
    name: 'odd',
    path: '/m/odd',
    source: 'folder',
    state: 'unsupported',
    problem: { code: 'config/unknown-model-type', message: 'Not supported.', details: {} },
  },
  {
    ...guideEntry,
    id: '/m/bad',
    name: 'bad',
    path: '/m/bad',
    source: 'folder',
    state: 'broken',
    problem: { code: 'checkpoint/truncated-file', message: 'Cut off.', details: {} },
  },
]
const crash = {
  status: 'crashed',
  modelId: 'guide',
  error: { code: 'engine/crashed', message: 'The engine process was killed.', details: {} },
} as const

describe.skipIf(chromiumPath === null)('window', () => {
  let pages: RendererPages

  beforeAll(async () => {
    pages = await startRendererPages()
  }, LIMIT_MS)
  afterAll(() => pages.close())

  async function using(scenario: FakeScenario, act: (page: Page) => Promise<void>, options: BrowserContextOptions = {}): Promise<void> {
    const page = await pages.open(scenario, options)
    try {
      await act(page)
    } finally {
      await page.context().close()
    }
  }

  const openFirst = (page: Page): Promise<void> => page.getByTestId('chat-row').first().getByRole('button').first().click()

  describe('accessibility', () => {
    const stages: Readonly<
      Record<string, { scenario: FakeScenario; act?: (page: Page) => Promise<void>; options?: BrowserContextOptions }>
    > = {
      'empty chat': { scenario: {} },
      'a conversation': {
        scenario: { chats: [chat('a', 2)], usedTokens: 1_800 },
        act: async (page) => {
          await openFirst(page)
          // Formulas and coloured code arrive with their parts of the app.
          await page.locator('.katex').first().waitFor()
          await page.locator('[class^="hljs-"]').first().waitFor()
        },
      },
      'a model without a chat template': {
        scenario: { engine: { status: 'ready', model: { ...guideLoaded, templateFallback: 'ChatML' } } },
        act: (page) => page.getByTestId('template-tag').waitFor(),
      },
      'the panel': {
        scenario: { chats: [chat('a', 1)] },
        act: async (page) => {
          await openFirst(page)
          await page.getByTestId('show-panel').click()
          await page.getByTestId('sampling-temperature').fill('1.2')
          await page.getByTestId('sampling-temperature').press('Enter')
        },
      },
      'search hits': {
        scenario: { chats: [chat('a', 1)] },
        act: async (page) => {
          await page.keyboard.press('Control+k')
          await page.keyboard.type('quote')
          await page.locator('mark').first().waitFor()
        },
      },
      'a dead engine': {
        scenario: { chats: [chat('a', 1, { status: 'interrupted', stats: null, finishReason: null })], engine: crash },
        act: openFirst,
      },
      'a failed reply': {
        scenario: {
          chats: [chat('a', 1, { error: { code: 'runtime/context-overflow', message: 'Too long.', details: {} }, finishReason: 'error' })],
        },
        act: openFirst,
      },
      'the list of models in the chat': {
        scenario: { models, engine: { status: 'loading', modelId: '/m/tiny', stage: 'weights', fraction: 0.4 } },
        act: async (page) => page.getByTestId('model-chip').click(),
      },
      models: { scenario: { models }, act: async (page) => page.getByTestId('nav-models').click() },
      'the dialog': {
        scenario: { models },
        act: async (page) => {
          await page.getByTestId('nav-models').click()
          await page.getByTestId('add-folder').click()
        },
      },
      devices: { scenario: { models }, act: async (page) => page.getByTestId('nav-devices').click() },
      settings: {
        scenario: {},
        act: async (page) => {
          await page.getByTestId('nav-settings').click()
          await page.getByTestId('prepared-row').first().waitFor()
        },
      },
      'the question before prepared weights are cleared': {
        scenario: {},
        act: async (page) => {
          await page.getByTestId('nav-settings').click()
          await page.getByTestId('prepared-clear-all').click()
        },
      },
      'a narrow window': {
        scenario: { chats: [chat('a', 1)] },
        act: async (page) => page.getByTestId('show-sidebar').click(),
        options: { viewport: { width: 760, height: 620 } },
      },
      Chinese: { scenario: { settings: { language: 'zh-TW' } }, act: async (page) => page.getByTestId('nav-settings').click() },
    }

    it.each(Object.entries(stages))(
      'finds nothing wrong with %s, in light and dark',
      (_name, { scenario, act, options }) =>
        using(
          scenario,
          async (page) => {
            await act?.(page)
            expect(await findViolations(page)).toEqual([])
          },
          options,
        ),
      LIMIT_MS,
    )
  })

  it(
    'leads through a conversation by keyboard alone',
    () =>
      using({ reply: { pieces: Array.from({ length: 120 }, (_, index) => `word${index} `), pauseMs: 15 } }, async (page) => {
        await page.keyboard.type('First question')
        await page.keyboard.press('Shift+Enter')
        await page.keyboard.type('second line')
        await page.keyboard.press('Enter')
        await page.getByTestId('stop').waitFor()
        await page.getByTestId('assistant-message').getByText('word3 ').waitFor()
        await page.keyboard.press('Escape')
        await page.getByText('Stopped by you').waitFor()
        expect(await page.getByTestId('user-message').innerText()).toContain('First question\nsecond line')
        await page.keyboard.press('Control+Enter')
        await page.getByTestId('versions').getByText('2/2').waitFor()
        await page.getByText('Finished').waitFor()
        await page.keyboard.press('Control+n')
        await page.getByTestId('empty-chat').waitFor()
        await page.keyboard.press('Control+b')
        expect(await page.getByTestId('chat-sidebar').count()).toBe(0)
        await page.keyboard.press('Control+k')
        await page.keyboard.type('second')
        await page.locator('mark').first().waitFor()
        await page.keyboard.press('Tab')
        await page.keyboard.press('Tab')
        await page.keyboard.press('Enter')
        await page.getByTestId('user-message').waitFor()
      }),
    LIMIT_MS,
  )

  it(
    'follows the end of a growing reply until someone scrolls up, and again on request',
    () =>
      using(
        { chats: [chat('a', 8)], reply: { pieces: Array.from({ length: 400 }, (_, index) => `Line ${index}\n\n`), pauseMs: 25 } },
        async (page) => {
          await openFirst(page)
          const list = page.getByTestId('message-list')
          const fromEnd = (): Promise<number> => list.evaluate((element) => element.scrollHeight - element.clientHeight - element.scrollTop)
          await expect.poll(fromEnd).toBeLessThan(5)
          await page.getByTestId('composer').fill('Go')
          await page.keyboard.press('Enter')
          await page.getByText('Line 30', { exact: true }).waitFor()
          await expect.poll(fromEnd).toBeLessThan(80)
          await list.hover()
          await page.mouse.wheel(0, -700)
          await page.getByTestId('to-end').waitFor()
          const before = await list.evaluate((element) => element.scrollTop)
          await page.getByText('Line 80', { exact: true }).waitFor()
          expect(Math.abs((await list.evaluate((element) => element.scrollTop)) - before)).toBeLessThan(60)
          await page.getByTestId('to-end').click()
          await expect.poll(fromEnd).toBeLessThan(80)
          await page.getByText('Line 120', { exact: true }).waitFor()
          await expect.poll(fromEnd).toBeLessThan(120)
        },
      ),
    LIMIT_MS,
  )

  it(
    'opens a conversation of 2 000 messages at its end and shows the beginning on the way up',
    () =>
      using({ chats: [chat('a', 1_000)] }, async (page) => {
        await openFirst(page)
        await page.getByText('Question 999', { exact: true }).waitFor()
        expect(await page.getByTestId('user-message').count()).toBeLessThan(100)
        await page.getByTestId('message-list').evaluate((list) => list.scrollTo(0, 0))
        await page.getByText('Question 960', { exact: true }).waitFor({ state: 'attached' })
      }),
    LIMIT_MS,
  )

  it(
    'edits, renames, deletes and takes back',
    () =>
      using({ chats: [chat('a', 1), chat('b', 1)] }, async (page) => {
        await openFirst(page)
        await page.getByTestId('user-message').hover()
        await page.getByTestId('edit-message').click()
        await page.getByTestId('edit-field').fill('A better question')
        await page.keyboard.press('Enter')
        await page.getByTestId('user-message').getByText('A better question').waitFor()
        await page.getByTestId('user-message').getByTestId('versions').getByText('2/2').waitFor()

        const row = page.getByTestId('chat-row').first()
        await row.hover()
        await row.getByRole('button', { name: /^Rename/ }).click()
        await page.getByTestId('chat-rename-field').fill('Renamed')
        await page.keyboard.press('Enter')
        await page.getByRole('heading', { level: 1, name: 'Renamed' }).waitFor()
        await row.hover()
        await row.getByRole('button', { name: 'Delete “Renamed”' }).click()
        await page.getByTestId('empty-chat').waitFor()
        await page.getByTestId('toast').getByRole('button', { name: 'Undo' }).click()
        await page.getByRole('heading', { level: 1, name: 'Renamed' }).waitFor()
      }),
    LIMIT_MS,
  )

  it(
    'gives a message back that could not be sent',
    () =>
      using({ failures: { 'chats.reply': { code: 'chats/disk-full', message: 'The disk is full.', details: {} } } }, async (page) => {
        await page.getByTestId('composer').fill('Do not lose me')
        await page.keyboard.press('Enter')
        await page.getByTestId('send-failure').getByText('chats/disk-full').waitFor()
        expect(await page.getByTestId('composer').inputValue()).toBe('Do not lose me')
      }),
    LIMIT_MS,
  )

  it(
    'reloads the model after the engine died',
    () =>
      using({ engine: crash }, async (page) => {
        expect(await page.getByTestId('send').isDisabled()).toBe(true)
        await page.getByTestId('composer').fill('Ready when you are')
        await page.getByTestId('reload-model').click()
        await page.getByTestId('engine-crashed').waitFor({ state: 'detached' })
        await page.keyboard.press('Tab')
        expect(await page.getByTestId('send').isEnabled()).toBe(true)
      }),
    LIMIT_MS,
  )

  it(
    'speaks the chosen language at once and remembers the theme in the page',
    () =>
      using({}, async (page) => {
        await page.getByTestId('nav-settings').click()
        await page.getByRole('radio', { name: '繁體中文' }).check()
        await page.getByRole('heading', { level: 1, name: '設定' }).waitFor()
        expect(await page.locator('html').getAttribute('lang')).toBe('zh-TW')
        await page.getByRole('radio', { name: '深色' }).check()
        await expect.poll(() => page.locator('html').getAttribute('data-theme')).toBe('dark')
        expect(await page.evaluate(() => getComputedStyle(document.body).colorScheme)).toBe('dark')
      }),
    LIMIT_MS,
  )

  it(
    'returns to the open conversation after a reload, and keeps theme and language for the first frame',
    () =>
      using({ chats: [chat('a', 1)], settings: { theme: 'dark', language: 'zh-CN' } }, async (page) => {
        await openFirst(page)
        await page.getByTestId('user-message').waitFor()
        await page.reload()
        await page.getByTestId('user-message').waitFor()
        await page.addInitScript(() => {
          addEventListener('DOMContentLoaded', () => {
            const { lang, dataset } = document.documentElement
            Object.assign(window, {
              first: `${lang} ${dataset['theme'] ?? ''} ${document.querySelector('nav')?.getAttribute('aria-label') ?? ''}`,
            })
          })
        })
        await page.reload()
        await page.getByTestId('user-message').waitFor()
        expect(await page.evaluate(() => (window as unknown as { first: string }).first)).toBe('zh-CN dark 主导航')
      }),
    LIMIT_MS,
  )

  it(
    'looks into a dropped folder, and says why one cannot be opened',
    () =>
      using({ droppedPath: '/models/empty-one' }, async (page) => {
        const drop = (type: string): Promise<void> =>
          page.evaluate((name) => {
            const data = new DataTransfer()
            data.items.add(new File([''], 'folder'))
            window.dispatchEvent(new DragEvent(name, { dataTransfer: data, cancelable: true, bubbles: true }))
          }, type)
        await drop('dragenter')
        await page.getByTestId('drop-overlay').waitFor()
        await drop('drop')
        await page.getByTestId('inspector-error').getByText('checkpoint/no-weights').waitFor()
        expect(await page.getByTestId('drop-overlay').count()).toBe(0)
        await page.getByTestId('inspector-back').click()
        await page.getByTestId('drop-area').waitFor()
      }),
    LIMIT_MS,
  )

  it(
    'plans again when the context slider moves',
    () =>
      using({}, async (page) => {
        await page.getByTestId('nav-devices').click()
        const before = await page.getByTestId('predicted').innerText()
        await page.getByTestId('context-slider').press('Home')
        await expect.poll(() => page.getByTestId('predicted').innerText()).not.toBe(before)
        expect(await page.getByTestId('context-value').innerText()).toBe('256 tokens')
        expect(await page.getByTestId('layer').count()).toBe(8)
      }),
    LIMIT_MS,
  )

  it('asked for nothing outside and complained about nothing', () => {
    expect(pages.foreignRequests).toEqual([])
    expect(pages.complaints).toEqual([])
  })
})
