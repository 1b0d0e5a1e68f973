// A conversation: what is sent, what is shown while a reply is written, and what remains when things fail.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Conversation } from '../../../renderer/state/conversation.svelte'
import { Conversations } from '../../../renderer/state/conversations.svelte'
import type { FakeScenario } from '../../support/fake-bridge'
import { createFakeClient, settle } from '../../support/renderer-client'

const failure = { code: 'chats/disk-full', message: 'The disk is full.', details: {} }

function start(scenario: FakeScenario = {}) {
  const { client, bridge } = createFakeClient(scenario)
  const replied = vi.fn()
  const changed = vi.fn()
  return { bridge, replied, changed, conversation: new Conversation(client, { chatId: null, events: { changed, replied } }) }
}

const contents = (conversation: Conversation): readonly string[] => conversation.messages.map((message) => message.content)

afterEach(() => vi.useRealTimers())

describe('sending', () => {
  it('stores the chat with the first message and shows question and reply', async () => {
    const { conversation, bridge, changed, replied } = start()
    conversation.draft = 'What is a tensor?'
    await conversation.send(conversation.draft)
    expect(contents(conversation)).toEqual(['What is a tensor?', 'A tensor is an array with **more** axes.'])
    expect(conversation.chatId).not.toBeNull()
    expect(conversation.draft).toBe('')
    expect(conversation.messages[1]).toMatchObject({ status: 'complete', finishReason: 'stop' })
    expect(bridge.log.filter(({ name }) => name === 'chats.create')).toHaveLength(1)
    expect(changed).toHaveBeenCalled()
    expect(replied).toHaveBeenLastCalledWith(conversation.messages[1])
  })

  it('sends nothing that is only white space, and nothing while a reply is written', async () => {
    const { conversation, bridge } = start({ reply: { pieces: ['a'], pauseMs: 1 } })
    await conversation.send('  \n ')
    expect(bridge.log).toEqual([])
    const first = conversation.send('one')
    await conversation.send('two')
    await first
    expect(contents(conversation)).toEqual(['one', 'a'])
  })

  it('gives the text back where it was refused, and says why', async () => {
    const { conversation, bridge } = start({ failures: { 'chats.reply': failure } })
    conversation.draft = 'keep me'
    await conversation.send('keep me')
    expect(conversation.draft).toBe('keep me')
    expect(conversation.failure).toEqual(failure)
    expect(conversation.replying).toBe(false)
    bridge.fail('chats.reply', null)
    await conversation.send(conversation.draft)
    expect(conversation.failure).toBeNull()
    expect(conversation.messages).toHaveLength(2)
  })

  it('goes through waiting, reading and writing', async () => {
    const { conversation } = start({ reply: { pieces: ['a', 'b'], pauseMs: 2 } })
    const phases = new Set<string>()
    const sent = conversation.send('question')
    for (let round = 0; round < 60 && conversation.replying; round += 1) {
      phases.add(conversation.phase.kind)
      await new Promise((resolve) => setTimeout(resolve, 0))
    }
    await sent
    expect([...phases]).toEqual(['waiting', 'prefill', 'writing'])
    expect(conversation.phase.kind).toBe('none')
  })
})

