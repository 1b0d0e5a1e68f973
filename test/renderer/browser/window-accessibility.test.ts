// @vitest-environment node
// The window in a real browser: nothing stands in the way of assistive technology, in light and dark.
import { mkdirSync } from 'node:fs'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findViolations } from '../../support/accessibility'
import type { FakeScenario } from '../../support/fake-bridge'
import { guideLoaded } from '../../support/fake-models'
import { chromiumPath, startRendererPages, type RendererPages } from '../../support/renderer-page'
import { chat, crash, models, needsConsent, openFirst, tokenizerCode } from './window-scenes'

const LIMIT_MS = 90_000
/** Where pictures of every stage go, when somebody wants to look at them. */
const PICTURES = process.env['WEIGHTROOM_PICTURES']

describe.skipIf(chromiumPath === null)('accessibility of the window', () => {
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

  const stages: Readonly<Record<string, { scenario: FakeScenario; act?: (page: Page) => Promise<void>; options?: BrowserContextOptions }>> =
    {
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
      'a tokenizer that waits for consent': {
        scenario: { engine: { status: 'failed', modelId: '/m/tiny', error: needsConsent }, models },
        act: (page) => page.getByTestId('engine-asks-consent').waitFor(),
      },
      'the code of a tokenizer': {
        scenario: { engine: { status: 'failed', modelId: '/m/tiny', error: needsConsent }, models, tokenizerCode },
        act: async (page) => {
          await page.getByTestId('look-at-code').click()
          await page.getByTestId('consent-dialog').waitFor()
        },
      },
      'a folder over the window': {
        scenario: {},
        act: async (page) => {
          await page.evaluate(() => {
            const data = new DataTransfer()
            data.items.add(new File([''], 'model.pth'))
            window.dispatchEvent(new DragEvent('dragenter', { dataTransfer: data, cancelable: true, bubbles: true }))
          })
          await page.getByTestId('drop-overlay').waitFor()
        },
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
    (name, { scenario, act, options }) =>
      using(
        scenario,
        async (page) => {
          await act?.(page)
          const look = async (scheme: string): Promise<void> => {
            if (PICTURES === undefined) return
            mkdirSync(PICTURES, { recursive: true })
            await page.screenshot({ path: `${PICTURES}/window-${name.replaceAll(' ', '-')}-${scheme}.png` })
          }
          expect(await findViolations(page, look)).toEqual([])
        },
        options,
      ),
    LIMIT_MS,
  )

  it('asked for nothing outside and complained about nothing', () => {
    expect(pages.foreignRequests).toEqual([])
    expect(pages.complaints).toEqual([])
  })
})
