// @vitest-environment node
// Tokens, prompts, forms and samplers in a real browser, by keyboard, in both colour schemes and in Chinese.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Chat, Message, ReplyToken, TokenChoice } from '../../../preload/contract'
import type { FakeScenario } from '../../support/fake-bridge'
import { chromiumPath, startRendererPages, type RendererPages } from '../../support/renderer-page'

const LIMIT_MS = 120_000
/** Where pictures of the new surfaces are put, for looking at them. */
const PICTURES = process.env['WEIGHTROOM_PICTURES']
const TEXT = 'A shard is one part of a checkpoint that was split over several files.\nThe index says which tensor lies in which of them.'

const choice = (text: string, logprob: number, special = false): TokenChoice => ({
  id: 1000 + text.length * 7 + text.charCodeAt(0),
  text,
  logprob,
  special,
})
const tokens: ReplyToken[] = [...TEXT.matchAll(/\s?\S+|\n/g)].map(([text], index) => {
  const chosen = choice(text, index % 4 === 0 ? -2.1 : -0.02)
  return { ...chosen, alternatives: [chosen, choice(' piece', -2.4), choice(' 檔案', -3.9), choice('</s>', -6, true)] }
})
tokens.push({ ...choice('</s>', -0.01, true), alternatives: [choice('</s>', -0.01, true), choice(' It', -5)] })

const base = { chatId: 'a', createdAtMs: 0, status: 'complete', error: null, modelName: 'guide', stats: null } as const
const messages: Message[] = [
  { ...base, id: 'q', parentId: null, role: 'user', content: 'What is a shard?', finishReason: null, siblingIds: ['q'] },
  { ...base, id: 'r', parentId: 'q', role: 'assistant', content: TEXT, finishReason: 'length', siblingIds: ['r'], hasTokens: true },
]
const chat: Chat = { id: 'a', title: 'Shards', createdAtMs: 0, updatedAtMs: 1, systemPrompt: null, sampling: null, messages }
const scenario: FakeScenario = { chats: [chat], tokens: { r: tokens } }

describe.skipIf(chromiumPath === null)('tokens and prompts', () => {
  let pages: RendererPages
  beforeAll(async () => {
    pages = await startRendererPages()
  }, LIMIT_MS)
  afterAll(() => pages.close())

  async function using(
    act: (page: Page) => Promise<void>,
    options: BrowserContextOptions = {},
    given: FakeScenario = scenario,
  ): Promise<void> {
    const page = await pages.open(given, { reducedMotion: 'reduce', ...options })
    try {
      const hidden = page.getByTestId('show-sidebar')
      if (await hidden.isVisible()) await hidden.click()
      await page.getByTestId('chat-row').first().getByRole('button').first().click()
      await page.getByTestId('assistant-message').first().waitFor()
      await act(page)
    } finally {
      await page.context().close()
    }
  }
  async function picture(page: Page, name: string): Promise<void> {
    if (PICTURES === undefined) return
    mkdirSync(PICTURES, { recursive: true })
    await page.screenshot({ path: join(PICTURES, `${name}.png`) })
  }
  async function isAccessible(page: Page): Promise<void> {
    const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze()
    expect(violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html.slice(0, 200)) }))).toEqual([])
  }

  it.each(['light', 'dark'] as const)(
    'are accessible, %s',
    async (colorScheme) => {
      await using(
        async (page) => {
          await page.getByTestId('show-tokens').click()
          await page.getByTestId('token-view').waitFor()
          await page.getByTestId('token-view').getByRole('button').nth(4).focus()
          await picture(page, `tokens-${colorScheme}`)
          await isAccessible(page)
          await page.getByTestId('show-prompt').click()
          await page.getByTestId('prompt-count').waitFor()
          await picture(page, `prompt-${colorScheme}`)
          await isAccessible(page)
        },
        { colorScheme },
      )
    },
    LIMIT_MS,
  )

  it(
    'can be walked by arrow keys, and branched from',
    async () => {
      await using(async (page) => {
        await page.getByTestId('show-tokens').click()
        await page.getByTestId('token-view').getByRole('button').first().focus()
        await page.keyboard.press('ArrowRight')
        await page.keyboard.press('ArrowRight')
        expect(await page.getByTestId('token-details').textContent()).toContain('is')
        await page.getByTestId('branch').first().click()
        await page.getByTestId('versions').waitFor()
        expect(await page.getByTestId('assistant-message').last().textContent()).toContain('A shard piece')
      })
    },
    LIMIT_MS,
  )

  it(
    'a cut reply goes on in its place',
    async () => {
      await using(async (page) => {
        await page.getByTestId('continue').click()
        await page.getByTestId('continue').waitFor({ state: 'detached' })
        expect(await page.getByTestId('assistant-message').count()).toBe(1)
        expect(await page.getByTestId('assistant-message').last().textContent()).toContain('in which of them.')
      })
    },
    LIMIT_MS,
  )

  it(
    'the prompt of the next message is shown as it would be sent, long ones in part',
    async () => {
      const promptTokens = Array.from({ length: 5000 }, (_, id) => ({ id, text: ` t${id}`, special: id % 50 === 0 }))
      await using(
        async (page) => {
          await page.getByTestId('composer').fill('And now?')
          await page.getByTestId('show-next-prompt').click()
          await page.getByTestId('prompt-count').waitFor()
          await page.keyboard.press('ArrowRight')
          expect(await page.getByTestId('prompt-detail').textContent()).toContain('id 1')
          expect(await page.getByTestId('prompt-dialog').locator('[data-index]').count()).toBe(3000)
          await picture(page, 'prompt-long')
          await page.getByTestId('prompt-dialog').getByText('Show all').click()
          expect(await page.getByTestId('prompt-dialog').locator('[data-index]').count()).toBe(5000)
          await page.keyboard.press('Escape')
          await page.getByTestId('prompt-dialog').waitFor({ state: 'detached' })
        },
        {},
        { ...scenario, promptTokens },
      )
    },
    LIMIT_MS,
  )

  it.each([
    { name: 'en', language: 'en', colorScheme: 'light' },
    { name: 'zh-TW', language: 'zh-TW', colorScheme: 'dark' },
  ] as const)(
    'the panel has every sampler and says what is wrong with a form, $name',
    async ({ name, language, colorScheme }) => {
      await using(
        async (page) => {
          const panel = page.getByTestId('chat-panel')
          if (!(await panel.isVisible())) await page.getByTestId('show-panel').click()
          await panel.waitFor()
          for (const group of ['repetition', 'dry', 'xtc', 'filters', 'dynamicTemperature', 'length', 'mirostat', 'logitBias'])
            await page.getByTestId(`group-${group}`).locator('summary').click()
          await page.getByTestId('sampling-dryMultiplier').fill('0.8')
          await page.getByTestId('sampling-dryMultiplier').press('Enter')
          await page.getByTestId('sampling-dryBase').waitFor()
          await picture(page, `panel-more-${name}`)
          await isAccessible(page)
          await panel.getByRole('radio').nth(-3).check({ force: true })
          await page.getByTestId('constraint-text').fill('{"multipleOf": 3}')
          await page.getByTestId('constraint-problem').waitFor()
          expect(await page.getByTestId('constraint-problem').textContent()).toContain('multipleOf')
          await picture(page, `panel-form-${name}`)
          await isAccessible(page)
        },
        { colorScheme, viewport: { width: name === 'en' ? 1280 : 900, height: 820 } },
        { ...scenario, settings: { language } },
      )
    },
    LIMIT_MS,
  )
})