describe('a reply', () => {
  it('keeps what was written when it is stopped', async () => {
    const { conversation } = start({ reply: { pieces: Array.from({ length: 200 }, (_, index) => `${index} `), pauseMs: 1 } })
    const sent = conversation.send('count')
    await vi.waitFor(() => expect(conversation.messages[1]?.content).toContain('3 '))
    await conversation.stop()
    await sent
    expect(conversation.messages[1]).toMatchObject({ status: 'complete', finishReason: 'cancelled' })
    expect(conversation.messages[1]?.content).not.toContain('199')
  })

  it('is marked as interrupted when its stream ends without it', async () => {
    const { conversation, bridge } = start()
    const cut = vi.spyOn(bridge.streams, 'chats.reply').mockImplementation((input, sink) => {
      const base = { chatId: input.chatId, createdAtMs: 0, finishReason: null, stats: null, error: null, modelName: null, siblingIds: [] }
      sink.event({ type: 'question', message: { ...base, id: 'q', parentId: null, role: 'user', content: 'hi', status: 'complete' } })
      sink.event({ type: 'started', message: { ...base, id: 'a', parentId: 'q', role: 'assistant', content: '', status: 'streaming' } })
      sink.event({ type: 'delta', messageId: 'a', text: 'half a sen' })
      queueMicrotask(() => sink.end({ ok: false, error: { code: 'app/connection-lost', message: 'lost', details: {} } }))
      return () => undefined
    })
    await conversation.send('hi')
    expect(cut).toHaveBeenCalled()
    expect(conversation.messages[1]).toMatchObject({ content: 'half a sen', status: 'interrupted' })
    expect(conversation.failure?.code).toBe('app/connection-lost')
    expect(conversation.draft).toBe('')
  })

  it('is written again beside the first, and the arrows lead back', async () => {
    const { conversation } = start()
    await conversation.send('question')
    const first = conversation.messages[1]?.id ?? ''
    await conversation.regenerate(first)
    const second = conversation.messages[1]
    expect(conversation.messages).toHaveLength(2)
    expect(second?.siblingIds).toEqual([first, second?.id])
    await conversation.selectBranch(first)
    expect(conversation.messages[1]?.id).toBe(first)
  })

  it('follows an edited question and leaves the old branch', async () => {
    const { conversation } = start()
    await conversation.send('one')
    await conversation.send('two')
    await conversation.edit(conversation.messages[0]?.id ?? '', 'one, but better')
    expect(contents(conversation)).toEqual(['one, but better', 'A tensor is an array with **more** axes.'])
    expect(conversation.messages[0]?.siblingIds).toHaveLength(2)
  })
})

describe('its own settings', () => {
  it('are kept for a chat that is not stored yet, and stored before the first reply', async () => {
    const { conversation, bridge } = start()
    conversation.configure({ systemPrompt: 'Be brief.' })
    expect(bridge.log).toEqual([])
    await conversation.send('hi')
    const names = bridge.log.map(({ name }) => name)
    expect(names.indexOf('chats.configure')).toBeGreaterThan(names.indexOf('chats.create'))
    expect(names.indexOf('chats.configure')).toBeLessThan(names.indexOf('chats.reply'))
    expect(bridge.log.find(({ name }) => name === 'chats.configure')?.input).toMatchObject({ systemPrompt: 'Be brief.', sampling: null })
  })

  it('are stored once after a pause, not at every key', async () => {
    const { conversation, bridge } = start()
    await conversation.send('hi')
    vi.useFakeTimers()
    for (const systemPrompt of ['a', 'ab', 'abc']) conversation.configure({ systemPrompt })
    await vi.advanceTimersByTimeAsync(1_000)
    expect(bridge.log.filter(({ name }) => name === 'chats.configure').map(({ input }) => input)).toEqual([
      { chatId: conversation.chatId, systemPrompt: 'abc', sampling: null },
    ])
  })

  it('tell when they could not be stored', async () => {
    const { conversation } = start({ failures: { 'chats.configure': failure } })
    await conversation.send('hi')
    vi.useFakeTimers()
    conversation.configure({ systemPrompt: 'x' })
    await vi.advanceTimersByTimeAsync(1_000)
    expect(conversation.configureError).toEqual(failure)
  })
})

