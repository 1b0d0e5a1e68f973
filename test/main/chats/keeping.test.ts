import { expect, test } from 'vitest'
import { serviceCode } from '../support/service-code'
import { ask, chatsHarness, contents } from './chats-harness'

const DAY_MS = 24 * 60 * 60 * 1000
const answer = (text: string) => ({ pieces: [text], end: 'stop' as const })
/** Longer than one step of the trash and its pauses. */
const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 200))

test('the newest chat comes first, and answering makes a chat the newest', async () => {
  await using harness = chatsHarness({ script: [answer('a')] })
  const { chats } = harness
  const [one, two] = [chats.create().id, chats.create().id]
  expect((await chats.list('')).map(({ id }) => id)).toEqual([two, one])
  await ask(chats, one, { kind: 'send', content: 'q' })
  expect((await chats.list('')).map(({ id, messageCount }) => ({ id, messageCount }))).toEqual([
    { id: one, messageCount: 2 },
    { id: two, messageCount: 0 },
  ])
})

test('a deleted chat is gone from list, search and reading, and comes back whole', async () => {
  await using harness = chatsHarness({ script: [answer('findable')] })
  const { chats } = harness
  const { id } = chats.create()
  await ask(chats, id, { kind: 'send', content: 'q' })
  chats.moveToTrash(id)
  expect(await chats.list('')).toEqual([])
  expect(await chats.list('findable')).toEqual([])
  expect(await serviceCode(() => chats.get(id))).toBe('chats/not-found')
  chats.restore(id)
  expect(contents(chats.get(id).messages)).toEqual(['q', 'findable'])
  expect(await chats.list('findable')).toHaveLength(1)
})

test('deleting a chat stops its reply', async () => {
  await using harness = chatsHarness({ script: [{ pieces: ['x'], end: 'wait' }] })
  const { chats } = harness
  const { id } = chats.create()
  const running = ask(chats, id, { kind: 'send', content: 'q' })
  chats.moveToTrash(id)
  await running
  chats.restore(id)
  expect(chats.get(id).messages[1]).toMatchObject({ content: 'x', finishReason: 'cancelled' })
})

test('the trash is emptied after 30 days, not before', async () => {
  await using harness = chatsHarness({ script: [answer('old words'), answer('new words')] })
  const { chats, clock, path } = harness
  const [old, recent] = [chats.create().id, chats.create().id]
  await ask(chats, old, { kind: 'send', content: 'q' })
  await ask(chats, recent, { kind: 'send', content: 'q' })
  chats.moveToTrash(old)
  clock.advance(29 * DAY_MS)
  chats.moveToTrash(recent)
  clock.advance(2 * DAY_MS)
  await chats.close()
  const { createChatsService } = await import('../../../main/chats/chats-service')
  const next = createChatsService({
    path,
    engine: harness.engine,
    defaults: () => ({ systemPrompt: '', sampling: null }),
    clock,
    log: harness.log,
  })
  try {
    await soon()
    expect(await serviceCode(() => next.restore(old))).toBe('chats/not-found')
    next.restore(recent)
    expect((await next.list('words')).map(({ id }) => id)).toEqual([recent])
  } finally {
    await next.close()
  }
})

test('renaming trims, and only what exists', async () => {
  await using harness = chatsHarness()
  const { chats } = harness
  const { id } = chats.create()
  chats.rename(id, '  Weights  ')
  expect(chats.get(id).title).toBe('Weights')
  expect(await serviceCode(() => chats.rename('nowhere', 'x'))).toBe('chats/not-found')
})

test('a given title is not replaced by the first question', async () => {
  await using harness = chatsHarness({ script: [answer('a')] })
  const { chats } = harness
  const { id } = chats.create()
  chats.rename(id, 'Mine')
  await ask(chats, id, { kind: 'send', content: 'question' })
  expect(chats.get(id).title).toBe('Mine')
})
