import { expect, test } from 'vitest'
import { serviceCode } from '../support/service-code'
import { crash, modelSampling, replyStats } from '../support/scripted-engine'
import { chatsHarness, contents, finished } from './chats-harness'

const answer = (text: string) => ({ pieces: [text], end: 'stop' as const })

test('a reply tells question, start, progress, text and end in order, and is stored', async () => {
  await using harness = chatsHarness({ script: [{ pieces: ['Hel', 'lo'], end: 'stop' }] })
  const { chats, ask } = harness
  const { id } = chats.create()
  const events = await ask(id, { kind: 'send', content: 'Hi there' })
  expect(events.map(({ type }) => type)).toEqual(['question', 'started', 'prefill', 'delta', 'delta', 'finished'])
  const message = finished(events)
  expect(message).toMatchObject({
    role: 'assistant',
    content: 'Hello',
    status: 'complete',
    finishReason: 'stop',
    stats: replyStats,
    modelName: 'scripted',
    error: null,
  })
  const chat = chats.get(id)
  expect(contents(chat.messages)).toEqual(['Hi there', 'Hello'])
  expect(chat.messages[1]).toEqual(message)
  expect(chat.title).toBe('Hi there')
})

test('regenerating makes a sibling and shows it; selecting goes back to the first', async () => {
  await using harness = chatsHarness({ script: [answer('one'), answer('two'), answer('deeper')] })
  const { chats, ask } = harness
  const { id } = chats.create()
  const first = finished(await ask(id, { kind: 'send', content: 'q' }))
  const second = finished(await ask(id, { kind: 'regenerate', messageId: first.id }))
  expect(second.siblingIds).toEqual([first.id, second.id])
  expect(contents(chats.get(id).messages)).toEqual(['q', 'two'])
  await ask(id, { kind: 'send', content: 'q2' })
  expect(contents(chats.selectBranch(id, first.id).messages)).toEqual(['q', 'one'])
  expect(contents(chats.selectBranch(id, second.id).messages)).toEqual(['q', 'two', 'q2', 'deeper'])
  expect(contents(chats.get(id).messages)).toEqual(['q', 'two', 'q2', 'deeper'])
})

test('editing makes a sibling of the question and answers it; the old branch stays', async () => {
  await using harness = chatsHarness({ script: [answer('a1'), answer('a2'), answer('a3')] })
  const { chats, engine, ask } = harness
  const { id } = chats.create()
  await ask(id, { kind: 'send', content: 'first' })
  await ask(id, { kind: 'send', content: 'second' })
  const question = chats.get(id).messages[2]
  const events = await ask(id, { kind: 'edit', messageId: question?.id ?? '', content: 'second, better' })
  expect(events[0]).toMatchObject({
    type: 'question',
    message: { content: 'second, better', siblingIds: [question?.id, expect.any(String)] },
  })
  expect(contents(chats.get(id).messages)).toEqual(['first', 'a1', 'second, better', 'a3'])
  expect(engine.asked[2]?.messages.map(({ content }) => content)).toEqual(['first', 'a1', 'second, better'])
  expect(contents(chats.selectBranch(id, question?.id ?? '').messages)).toEqual(['first', 'a1', 'second', 'a2'])
})

test('the first question can be edited', async () => {
  await using harness = chatsHarness({ script: [answer('a1'), answer('a2')] })
  const { chats, ask } = harness
  const { id } = chats.create()
  await ask(id, { kind: 'send', content: 'one' })
  const first = chats.get(id).messages[0]
  await ask(id, { kind: 'edit', messageId: first?.id ?? '', content: 'two' })
  const chat = chats.get(id)
  expect(contents(chat.messages)).toEqual(['two', 'a2'])
  expect(chat.messages[0]?.siblingIds).toHaveLength(2)
})

test('stopping keeps the text and finishes with reason cancelled', async () => {
  await using harness = chatsHarness({ script: [{ pieces: ['so far'], end: 'wait', afterPieces: () => harness.chats.stop(chatId) }] })
  const chatId = harness.chats.create().id
  const message = finished(await harness.ask(chatId, { kind: 'send', content: 'q' }))
  expect(message).toMatchObject({ content: 'so far', finishReason: 'cancelled', status: 'complete', error: null })
})

test('a chat that is answering takes no second question, and no other branch', async () => {
  await using harness = chatsHarness({ script: [{ pieces: ['x'], end: 'wait' }] })
  const { chats, ask } = harness
  const { id } = chats.create()
  const running = ask(id, { kind: 'send', content: 'q' })
  expect(await serviceCode(() => ask(id, { kind: 'send', content: 'again' }))).toBe('chats/busy')
  expect(await serviceCode(() => chats.selectBranch(id, chats.get(id).messages[0]?.id ?? ''))).toBe('chats/busy')
  chats.stop(id)
  await running
})

test('two chats can be answered at the same time', async () => {
  await using harness = chatsHarness({ script: [{ pieces: ['x'], end: 'wait' }, answer('y')] })
  const { chats, ask } = harness
  const [first, second] = [chats.create().id, chats.create().id]
  const running = ask(first, { kind: 'send', content: 'q' })
  await ask(second, { kind: 'send', content: 'q' })
  chats.stop(first)
  await running
  expect(contents(chats.get(second).messages)).toEqual(['q', 'y'])
})

