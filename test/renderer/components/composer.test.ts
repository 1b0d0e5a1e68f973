// The composer by keyboard, input methods included.
import { flushSync, mount, unmount } from 'svelte'
import { afterEach, describe, expect, it, vi } from 'vitest'
import Composer from '../../../renderer/components/Composer.svelte'
import { composerAction } from '../../../renderer/lib/chat/composer-keys'

let component: object | undefined

function show(props: Partial<Parameters<typeof Composer>[1]> = {}) {
  const events = { oninput: vi.fn(), onsend: vi.fn(), onstop: vi.fn() }
  component = mount(Composer, {
    target: document.body,
    props: { value: 'hello', placeholder: '', blockedReason: null, replying: false, ...events, ...props },
  })
  flushSync()
  const field = document.querySelector('textarea')
  if (field === null) throw new Error('no field')
  const press = (init: KeyboardEventInit, code?: number): KeyboardEvent => {
    const event = new KeyboardEvent('keydown', { bubbles: true, cancelable: true, ...init })
    if (code !== undefined) Object.defineProperty(event, 'keyCode', { value: code })
    field.dispatchEvent(event)
    return event
  }
  return { ...events, field, press }
}

afterEach(() => {
  if (component !== undefined) void unmount(component)
  component = undefined
  document.body.replaceChildren()
})

describe('composer', () => {
  it('sends on Enter', () => {
    const { press, onsend } = show()
    expect(press({ key: 'Enter' }).defaultPrevented).toBe(true)
    expect(onsend).toHaveBeenCalledOnce()
  })

  it('leaves Shift+Enter to the field', () => {
    const { press, onsend } = show()
    expect(press({ key: 'Enter', shiftKey: true }).defaultPrevented).toBe(false)
    expect(onsend).not.toHaveBeenCalled()
  })

  it('leaves Enter and Escape to an input method that composes', () => {
    const { press, onsend, onstop } = show({ replying: true })
    expect(press({ key: 'Enter', isComposing: true }).defaultPrevented).toBe(false)
    expect(press({ key: 'Escape', isComposing: true }).defaultPrevented).toBe(false)
    expect(press({ key: 'Process' }, 229).defaultPrevented).toBe(false)
    expect(press({ key: 'Enter' }, 229).defaultPrevented).toBe(false)
    expect(onsend).not.toHaveBeenCalled()
    expect(onstop).not.toHaveBeenCalled()
  })

  it('stops a reply on Escape, and does nothing with it otherwise', () => {
    const replying = show({ replying: true })
    replying.press({ key: 'Escape' })
    expect(replying.onstop).toHaveBeenCalledOnce()
  })

  it('does not send while it is blocked, and says why', () => {
    const { press, onsend, field } = show({ blockedReason: 'No model is loaded.' })
    press({ key: 'Enter' })
    expect(onsend).not.toHaveBeenCalled()
    expect(field.disabled).toBe(false)
    const reason = document.getElementById(field.getAttribute('aria-describedby') ?? '')
    expect(reason?.textContent).toBe('No model is loaded.')
    expect(document.querySelector<HTMLButtonElement>('[data-testid=send]')?.disabled).toBe(true)
  })

  it('does not send an empty message, nor a second one while a reply is written', () => {
    const empty = show({ value: ' \n' })
    empty.press({ key: 'Enter' })
    expect(empty.onsend).not.toHaveBeenCalled()
    document.body.replaceChildren()
    const replying = show({ replying: true })
    replying.press({ key: 'Enter' })
    expect(replying.onsend).not.toHaveBeenCalled()
    expect(document.querySelector('[data-testid=stop]')).not.toBeNull()
  })

  it('leaves shortcuts with a modifier alone', () => {
    const base = { key: 'Enter', shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, isComposing: false, keyCode: 13 }
    expect(composerAction(base)).toBe('send')
    for (const modifier of ['ctrlKey', 'metaKey', 'altKey'] as const) expect(composerAction({ ...base, [modifier]: true })).toBeNull()
  })
})
