// @vitest-environment node
// Looking into checkpoints and converting them, in a real browser: by keyboard and pointer, and nothing in the way of assistive technology.
import { mkdirSync } from 'node:fs'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findViolations } from '../../support/accessibility'
import type { FakeScenario } from '../../support/fake-bridge'
import { fakeJob, fakeProof } from '../../support/fake-workbench'
import { chromiumPath, startRendererPages, type RendererPages } from '../../support/renderer-page'

const LIMIT_MS = 90_000
/** Where pictures of every stage go, when somebody wants to look at them. */
const PICTURES = process.env['WEIGHTROOM_PICTURES']

const running = fakeJob({
  id: 'running',
  order: { ...fakeJob().order, source: '/m/minimind.pth', out: '/m/minimind-safetensors' },
  state: 'running',
  progress: { file: 'model.safetensors', doneBytes: 1_240_000_000, totalBytes: 2_030_000_000, bytesPerSecond: 412_000_000, leftMs: 1_900 },
})
const failed = fakeJob({
  id: 'failed',
  order: { ...fakeJob().order, to: 'npz', source: '/m/odd', out: '/m/odd-npz' },
  state: 'failed',
  error: {
    code: 'convert/disk-full',
    message: 'The disk of /m/odd-npz has 1.2 KB free; 21.8 MB are needed.',
    details: { path: '/m/odd-npz', freeBytes: 1200, neededBytes: 21_841_640 },
  },
})
const done = fakeJob({ id: 'done', order: { ...fakeJob().order, to: 'pth' }, state: 'done', proof: fakeProof() })
const interrupted = fakeJob({ id: 'interrupted', order: { ...fakeJob().order, to: 'torch' }, state: 'interrupted' })
const jobs = [interrupted, failed, done, running, fakeJob({ id: 'queued', order: { ...fakeJob().order, to: 'gguf' } })]

const field = (name: string, value: number, origin: 'guess' | 'shape', text: string) => ({
  name,
  value,
  origin,
  reason: { code: 'test', data: {}, text },
})
const family = {
  name: 'llama',
  modelType: 'llama',
  layout: 'minimind',
  prefix: '',
  mapped: 66,
  unmapped: [],
  unmappedCount: 0,
  config: [
    field('num_attention_heads', 8, 'guess', 'Heads of 64 are usual for a hidden size of 512.'),
    field('rope_theta', 1_000_000, 'guess', 'MiniMind trains with this base.'),
    field('rms_norm_eps', 1e-5, 'guess', 'MiniMind trains with this value.'),
    field('hidden_size', 512, 'shape', 'The width of the embedding.'),
    field('num_hidden_layers', 8, 'shape', 'The names count to layer 7.'),
  ],
}

