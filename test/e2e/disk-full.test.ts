// A full disk on every host: the reply goes on in the window, the reason is shown, and nothing is lost once there is room.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { removeFolder } from '../support/remove-folder'
import { shortTemporaryPath } from '../support/temporary-path'
import { openSmallDisk } from '../support/small-disk'
import { hostKinds } from './hosts'
import { engineProcesses } from './hosts/app-process'
import type { RunningHost } from './hosts/types'
import { ANSWER_LIMIT_MS, ask, newChat, replyTo, untilReady } from './window'

/** Room for the database and its log, and little more. */
const DISK_BYTES = 8 * 1024 * 1024
const QUESTION = 'What does config.json contain?'
const LOST = /The disk is full: the chat could not be saved to .*\. It stays in the window until there is room\./

const probe = openSmallDisk(DISK_BYTES)
const cannotMount = probe === null ? 'a small file system cannot be mounted here' : null
probe?.[Symbol.dispose]()

describe.each(hostKinds.map((kind) => [kind.name, kind] as const))('%s host', (_, kind) => {
  const skipped = kind.missing ?? cannotMount
  describe.skipIf(skipped !== null)(skipped === null ? 'runs on a full disk' : `skipped: ${skipped}`, () => {
    const work = shortTemporaryPath()
    // Chromium's own files lie elsewhere: only the app's disk is full.
    const env = { HF_HUB_CACHE: join(work, 'no-cache'), ELECTRON_DOUBLE_PROFILES: work, LANG: 'en_US.UTF-8' }
    let disk: ReturnType<typeof openSmallDisk>
    let host: RunningHost
    let started: RunningHost | null = null
    let reply = ''

    beforeAll(async () => {
      mkdirSync(work)
      disk = openSmallDisk(DISK_BYTES)
      host = started = await kind.start({ dataFolder: disk?.folder ?? '', env })
      await untilReady(host.page)
    })
    afterAll(async () => {
      disk?.makeRoom()
      await started?.quit().catch(() => undefined)
      disk?.[Symbol.dispose]()
      removeFolder(work)
    })

    it('answers a question that cannot be saved, to the end, and says that it was not saved', async () => {
      const { page } = host
      await ask(page, 'What is a shard?')
      await replyTo(page, 1)
      const engines = engineProcesses(host.pid)
      disk?.fill()

      await ask(page, QUESTION)
      const shown = await replyTo(page, 2)
      const error = shown.getByTestId('message-error')
      await error.waitFor()
      const text = await error.innerText()
      expect(text).toContain('chats/disk-full')
      expect(text).toMatch(LOST)
      expect(await shown.getByTestId('reply-footer').textContent()).toMatch(/tokens\/s.*to first token/s)
      reply = (await shown.locator('.markdown').first().textContent()) ?? ''
      expect(reply.length).toBeGreaterThan(20)
      expect(engineProcesses(host.pid)).toEqual(engines)
    })

    it('keeps it over a reload of the window', async () => {
      const { page } = host
      await page.reload()
      await page.getByTestId('chat-row').first().click()
      await expect.poll(() => page.getByTestId('user-message').last().textContent()).toContain(QUESTION)
      expect(await page.getByTestId('assistant-message').last().textContent()).toContain(reply)
      expect(await page.getByTestId('message-error').last().innerText()).toContain('chats/disk-full')
      await untilReady(page)
    })

    it('does not begin a chat that cannot be kept, and gives the question back', async () => {
      const { page } = host
      await newChat(page)
      await ask(page, 'What is a device map?')
      const failure = page.getByTestId('send-failure')
      await failure.waitFor({ timeout: ANSWER_LIMIT_MS })
      const text = await failure.innerText()
      expect(text).toContain('The message was not sent.')
      expect(text).toContain('chats/disk-full')
      expect(text).toMatch(LOST)
      expect(await page.getByTestId('composer').inputValue()).toBe('What is a device map?')
    })

    it('saves everything by itself once there is room, and takes the notice away', async () => {
      const { page } = host
      await page.getByTestId('chat-row').first().click()
      await page.getByTestId('message-error').last().waitFor()
      disk?.makeRoom()
      await expect.poll(() => page.getByTestId('message-error').count(), { timeout: ANSWER_LIMIT_MS }).toBe(0)
      expect(await page.getByTestId('assistant-message').last().textContent()).toContain(reply)
      await newChat(page)
      await ask(page, 'What is a device map?')
      await replyTo(page, 1)
      expect(await page.getByTestId('send-failure').count()).toBe(0)
    })

    it('has lost nothing after the next start', async () => {
      await host.quit()
      host = started = await kind.start({ dataFolder: disk?.folder ?? '', env })
      const { page } = host
      await page.getByTestId('chat-row').last().click()
      await expect.poll(() => page.getByTestId('user-message').last().textContent()).toContain(QUESTION)
      expect(await page.getByTestId('user-message').count()).toBe(2)
      expect(await page.getByTestId('assistant-message').last().textContent()).toContain(reply)
      expect(await page.getByTestId('message-error').count()).toBe(0)
    })
  })
})
