// @vitest-environment node
// The dialog that loads a model, in a real browser: what every format takes, measuring, the choice, and what is remembered.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FakeScenario } from '../../support/fake-bridge'
import { findViolations } from '../../support/accessibility'
import { chromiumPath, startRendererPages, type RendererPages } from '../../support/renderer-page'

const LIMIT_MS = 90_000
const PICTURES = process.env['WEIGHTROOM_PICTURES']

const model = {
  id: '/models/Qwen2.5-1.5B',
  name: 'Qwen2.5-1.5B',
  source: 'folder',
  path: '/models/Qwen2.5-1.5B',
  sizeBytes: 3_090_000_000,
  modelType: 'qwen2',
  dtype: 'BF16',
  parameterCount: 1_543_000_000,
  contextLength: 32_768,
  state: 'ready',
  problem: null,
  description: null,
} as const

describe.skipIf(chromiumPath === null)('load dialog', () => {
  let pages: RendererPages
  beforeAll(async () => {
    pages = await startRendererPages()
  }, LIMIT_MS)
  afterAll(() => pages.close())

  async function opened(scenario: FakeScenario, act: (page: Page) => Promise<void>, dark = false): Promise<void> {
    const page = await pages.open(
      { models: [model], ...scenario },
      { colorScheme: dark ? 'dark' : 'light', viewport: { width: 1180, height: 860 } },
    )
    try {
      await page.getByTestId('nav-models').click()
      await page.getByTestId('load-options').first().click()
      await page.getByTestId('load-format-quality').waitFor()
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

  it(
    'shows memory, speed and quality of every format, measures, and remembers the choice',
    () =>
      opened({ measuredFormats: ['f32'] }, async (page) => {
        const quality = page.getByTestId('load-format-quality')
        expect(await quality.innerText()).toContain('not measured')
        expect(await quality.innerText()).toContain('estimated')
        expect(await quality.getByRole('radio').isChecked()).toBe(true)
        expect(await findViolations(page, async (scheme) => await picture(page, `load-${scheme}`))).toEqual([])
        await page.getByTestId('load-measure').click()
        await page.getByTestId('load-format-fast').getByText('+9.0 %').waitFor()
        await page.getByTestId('load-format-balanced').getByRole('radio').check()
        await page.getByText('Advanced: formats of single matrices').click()
        await page.getByTestId('override-add').click()
        await page.getByTestId('override-pattern').fill('layers.0.*')
        await picture(page, 'load-measured')
        await page.getByTestId('load-confirm').click()
        await page.getByTestId('load-dialog').waitFor({ state: 'detached' })
        await page.getByTestId('load-options').first().click()
        expect(await page.getByTestId('load-format-balanced').getByRole('radio').isChecked()).toBe(true)
        expect(await page.getByTestId('override-pattern').inputValue()).toBe('layers.0.*')
      }),
    LIMIT_MS,
  )

  it(
    'proposes a format that fits where the chosen one does not, and measuring can be stopped',
    () =>
      opened(
        { freeBytes: 2_000_000_000, measureStepMs: 400, settings: { weightFormat: 'f32', language: 'zh-CN' } },
        async (page) => {
          await page.getByTestId('load-too-large').waitFor()
          await picture(page, 'load-too-large-dark-zh')
          await page.getByTestId('load-smaller').click()
          await page.getByTestId('load-too-large').waitFor({ state: 'detached' })
          await page.getByTestId('load-measure').click()
          await page.getByTestId('load-stop').waitFor()
          await picture(page, 'load-measuring-dark-zh')
          await page.getByTestId('load-stop').click()
          await page.getByTestId('load-measure').waitFor()
          await page.keyboard.press('Escape')
          await page.getByTestId('load-dialog').waitFor({ state: 'detached' })
        },
        true,
      ),
    LIMIT_MS,
  )
})