describe.skipIf(chromiumPath === null)('workbench', () => {
  let pages: RendererPages
  beforeAll(async () => {
    pages = await startRendererPages()
  }, LIMIT_MS)
  afterAll(() => pages.close())

  async function using(scenario: FakeScenario, act: (page: Page) => Promise<void>, options: BrowserContextOptions = {}): Promise<void> {
    const page = await pages.open({ info: { host: 'web' }, ...scenario }, options)
    try {
      await act(page)
    } finally {
      await page.context().close()
    }
  }

  async function drop(page: Page): Promise<void> {
    await page.evaluate(() => {
      const data = new DataTransfer()
      data.items.add(new File(['0123456789'], 'model.pth'))
      window.dispatchEvent(new DragEvent('drop', { dataTransfer: data, cancelable: true, bubbles: true }))
    })
  }
  const inspect = async (page: Page): Promise<void> => {
    await drop(page)
    await page.getByTestId('inspector-facts').waitFor()
  }
  const part = (page: Page, name: string): Promise<void> => page.getByRole('radio', { name }).check({ force: true })

  const stages: Readonly<Record<string, { scenario: FakeScenario; act: (page: Page) => Promise<void>; options?: BrowserContextOptions }>> =
    {
      'nothing to convert': { scenario: {}, act: async (page) => page.getByTestId('nav-convert').click() },
      'a queue': { scenario: { workbench: { jobs } }, act: async (page) => page.getByTestId('nav-convert').click() },
      'a report': {
        scenario: { workbench: { jobs } },
        act: async (page) => {
          await page.getByTestId('nav-convert').click()
          await page.getByTestId('job-report').click()
          await page.getByTestId('report-dialog').waitFor()
        },
      },
      'the inspector': { scenario: { droppedPath: '/m/tiny-llama-chat' }, act: inspect },
      'a model without a chat template': {
        scenario: {
          droppedPath: '/m/tiny-llama-chat',
          workbench: {
            tokenizer: {
              tokenizer: {
                file: 'tokenizer.json',
                kind: 'tokenizer-json',
                why: {
                  code: 'tokenizer/before-others',
                  data: { file: 'tokenizer.json', others: 'tokenizer.model' },
                  text: 'tokenizer.json is taken before tokenizer.model, as Transformers does.',
                },
                vocabSize: 6400,
              },
              template: { source: 'the built-in ChatML template', fallbackFamily: 'ChatML' },
              problem: null,
            },
          },
        },
        act: async (page) => {
          await inspect(page)
          await page.getByTestId('template-fallback').waitFor()
        },
      },
      'the tree of tensors': {
        scenario: { droppedPath: '/m/tiny-llama-chat', workbench: { layers: 400 } },
        act: async (page) => {
          await inspect(page)
          await part(page, 'Tensors')
          await page.getByRole('button', { name: 'Open all groups' }).click()
          await page.getByTestId('tensor-row').nth(6).click()
          await page.getByTestId('histogram').waitFor()
        },
      },
      'a checkpoint that cannot be opened': {
        scenario: { droppedPath: '/m/empty-one' },
        act: async (page) => {
          await drop(page)
          await page.getByTestId('inspector-error').waitFor()
        },
      },
      'the plan': {
        scenario: { droppedPath: '/m/tiny-llama-chat' },
        act: async (page) => {
          await inspect(page)
          await page.getByTestId('inspector-convert').click()
          await page.getByTestId('convert-numbers').selectOption('F16')
          await page.getByText('BF16 to F16 loses precision').waitFor()
        },
      },
      'a plan with questions': {
        scenario: {
          droppedPath: '/m/minimind.pth',
          workbench: {
            preview: { family, candidates: ['llama'] },
            tokenizer: { tokenizer: null, template: null, problem: null },
          },
        },
        act: async (page) => {
          await inspect(page)
          await page.getByTestId('inspector-convert').click()
          await page.getByTestId('answer-rope_theta').waitFor()
          await page.getByTestId('convert-tokenizer').fill('/m/model')
        },
      },
      'the chooser': {
        scenario: {},
        act: async (page) => {
          await page.getByTestId('nav-convert').click()
          await page.getByTestId('choose-here').click()
          await page.getByTestId('place-entry').first().waitFor()
        },
      },
      'a narrow window': {
        scenario: { droppedPath: '/m/tiny-llama-chat' },
        act: async (page) => {
          await inspect(page)
          await part(page, 'Tensors')
          await page.getByRole('button', { name: 'Open all groups' }).click()
          await page.getByTestId('tensor-row').nth(6).click()
          await page.getByTestId('histogram').waitFor()
        },
        options: { viewport: { width: 900, height: 700 } },
      },
      Chinese: {
        scenario: { settings: { language: 'zh-TW' }, workbench: { jobs } },
        act: async (page) => page.getByTestId('nav-convert').click(),
      },
    }

  describe('accessibility', () => {
    it.each(Object.entries(stages))(
      'finds nothing wrong with %s, in light and dark',
      (name, { scenario, act, options }) =>
        using(
          scenario,
          async (page) => {
            await act(page)
            const look = async (scheme: string): Promise<void> => {
              if (PICTURES === undefined) return
              mkdirSync(PICTURES, { recursive: true })
              await page.screenshot({ path: `${PICTURES}/${name.replaceAll(' ', '-')}-${scheme}.png` })
            }
            expect(await findViolations(page, look)).toEqual([])
          },
          options,
        ),
      LIMIT_MS,
    )
  })

  it(
    'walks through 3 600 tensors by keyboard, with only what is seen in the page',
    () =>
      using({ droppedPath: '/m/tiny', workbench: { layers: 400 } }, async (page) => {
        await inspect(page)
        await part(page, 'Tensors')
        const tree = page.getByTestId('tensor-tree')
        await page.getByTestId('tensor-row').first().waitFor()
        await tree.focus()
        await page.keyboard.press('ArrowRight')
        await expect.poll(() => page.getByTestId('tensor-row').count()).toBeGreaterThan(1)
        await page.getByRole('button', { name: 'Open all groups' }).click()
        await tree.focus()
        await page.keyboard.press('End')
        await page.getByText('norm.weight', { exact: false }).last().waitFor()
        expect(await page.getByTestId('tensor-row').count()).toBeLessThan(80)
        await page.getByTestId('tensor-search').fill('layers.399.self_attn.q_proj')
        await page.getByText('1 found').waitFor()
        await tree.focus()
        await page.keyboard.press('End')
        await page.keyboard.press('Enter')
        await page.getByTestId('tensor-details').getByText('Standard deviation').waitFor()
      }),
    LIMIT_MS,
  )

  it(
    'puts a conversion together, asks before it replaces, and queues it',
    () =>
      using({ droppedPath: '/m/tiny' }, async (page) => {
        await inspect(page)
        await page.getByTestId('inspector-convert').click()
        await page.getByTestId('convert-format').selectOption('npz')
        await expect.poll(() => page.getByTestId('convert-out').inputValue()).toBe('/m/tiny-npz')
        await page.evaluate(() => {
          const { weightroom } = window as unknown as { weightroom: { fail: (name: string, error: unknown) => void } }
          weightroom.fail('conversions.plan', { code: 'convert/output-exists', message: 'It already exists.', details: {} })
        })
        await page.getByTestId('convert-out').fill('/m/other')
        await page.getByTestId('plan-error').getByText('convert/output-exists').waitFor()
        expect(await page.getByTestId('convert-start').isDisabled()).toBe(true)
        await page.evaluate(() => {
          const { weightroom } = window as unknown as { weightroom: { fail: (name: string, error: unknown) => void } }
          weightroom.fail('conversions.plan', null)
        })
        await page.getByTestId('convert-replace').check()
        await page.getByTestId('conversion-plan').waitFor()
        await page.getByTestId('convert-start').click()
        await page.getByTestId('job-row').getByText('Waiting').waitFor()
        expect(await page.getByTestId('busy-dot').count()).toBe(1)
        await page.getByTestId('job-cancel').click()
        await page.getByTestId('job-row').getByText('Cancelled').waitFor()
      }),
    LIMIT_MS,
  )

  /** Goes on with Tab until something has the focus, and sees that the focus can be seen. */
  async function tabTo(page: Page, selector: string): Promise<void> {
    for (let presses = 0; presses < 80; presses += 1) {
      await page.keyboard.press('Tab')
      const focus = await page.evaluate((wanted) => {
        const element = document.activeElement
        if (element === null || !element.matches(wanted)) return null
        // What is hidden is drawn by its neighbour: a radio by its label.
        const drawn = element.matches('.visually-hidden, [type=radio]') ? (element.closest('label') ?? element) : element
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(drawn)
        return (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none'
      }, selector)
      if (focus === null) continue
      expect([selector, focus]).toEqual([selector, true])
      return
    }
    throw new Error(`Tab never reaches ${selector}.`)
  }

  it(
    'is used by keyboard alone: path, tensors, plan, queue and report',
    () =>
      using({ workbench: { jobs: [done] } }, async (page) => {
        const test = (id: string): string => `[data-testid=${id}]`
        await tabTo(page, test('nav-convert'))
        await page.keyboard.press('Enter')
        await tabTo(page, test('type-path'))
        await page.keyboard.press('Enter')
        await page.getByTestId('path-field').waitFor()
        await page.keyboard.type('/m/tiny')
        await page.keyboard.press('Enter')
        await page.getByTestId('inspector-facts').waitFor()
        await tabTo(page, '[type=radio]')
        await page.keyboard.press('ArrowRight')
        await tabTo(page, test('tensor-tree'))
        await page.keyboard.press('ArrowRight')
        await expect.poll(() => page.getByTestId('tensor-row').count()).toBeGreaterThan(1)
        await page.getByTestId('tensor-search').waitFor()
        await page.keyboard.press('End')
        await page.keyboard.press('Enter')
        await page.keyboard.press('Escape')
        await tabTo(page, test('inspector-convert'))
        await page.keyboard.press('Enter')
        await page.getByTestId('conversion-plan').waitFor()
        await page.keyboard.press('Escape')
        await page.getByTestId('convert-sheet').waitFor({ state: 'detached' })
        expect(await page.evaluate(() => document.activeElement?.getAttribute('data-testid'))).toBe('inspector-convert')
        await page.keyboard.press('Enter')
        await page.getByTestId('conversion-plan').waitFor()
        await tabTo(page, test('convert-out'))
        await page.keyboard.press('Enter')
        await page.getByTestId('job-row').getByText('Waiting').waitFor()
        await tabTo(page, test('job-report'))
        await page.keyboard.press('Enter')
        await page.getByTestId('report-dialog').waitFor()
        await page.keyboard.press('Escape')
        await page.getByTestId('report-dialog').waitFor({ state: 'detached' })
        expect(await page.evaluate(() => document.activeElement?.getAttribute('data-testid'))).toBe('job-report')
      }),
    LIMIT_MS,
  )

  it(
    'sends files whose path nobody tells, and looks into them',
    () =>
      using({}, async (page) => {
        await drop(page)
        await page.getByTestId('path-upload').click()
        await page.getByTestId('inspector-facts').waitFor()
        const names = await page.evaluate(() =>
          (window as unknown as { weightroom: { log: { name: string }[] } }).weightroom.log.map(({ name }) => name),
        )
        expect(names.filter((name) => name.startsWith('uploads.'))).toEqual(['uploads.begin', 'uploads.write', 'uploads.finish'])
        await page.getByTestId('inspector-back').click()
        await page.getByTestId('drop-area').waitFor()
      }),
    LIMIT_MS,
  )

  it('asked for nothing outside and complained about nothing', () => {
    expect(pages.foreignRequests).toEqual([])
    expect(pages.complaints).toEqual([])
  })
})
