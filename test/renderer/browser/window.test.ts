// @vitest-environment node
// The window in a real browser: what a person does with keyboard and pointer.
import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FakeScenario } from '../../support/fake-bridge'
import { chromiumPath, startRendererPages, type RendererPages } from '../../support/renderer-page'
import { chat, crash, openFirst } from './window-scenes'

const LIMIT_MS = 90_000

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
