// What a person does in the window, for the suites.
import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import type { HostKind, RunningHost } from './hosts/types'

/** Loading a model and answering take no longer, even on a busy machine. */
export const ANSWER_LIMIT_MS = 30_000

/** Copy, link and move, as a file manager allows for a dragged folder. */
const DRAG_OPERATIONS = 1 | 2 | 16

/** Waits until a message can be sent. */
export async function untilReady(page: Page, timeout = ANSWER_LIMIT_MS): Promise<void> {
  await page.getByTestId('composer').waitFor({ timeout })
  await page.getByTestId('composer-reason').waitFor({ state: 'detached', timeout })
}

/** Begins a new chat with the keys and waits until it is shown. */
export async function newChat(page: Page): Promise<void> {
  await page.keyboard.press('ControlOrMeta+n')
  await page.getByText('What would you like to know?').waitFor()
}

/** Types a question and sends it. */
export async function ask(page: Page, question: string): Promise<void> {
  await page.getByTestId('composer').fill(question)
  await page.getByTestId('composer').press('Enter')
}

/** The reply to the last question of `count` once it has ended, however it ended. */
export async function replyTo(page: Page, count: number): Promise<Locator> {
  await expect.poll(() => page.getByTestId('assistant-message').count(), { timeout: ANSWER_LIMIT_MS }).toBe(count)
  const reply = page.getByTestId('assistant-message').last()
  await expect.poll(() => reply.getAttribute('data-status'), { timeout: ANSWER_LIMIT_MS }).not.toBe('streaming')
  await page.getByTestId('send').waitFor({ timeout: ANSWER_LIMIT_MS })
  return reply
}

/** Loads a model of the list, unless it is loaded, and goes to the chat with it. */
export async function chatWith(page: Page, model: string): Promise<void> {
  await page.getByTestId('nav-models').click()
  const chat = page.getByRole('button', { name: `Chat with ${model}`, exact: true })
  const load = page.getByRole('button', { name: `Load ${model}`, exact: true })
  await chat.or(load).waitFor({ timeout: ANSWER_LIMIT_MS })
  if (await load.isVisible()) await load.click()
  await chat.click({ timeout: ANSWER_LIMIT_MS })
  await untilReady(page)
}

/** Adds a model folder as a person would on this host. */
export async function addFolder(host: RunningHost, kind: HostKind, folder: string): Promise<void> {
  const { page } = host
  await page.getByTestId('nav-models').click()
  await host.offerFolder(folder)
  await page.getByRole('button', { name: 'Add folder' }).first().click()
  if (kind.name === 'web') {
    await page.getByLabel('Path of the folder').fill(folder)
    await page.getByRole('dialog').getByRole('button', { name: 'Add' }).click()
  }
}

/** Drags a folder from outside over the window and lets it fall; `over` runs in between. */
export async function dropFolder(host: RunningHost, folder: string, over: () => Promise<void> = () => Promise.resolve()): Promise<void> {
  const { page } = host
  await host.offerFolder(folder)
  const devTools = await page.context().newCDPSession(page)
  const data = { items: [], files: [folder], dragOperationsMask: DRAG_OPERATIONS }
  const drag = (type: 'dragEnter' | 'dragOver' | 'drop'): Promise<unknown> =>
    devTools.send('Input.dispatchDragEvent', { type, x: 600, y: 400, data })
  await drag('dragEnter')
  await drag('dragOver')
  await page.getByTestId('drop-overlay').waitFor()
  await over()
  await drag('drop')
  await devTools.detach()
}
