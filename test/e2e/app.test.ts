// The main path on every host: open, ask, stream, stop, regenerate, reload, lose the engine and go on.
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hostKinds } from './hosts'
import { removeFolder } from '../support/remove-folder'
import { engineProcesses } from './hosts/app-process'
import { outsideSockets } from './hosts/sockets'
import type { RunningHost } from './hosts/types'
import { makeEndlessModel } from './models'
import { addFolder } from './window'

const ANSWER_LIMIT_MS = 30_000
/** The main process may hold its event loop no longer than this while a model loads and generates. */
const HELD_LIMIT_MS = 50

async function violations(page: Page): Promise<readonly string[]> {
  const { violations: found } = await new AxeBuilder({ page }).setLegacyMode(true).analyze()
  return found.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.target.join(' ')).join(', ')}`)
}

async function ask(page: Page, question: string): Promise<void> {
  await page.getByTestId('composer').fill(question)
  await page.getByTestId('composer').press('Enter')
}

/** The last reply once it has ended. */
async function lastReply(page: Page): Promise<Locator> {
  await page.getByTestId('send').waitFor({ timeout: ANSWER_LIMIT_MS })
  const reply = page.getByTestId('assistant-message').last()
  await reply.getByTestId('reply-footer').waitFor({ timeout: ANSWER_LIMIT_MS })
  return reply
}

/** Loads a model of the list and goes to the chat with it. */
async function chatWith(page: Page, model: string): Promise<void> {
  await page.getByTestId('nav-models').click()
  await page.getByRole('button', { name: `Load ${model}` }).click()
  await page.getByRole('button', { name: `Chat with ${model}` }).click({ timeout: ANSWER_LIMIT_MS })
  await expect.poll(() => page.getByTestId('composer-reason').count(), { timeout: ANSWER_LIMIT_MS }).toBe(0)
}

describe.each(hostKinds.map((kind) => [kind.name, kind] as const))('%s host', (_, kind) => {
  describe.skipIf(kind.missing !== null)(kind.missing === null ? 'runs the app' : `skipped: ${kind.missing}`, () => {
    let work = ''
    let endless = ''
    let dataFolder = ''
    let host: RunningHost

    beforeAll(async () => {
      work = mkdtempSync(join(tmpdir(), `weightroom-e2e-${kind.name}-`))
      endless = join(work, 'endless')
      dataFolder = join(work, 'data')
      mkdirSync(dataFolder)
      makeEndlessModel(endless)
      host = await kind.start({ dataFolder, env: { HF_HUB_CACHE: join(work, 'no-cache'), LANG: 'en_US.UTF-8' } })
    })
    afterAll(async () => {
      await host.quit().catch(() => undefined)
      removeFolder(work)
    })

    it('opens with the built-in model ready and questions to begin with', async () => {
      const { page } = host
      await page.getByTestId('sample-question').first().waitFor()
      await expect.poll(() => page.getByTestId('model-chip').textContent(), { timeout: ANSWER_LIMIT_MS }).toMatch(/guide/)
      await expect.poll(() => page.getByTestId('composer-reason').count(), { timeout: ANSWER_LIMIT_MS }).toBe(0)
      expect(await violations(page)).toEqual([])
    })

    it('streams an answer and says how fast it was and why it ended', async () => {
      const { page } = host
      await page.evaluate(() => {
        const lengths: number[] = []
        Object.assign(window, { replyLengths: lengths })
        new MutationObserver(() => {
          const length = document.querySelector('[data-testid=assistant-message]')?.textContent.length ?? 0
          if (length !== lengths.at(-1)) lengths.push(length)
        }).observe(document.body, { childList: true, subtree: true, characterData: true })
      })
      await ask(page, 'What is a safetensors file?')
      const reply = await lastReply(page)
      expect(await reply.textContent()).toMatch(/safetensors/i)
      expect(await reply.getByTestId('reply-footer').textContent()).toMatch(/tokens\/s.*to first token.*Finished/s)
      const steps = await page.evaluate(() => (window as unknown as { replyLengths: number[] }).replyLengths.length)
      expect(steps).toBeGreaterThan(3)
    })

    it('writes another reply beside the first and goes back to it', async () => {
      const { page } = host
      const reply = page.getByTestId('assistant-message').last()
      await reply.hover()
      await reply.getByRole('button', { name: 'Write another reply' }).click()
      await lastReply(page)
      await expect.poll(() => reply.getByTestId('versions').textContent()).toMatch(/2\s*\/\s*2/)
      await reply.hover()
      await reply.getByRole('button', { name: 'Previous version' }).click()
      await expect.poll(() => reply.getByTestId('versions').textContent()).toMatch(/1\s*\/\s*2/)
    })

    it('sends an edited question as a new version', async () => {
      const { page } = host
      const question = page.getByTestId('user-message').last()
      await question.hover()
      await question.getByTestId('edit-message').click()
      await page.getByTestId('edit-field').fill('What is config.json?')
      await page.getByRole('button', { name: 'Send again' }).click()
      await expect.poll(() => page.getByTestId('user-message').last().textContent()).toMatch(/What is config\.json\?/)
      expect(await (await lastReply(page)).textContent()).toMatch(/config/i)
    })

    it('shows the same chat after a reload', async () => {
      const { page } = host
      await page.reload()
      await page.getByTestId('chat-row').first().click()
      await expect.poll(() => page.getByTestId('user-message').last().textContent()).toMatch(/What is config\.json\?/)
      await page.getByTestId('assistant-message').last().getByTestId('reply-footer').waitFor()
      expect(await violations(page)).toEqual([])
    })

    it('opens a model folder in place', async () => {
      const { page } = host
      await addFolder(host, kind, endless)
      await chatWith(page, 'endless')
      expect(await page.getByTestId('model-chip').textContent()).toMatch(/endless/)
    })

    it('stops on Escape and keeps the text', async () => {
      const { page } = host
      await page.keyboard.press('ControlOrMeta+n')
      await ask(page, 'What is a shard?')
      const reply = page.getByTestId('assistant-message').last()
      await expect.poll(async () => (await reply.textContent())?.length ?? 0, { timeout: ANSWER_LIMIT_MS }).toBeGreaterThan(40)
      await page.keyboard.press('Escape')
      const footer = (await lastReply(page)).getByTestId('reply-footer')
      expect(await footer.textContent()).toMatch(/Stopped by you/)
    })

    it('survives the death of the engine in the middle of an answer', async () => {
      const { page } = host
      await ask(page, 'What is a tokenizer?')
      const reply = page.getByTestId('assistant-message').last()
      await expect.poll(async () => (await reply.textContent())?.length ?? 0, { timeout: ANSWER_LIMIT_MS }).toBeGreaterThan(40)
      const engines = engineProcesses(host.pid)
      expect(engines.length).toBe(1)
      for (const pid of engines) process.kill(pid, 'SIGKILL')
      await page.getByTestId('engine-crashed').waitFor({ timeout: ANSWER_LIMIT_MS })
      expect((await reply.textContent())?.length ?? 0).toBeGreaterThan(40)
      expect(await page.getByTestId('user-message').last().textContent()).toMatch(/What is a tokenizer\?/)

      await page.getByTestId('reload-model').click()
      await expect.poll(() => page.getByTestId('composer-reason').count(), { timeout: ANSWER_LIMIT_MS }).toBe(0)
      await chatWith(page, 'guide')
      await page.keyboard.press('ControlOrMeta+n')
      await ask(page, 'What is GGUF?')
      expect(await (await lastReply(page)).textContent()).toMatch(/GGUF/)
    })

    it.skipIf(process.platform !== 'linux')('holds no socket that reaches beyond this machine', () => {
      const pids = [host.pid, ...engineProcesses(host.pid)]
      expect(pids.length).toBe(2)
      expect(pids.flatMap(outsideSockets)).toEqual([])
    })

    it('finds a chat by its words, deletes it and takes it back', async () => {
      const { page } = host
      await page.keyboard.press('ControlOrMeta+k')
      await page.getByTestId('chat-search').fill('GGUF')
      await expect.poll(() => page.getByTestId('chat-row').count()).toBe(1)
      await page.getByTestId('chat-row').first().hover()
      await page
        .getByRole('button', { name: /^Delete/ })
        .first()
        .click()
      await expect.poll(() => page.getByTestId('chat-row').count()).toBe(0)
      await page.getByTestId('toast').getByRole('button', { name: 'Undo' }).click()
      await expect.poll(() => page.getByTestId('chat-row').count()).toBe(1)
      await page.getByTestId('chat-search').fill('')
    })

    it.each(['nav-models', 'nav-devices', 'nav-settings'])('has no accessibility violation on %s', async (place) => {
      const { page } = host
      await page.getByTestId(place).click()
      await page.waitForTimeout(300)
      expect(await violations(page)).toEqual([])
      await page.emulateMedia({ colorScheme: 'dark' })
      expect(await violations(page)).toEqual([])
      await page.emulateMedia({ colorScheme: 'light' })
    })

    it('never held its event loop for long, and starts again with every chat', async () => {
      const eventLoop = await host.quit()
      const ms = (value: number | undefined): string => (value === undefined ? 'not reported' : `${value.toFixed(1)} ms`)
      process.stdout.write(
        `    ${kind.name}: event loop of the main process held at most ${ms(eventLoop?.maxHeldMs)} by its own work (goal 50 ms); latest tick ${ms(eventLoop?.maxGapMs)} late\n`,
      )
      expect(eventLoop?.maxHeldMs ?? Infinity).toBeLessThan(HELD_LIMIT_MS)
      host = await kind.start({ dataFolder, env: { HF_HUB_CACHE: join(work, 'no-cache') } })
      await expect.poll(() => host.page.getByTestId('chat-row').count(), { timeout: ANSWER_LIMIT_MS }).toBeGreaterThanOrEqual(3)
    })
  })
})