test('a crash of the engine keeps the text, says why, and the next question works', async () => {
  await using harness = chatsHarness({ script: [{ pieces: ['half an ans'], end: crash() }, answer('whole')] })
  const { chats, engine, ask } = harness
  const { id } = chats.create()
  const message = finished(await ask(id, { kind: 'send', content: 'q1' }))
  expect(message).toMatchObject({ content: 'half an ans', status: 'interrupted', finishReason: 'error', error: { code: 'engine/crashed' } })
  expect(chats.get(id).messages[1]).toEqual(message)
  await ask(id, { kind: 'send', content: 'q2' })
  expect(contents(chats.get(id).messages)).toEqual(['q1', 'half an ans', 'q2', 'whole'])
  expect(engine.asked[1]?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user'])
})

test('a reply that failed without text leaves the turns alternating', async () => {
  await using harness = chatsHarness({ script: [{ pieces: [], end: crash() }, answer('ok')] })
  const { chats, engine, ask } = harness
  const { id } = chats.create()
  await ask(id, { kind: 'send', content: 'q1' })
  await ask(id, { kind: 'send', content: 'q2' })
  expect(engine.asked[1]?.messages).toEqual([{ role: 'user', content: 'q1\n\nq2' }])
})

test('a failure that is not ours is told without its text', async () => {
  await using harness = chatsHarness({ script: [{ pieces: [], end: new Error('secret path /home/x') }] })
  const { chats, ask, log } = harness
  const message = finished(await ask(chats.create().id, { kind: 'send', content: 'q' }))
  expect(message.error?.code).toBe('app/internal')
  expect(JSON.stringify(message)).not.toContain('secret')
  expect(log.entries.some(({ fields }) => String(fields['failure']).includes('secret path'))).toBe(true)
})

test('the chat decides over the settings, the settings over the model', async () => {
  const sampling = { ...modelSampling, temperature: 1.5 }
  await using harness = chatsHarness({ script: [answer('a'), answer('b')], defaults: { systemPrompt: 'general', sampling: null } })
  const { chats, engine, ask } = harness
  const { id } = chats.create()
  await ask(id, { kind: 'send', content: 'q' })
  chats.configure(id, { systemPrompt: 'special', sampling })
  await ask(id, { kind: 'send', content: 'q' })
  expect(engine.asked[0]).toMatchObject({ sampling: modelSampling, messages: [{ role: 'system', content: 'general' }, { content: 'q' }] })
  expect(engine.asked[1]?.sampling).toEqual(sampling)
  expect(engine.asked[1]?.messages[0]).toEqual({ role: 'system', content: 'special' })
})

test('a blank system prompt is none', async () => {
  await using harness = chatsHarness({ script: [answer('a')], defaults: { systemPrompt: 'general', sampling: null } })
  const { chats, engine, ask } = harness
  const { id } = chats.create()
  chats.configure(id, { systemPrompt: ' ', sampling: null })
  await ask(id, { kind: 'send', content: 'q' })
  expect(engine.asked[0]?.messages).toEqual([{ role: 'user', content: 'q' }])
})

test('messages of another chat, of the wrong role and unknown ones are refused and nothing is stored', async () => {
  await using harness = chatsHarness({ script: [answer('a')] })
  const { chats, ask } = harness
  const [one, two] = [chats.create().id, chats.create().id]
  await ask(one, { kind: 'send', content: 'q' })
  const [question, reply] = chats.get(one).messages
  expect(await serviceCode(() => ask(two, { kind: 'regenerate', messageId: reply?.id ?? '' }))).toBe('chats/message-not-found')
  expect(await serviceCode(() => ask(one, { kind: 'regenerate', messageId: question?.id ?? '' }))).toBe('chats/wrong-role')
  expect(await serviceCode(() => ask(one, { kind: 'edit', messageId: reply?.id ?? '', content: 'x' }))).toBe('chats/wrong-role')
  expect(await serviceCode(() => ask('nowhere', { kind: 'send', content: 'x' }))).toBe('chats/not-found')
  expect(await serviceCode(() => chats.selectBranch(two, question?.id ?? ''))).toBe('chats/message-not-found')
  expect(chats.get(one).messages).toHaveLength(2)
  expect(chats.get(two).messages).toHaveLength(0)
})

test('context use counts the branch and the draft', async () => {
  await using harness = chatsHarness({ script: [answer('four')], defaults: { systemPrompt: 'sys', sampling: null } })
  const { chats, ask } = harness
  const { id } = chats.create()
  await ask(id, { kind: 'send', content: 'two' })
  expect(await chats.contextUse(id, 'draft!')).toEqual({
    usedTokens: 'sys'.length + 'two'.length + 'four'.length + 'draft!'.length,
    contextLength: 100,
  })
  expect(await chats.contextUse(null, '')).toEqual({ usedTokens: 3, contextLength: 100 })
})

test('closing stops a running reply and stores it', async () => {
  const harness = chatsHarness({ script: [{ pieces: ['cut'], end: 'wait' }] })
  const { chats } = harness
  const running = harness.ask(chats.create().id, { kind: 'send', content: 'q' })
  await harness[Symbol.asyncDispose]()
  expect(finished(await running)).toMatchObject({ content: 'cut', finishReason: 'cancelled', error: null })
})
