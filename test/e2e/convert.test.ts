// A bare state dict on every host: dropped, mapped onto its family, converted, added in place, and chatted with.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { removeFolder } from '../support/remove-folder'
import { shortTemporaryPath } from '../support/temporary-path'
import { hostKinds } from './hosts'
import { root } from './hosts/app-process'
import type { RunningHost } from './hosts/types'
import { ANSWER_LIMIT_MS, ask, dropFolder, replyTo, untilReady } from './window'

const minimind = join(root, 'test/fixtures/custom/minimind')
const tokenizer = join(root, 'test/fixtures/onnx/optimum')
const MINIMIND_TOKENS = 6400

/** A tiny tokenizer that has a word for each of `count` ids. */
function tokenizerOf(count: number): string {
  const json = JSON.parse(readFileSync(join(tokenizer, 'tokenizer.json'), 'utf8')) as { model: { vocab: Record<string, number> } }
  for (let id = Object.keys(json.model.vocab).length; id < count; id++) json.model.vocab[`word${id} `] = id
  return JSON.stringify(json)
}

describe.each(hostKinds.map((kind) => [kind.name, kind] as const))('%s host', (_, kind) => {
  describe.skipIf(kind.missing !== null)(kind.missing === null ? 'converts' : `skipped: ${kind.missing}`, () => {
    const work = shortTemporaryPath()
    const source = join(work, 'minimind')
    let host: RunningHost

    beforeAll(async () => {
      mkdirSync(join(work, 'data'), { recursive: true })
      mkdirSync(source)
      copyFileSync(join(minimind, 'pretrain_16.pth'), join(source, 'minimind.pth'))
      // The fixture has no tokenizer of its own.
      writeFileSync(join(source, 'tokenizer.json'), tokenizerOf(MINIMIND_TOKENS))
      copyFileSync(join(tokenizer, 'tokenizer_config.json'), join(source, 'tokenizer_config.json'))
      host = await kind.start({ dataFolder: join(work, 'data'), env: { HF_HUB_CACHE: join(work, 'no-cache'), LANG: 'en_US.UTF-8' } })
      await untilReady(host.page)
    })
    afterAll(async () => {
      await host.quit().catch(() => undefined)
      removeFolder(work)
    })

    it('shows what a dropped file is', async () => {
      const { page } = host
      const file = join(source, 'minimind.pth')
      await dropFolder(host, file)
      if (kind.name === 'web') {
        await page.getByTestId('path-field').fill(file)
        await page.getByRole('button', { name: 'Open', exact: true }).click()
      }
      await page.getByTestId('inspector-facts').waitFor({ timeout: ANSWER_LIMIT_MS })
      expect(await page.getByTestId('inspector-facts').textContent()).toMatch(/pytorch.*tensors/)
    })

    it('maps it onto its family, asks what the file does not say, and converts it', async () => {
      const { page } = host
      await page.getByTestId('inspector-convert').click()
      await page.getByTestId('convert-names').selectOption('auto')
      await page.getByTestId('family-mapping').waitFor({ timeout: ANSWER_LIMIT_MS })
      await page.getByTestId('convert-out').fill(join(work, 'result'))
      await expect.poll(() => page.getByTestId('convert-start').isEnabled(), { timeout: ANSWER_LIMIT_MS }).toBe(true)
      await page.getByTestId('convert-start').click()
      await expect.poll(() => page.getByTestId('job-row').getAttribute('data-state'), { timeout: ANSWER_LIMIT_MS }).toBe('done')
      await page.reload()
      await page.getByTestId('nav-convert').click()
      await page.getByTestId('job-report').click()
      await page
        .getByTestId('report-dialog')
        .getByText(/tensors? verified/)
        .first()
        .waitFor()
      await page.keyboard.press('Escape')
      expect(existsSync(join(work, 'result', 'config.json'))).toBe(true)
    })

    it('adds the result in place and chats with it', async () => {
      const { page } = host
      await page.getByTestId('job-add').click()
      await page.getByTestId('toast').getByText('Added to the library').waitFor({ timeout: ANSWER_LIMIT_MS })
      await page.getByTestId('toast').getByRole('button', { name: 'Show' }).click()
      await page
        .getByTestId('model-row')
        .filter({ hasText: join(work, 'result') })
        .waitFor({ timeout: ANSWER_LIMIT_MS })
      await page.getByTestId('nav-convert').click()
      await page.getByTestId('job-chat').click()
      await expect.poll(() => page.getByTestId('model-chip').textContent(), { timeout: ANSWER_LIMIT_MS }).toMatch(/result/)
      await untilReady(page)
      await ask(page, 'Hello')
      const message = page.getByTestId('assistant-message').last()
      await expect.poll(() => message.textContent(), { timeout: ANSWER_LIMIT_MS }).toMatch(/(word\d+ ){4}/)
      // A model of random weights might never end by itself.
      await page.keyboard.press('Escape')
      const reply = await replyTo(page, 1)
      expect(await reply.getByTestId('message-error').count()).toBe(0)
    })
  })
})
