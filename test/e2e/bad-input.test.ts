// Bad input on every host: each fault shows its code and its own sentence in the window, nothing dies of it, and the built-in model answers afterwards.
import { mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Locator } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { removeFolder } from '../support/remove-folder'
import { shortTemporaryPath } from '../support/temporary-path'
import { hostKinds } from './hosts'
import { engineProcesses } from './hosts/app-process'
import type { RunningHost } from './hosts/types'
import { brokenModels, makeEndlessModel, makeEndlessTemplate } from './models'
import { ANSWER_LIMIT_MS, ask, chatWith, dropFolder, newChat, replyTo, untilReady } from './window'

/** Few enough that a reply without an end fills the window in a moment. */
const SHORT_CONTEXT_TOKENS = 256
/** More than the built-in model's context window holds. */
const LONG_TEXT = 'safetensors and shards '.repeat(900).trim()

describe.each(hostKinds.map((kind) => [kind.name, kind] as const))('%s host', (_, kind) => {
  describe.skipIf(kind.missing !== null)(kind.missing === null ? 'meets bad input' : `skipped: ${kind.missing}`, () => {
    const work = shortTemporaryPath()
    const dataFolder = join(work, 'data')
    const broken = join(work, 'broken')
    const short = join(work, 'short')
    const endlessTemplate = join(work, 'endless-template')
    let host: RunningHost
    let started: RunningHost | null = null
    let engines: readonly number[]

    beforeAll(async () => {
      mkdirSync(dataFolder, { recursive: true })
      mkdirSync(broken)
      makeEndlessModel(short, { contextLength: SHORT_CONTEXT_TOKENS })
      makeEndlessTemplate(endlessTemplate)
      for (const { fault, make } of brokenModels) make(join(broken, fault))
      host = started = await kind.start({ dataFolder, env: { HF_HUB_CACHE: join(work, 'no-cache'), LANG: 'en_US.UTF-8' } })
      await untilReady(host.page)
      engines = engineProcesses(host.pid)
    })
    afterAll(async () => {
      await started?.quit().catch(() => undefined)
      removeFolder(work)
    })

    /** Drops a folder on the window; a browser is told its path as well, because it hides where the folder lies. */
    async function dropOnWindow(folder: string): Promise<void> {
      const { page } = host
      await dropFolder(host, folder)
      if (kind.name !== 'web') return
      await expect.poll(() => page.getByTestId('path-field').inputValue()).toBe(basename(folder))
      expect(await page.getByTestId('path-field').evaluate((field) => field === document.activeElement)).toBe(true)
      await page.getByTestId('path-field').fill(folder)
      await page.getByRole('button', { name: 'Open', exact: true }).click()
    }

    async function guideAnswers(): Promise<void> {
      const { page } = host
      expect(engineProcesses(host.pid)).toEqual(engines)
      await chatWith(page, 'guide')
      await newChat(page)
      await ask(page, 'What is a shard?')
      const reply = await replyTo(page, 1)
      expect(await reply.getByTestId('message-error').count()).toBe(0)
      expect(await reply.getByTestId('reply-footer').textContent()).toMatch(/tokens\/s/)
    }

    describe('a folder dropped on the window', () => {
      it('that is a model is opened and answers', async () => {
        const { page } = host
        await dropOnWindow(short)
        await page.getByTestId('inspector-chat').click({ timeout: ANSWER_LIMIT_MS })
        await expect.poll(() => page.getByTestId('model-chip').textContent(), { timeout: ANSWER_LIMIT_MS }).toMatch(/short/)
        await untilReady(page)
        await ask(page, 'What is a tokenizer?')
        await expect
          .poll(async () => (await page.getByTestId('assistant-message').textContent())?.length ?? 0, { timeout: ANSWER_LIMIT_MS })
          .toBeGreaterThan(40)
        await replyTo(page, 1)
      })

      it.each(brokenModels.map((model) => [model.fault, model] as const))(
        'is refused with a sentence: %s',
        async (fault, { code, sentence, found }) => {
          const { page } = host
          await dropOnWindow(join(broken, fault))
          let shown: Locator
          if (found === 'loading') {
            await page.getByTestId('inspector-chat').click({ timeout: ANSWER_LIMIT_MS })
            shown = page.getByTestId('engine-failed').filter({ hasText: `${fault} failed to load` })
          } else shown = page.getByTestId('inspector-error').or(page.getByTestId('inspector-problem'))
          await shown.waitFor({ timeout: ANSWER_LIMIT_MS })
          const text = await shown.innerText()
          expect(text).toContain(code)
          expect(text).toMatch(sentence)
          if (found === 'opening') {
            await page.getByTestId('inspector-back').click()
            await shown.waitFor({ state: 'detached' })
          }
          await guideAnswers()
        },
      )
    })

    it('lists every broken model of a folder with its state, sentence and code', async () => {
      const { page } = host
      await page.getByTestId('nav-models').click()
      await host.offerFolder(broken)
      await page.getByTestId('add-folder').click()
      if (kind.name === 'web') {
        await page.getByTestId('path-field').fill(broken)
        await page.getByRole('button', { name: 'Add', exact: true }).click()
      }
      for (const { fault, code, sentence, found, listedAs } of brokenModels) {
        const row = page.getByTestId('model-row').filter({ hasText: join(broken, fault) })
        if (listedAs === null) continue
        await row.waitFor({ timeout: ANSWER_LIMIT_MS })
        const text = await row.innerText()
        expect(text).toContain(listedAs)
        if (found === 'opening') {
          expect(text).toContain(code)
          expect(text).toMatch(sentence)
          expect(await row.getByTestId('load-model').count()).toBe(0)
        }
      }
      expect(await page.getByTestId('model-row').filter({ hasText: 'no-config' }).count()).toBe(0)
      await guideAnswers()
    })

    describe('a context window that is too small', () => {
      it('keeps a question that does not fit in the composer and says by how much', async () => {
        const { page } = host
        await newChat(page)
        await page.getByTestId('composer').fill(LONG_TEXT)
        await page.getByTestId('composer-reason').waitFor({ timeout: ANSWER_LIMIT_MS })
        expect(await page.getByTestId('composer-reason').textContent()).toMatch(
          /needs [\d,]{5,} tokens, but the context window holds 2,048\. .*shorten the message/s,
        )
        await page.getByTestId('composer').press('Enter')
        expect(await page.getByTestId('send').isDisabled()).toBe(true)
        expect(await page.getByTestId('composer').inputValue()).toBe(LONG_TEXT)
        await page.getByTestId('composer').fill('')
        await untilReady(page)
      })

      it('refuses an edited question that does not fit, keeps it whole, and leaves the old one', async () => {
        const { page } = host
        await newChat(page)
        await ask(page, 'What is config.json?')
        await replyTo(page, 1)
        const question = page.getByTestId('user-message').last()
        await question.hover()
        await question.getByTestId('edit-message').click()
        await page.getByTestId('edit-field').fill(LONG_TEXT)
        await page.getByRole('button', { name: 'Send again' }).click()
        const error = page.getByTestId('message-error')
        await error.waitFor({ timeout: ANSWER_LIMIT_MS })
        const text = await error.innerText()
        expect(text).toContain('runtime/context-overflow')
        expect(text).toMatch(/The conversation needs \d{4,} tokens, but the context window holds 2048\./)
        await question.getByRole('button', { name: /^Show all/ }).click()
        expect((await question.textContent()) ?? '').toContain(LONG_TEXT)
        await question.hover()
        await question.getByRole('button', { name: 'Previous version' }).click()
        await expect.poll(() => page.getByTestId('user-message').last().textContent()).toMatch(/What is config\.json\?/)
        expect(await error.count()).toBe(0)
        await untilReady(page)
        await guideAnswers()
      })

      it('ends a reply that fills it, says so, and asks for a new chat', async () => {
        const { page } = host
        await chatWith(page, 'short')
        await newChat(page)
        await ask(page, 'What is a device map?')
        const reply = await replyTo(page, 1)
        expect(await reply.getByTestId('reply-footer').textContent()).toMatch(/Context window full/)
        const written = await reply.textContent()
        const next = 'And what is the memory for? '.repeat(20)
        await page.getByTestId('composer').fill(next)
        await page.getByTestId('composer-reason').waitFor({ timeout: ANSWER_LIMIT_MS })
        expect(await page.getByTestId('composer-reason').textContent()).toMatch(
          /needs \d{3} tokens, but the context window holds 256\. Start a new chat/s,
        )
        await page.getByTestId('composer').press('Enter')
        expect(await page.getByTestId('user-message').count()).toBe(1)
        expect(await page.getByTestId('composer').inputValue()).toBe(next)
        expect(await reply.textContent()).toBe(written)
        await newChat(page)
        await untilReady(page)
        await ask(page, 'What is a device map?')
        await replyTo(page, 1)
        await guideAnswers()
      })
    })

    it('a chat template that never ends is stopped, while the window and its app go on', async () => {
      const { page } = host
      await dropOnWindow(endlessTemplate)
      await page.getByTestId('inspector-chat').click({ timeout: ANSWER_LIMIT_MS })
      await expect.poll(() => page.getByTestId('model-chip').textContent(), { timeout: ANSWER_LIMIT_MS }).toMatch(/endless-template/)
      await untilReady(page)
      await newChat(page)
      await ask(page, 'What is a shard?')
      // The app answers other questions while the engine is at it.
      await page.getByTestId('nav-settings').click()
      await page.getByTestId('prepared').waitFor({ timeout: ANSWER_LIMIT_MS })
      await page.getByTestId('nav-chat').click()
      const error = page.getByTestId('message-error')
      await error.waitFor({ timeout: ANSWER_LIMIT_MS })
      expect(await error.innerText()).toContain('template/')
      await guideAnswers()
    })
  })
})