describe('the context gauge', () => {
  it('measures once after a pause in typing', async () => {
    vi.useFakeTimers()
    const { conversation, bridge } = start()
    for (const draft of ['a', 'ab', 'abcd']) {
      conversation.draft = draft
      conversation.measure()
    }
    await vi.advanceTimersByTimeAsync(1_000)
    expect(bridge.log).toEqual([{ name: 'chats.contextUse', input: { chatId: null, draft: 'abcd' } }])
    expect(conversation.contextUse).toEqual({ usedTokens: 181, contextLength: 2048 })
  })

  it('shows nothing where it cannot be measured', async () => {
    vi.useFakeTimers()
    const { conversation } = start({ failures: { 'chats.contextUse': failure } })
    conversation.measure()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(conversation.contextUse).toBeNull()
  })
})

describe('several conversations', () => {
  it('goes on writing in one while another is shown', async () => {
    const { client } = createFakeClient({ reply: { pieces: Array.from('abcdefghijklmnopqrstuvwxyz'), pauseMs: 10 } })
    const replied = vi.fn()
    const conversations = new Conversations(client, { changed: vi.fn(), replied })
    const first = conversations.current
    const sent = first.send('one')
    await vi.waitFor(() => expect(first.chatId).not.toBeNull())
    conversations.startNew()
    expect(conversations.current).not.toBe(first)
    expect(conversations.replyingIds).toEqual([first.chatId])
    conversations.open(first.chatId ?? '')
    expect(conversations.current).toBe(first)
    conversations.startNew()
    await sent
    expect(first.messages[1]?.content).toBe('abcdefghijklmnopqrstuvwxyz')
    expect(conversations.replyingIds).toEqual([])
    expect(replied.mock.calls.filter(([reply]) => reply !== null)).toEqual([])
  })

  it('reads a stored one anew when it is opened again', async () => {
    const { client } = createFakeClient()
    const conversations = new Conversations(client, { changed: vi.fn(), replied: vi.fn() })
    await conversations.current.send('one')
    const chatId = conversations.current.chatId ?? ''
    conversations.startNew()
    conversations.open(chatId)
    await settle()
    expect(contents(conversations.current)[0]).toBe('one')
    await conversations.close(chatId)
    expect(conversations.current.chatId).toBeNull()
  })

  it('says why one cannot be opened', async () => {
    const { client } = createFakeClient()
    const conversations = new Conversations(client, { changed: vi.fn(), replied: vi.fn() })
    conversations.open('gone')
    await settle()
    expect(conversations.current).toMatchObject({ status: 'failed', loadError: { code: 'chats/unknown' } })
  })
})

describe('deleting', () => {
  it('ends the reply before it leaves the conversation', async () => {
    const { client } = createFakeClient({ reply: { pieces: Array.from('abcdefghijklmnopqrstuvwxyz'), pauseMs: 10 } })
    const conversations = new Conversations(client, { changed: vi.fn(), replied: vi.fn() })
    const first = conversations.current
    const sent = first.send('one')
    await vi.waitFor(() => expect(first.messages[1]?.content).toMatch(/a/))
    await conversations.close(first.chatId ?? '')
    expect(first.messages[1]).toMatchObject({ status: 'complete', finishReason: 'cancelled' })
    expect(conversations.current.chatId).toBeNull()
    await sent
  })
})

describe('a message that could not be saved yet', () => {
  it('is looked after until the host has saved it', async () => {
    vi.useFakeTimers()
    const { conversation, bridge } = start({ reply: { pieces: ['a'], pauseMs: 0, end: { error: failure } } })
    const sent = conversation.send('hi')
    await vi.advanceTimersByTimeAsync(0)
    await sent
    expect(conversation.messages[1]?.error).toEqual(failure)
    const get = bridge.calls['chats.get']
    vi.spyOn(bridge.calls, 'chats.get').mockImplementation(async (input) => {
      const result = await get(input)
      if (!result.ok) return result
      return { ok: true, value: { ...result.value, messages: result.value.messages.map((message) => ({ ...message, error: null })) } }
    })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(conversation.messages.map(({ error }) => error)).toEqual([null, null])
    expect(vi.getTimerCount()).toBe(0)
  })
})
