// The list of prepared weights in the settings: rows, clearing, confirmation, empty and failed states; and the state behind it.
import { flushSync, mount, unmount } from 'svelte'
import { afterEach, describe, expect, it, vi } from 'vitest'
import PreparedWeights from '../../../renderer/components/PreparedWeights.svelte'
import { Prepared } from '../../../renderer/state/prepared.svelte'
import { createFakeClient } from '../../support/renderer-client'

const file = { name: 'a.prepared', model: 'guide', format: 'quality', sizeBytes: 12_000_000, lastUsedMs: 1_760_000_000_000 }
let component: object | undefined

function show(props: Partial<Parameters<typeof PreparedWeights>[1]> = {}) {
  const events = { onclear: vi.fn(), onclearall: vi.fn(), onretry: vi.fn() }
  const weights = { files: [file], totalBytes: 13_000_000 }
  component = mount(PreparedWeights, { target: document.body, props: { weights, failure: null, busy: false, ...events, ...props } })
  flushSync()
  const press = (name: string): void => {
    const found = [...document.querySelectorAll('button')].find(
      (button) => (button.getAttribute('aria-label') ?? button.textContent.trim()) === name,
    )
    if (found === undefined) throw new Error(`no button ${name}`)
    found.click()
    flushSync()
  }
  return { ...events, press, text: () => document.body.textContent }
}

afterEach(() => {
  if (component !== undefined) void unmount(component)
  component = undefined
  document.body.replaceChildren()
})

describe('list of prepared weights', () => {
  it('says the whole size, and model, format, size and last use of each file', () => {
    const { text } = show()
    expect(text()).toContain('Space taken: 13 MB')
    const row = document.querySelector('[data-testid=prepared-row]')?.textContent
    for (const part of ['guide', 'quality', '12 MB', '2025']) expect(row).toContain(part)
  })

  it('clears one file without a question', () => {
    const { press, onclear } = show()
    press('Clear the prepared weights of guide, quality')
    expect(onclear).toHaveBeenCalledExactlyOnceWith('a.prepared')
  })

  it('asks before it clears all', () => {
    // The document of this test has no modal dialogs.
    HTMLDialogElement.prototype.showModal = vi.fn()
    HTMLDialogElement.prototype.close = vi.fn()
    const { press, onclearall, text } = show()
    press('Clear all')
    expect(onclearall).not.toHaveBeenCalled()
    expect(text()).toContain('This frees 13 MB.')
    document.querySelector<HTMLElement>('[data-testid=prepared-confirm-clear]')?.click()
    flushSync()
    expect(onclearall).toHaveBeenCalledOnce()
    expect(document.querySelector('dialog')).toBeNull()
  })

  it('says that nothing is kept', () => {
    show({ weights: { files: [], totalBytes: 0 } })
    expect(document.querySelector('[data-testid=prepared-empty]')).not.toBeNull()
    expect(document.querySelector<HTMLButtonElement>('[data-testid=prepared-clear-all]')?.disabled).toBe(true)
  })

  it('says why it could not be listed, and tries again', () => {
    const { press, onretry, text } = show({ weights: null, failure: { text: 'No such luck.', code: 'engine/crashed' } })
    expect(text()).toContain('No such luck.')
    press('Try again')
    expect(onretry).toHaveBeenCalledOnce()
  })
})

describe('state of prepared weights', () => {
  it('lists again after one, then all were cleared', async () => {
    const prepared = new Prepared(createFakeClient().client)
    await prepared.load()
    expect(prepared.value?.files).toHaveLength(2)
    expect(await prepared.clear('a.prepared')).toEqual({ freedBytes: 12_000_000, error: null })
    expect(prepared.value?.files.map(({ name }) => name)).toEqual(['b.prepared'])
    await prepared.clear()
    expect(prepared).toMatchObject({ value: { files: [], totalBytes: 0 }, busy: false })
  })

  it('keeps the list and gives the error where clearing failed', async () => {
    const failure = { code: 'engine/crashed', message: 'no', details: {} }
    const prepared = new Prepared(createFakeClient({ failures: { 'prepared.clear': failure } }).client)
    await prepared.load()
    expect(await prepared.clear()).toEqual({ freedBytes: 0, error: failure })
    expect(prepared).toMatchObject({ value: { totalBytes: 652_000_000 }, error: null, busy: false })
  })

  it('says why it could not be read', async () => {
    const failure = { code: 'engine/crashed', message: 'no', details: {} }
    const prepared = new Prepared(createFakeClient({ failures: { 'prepared.list': failure } }).client)
    await prepared.load()
    expect(prepared).toMatchObject({ value: null, error: failure })
  })
})
