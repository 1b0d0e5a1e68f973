import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openDatabase } from '../../../main/chats/database'
import { parseQuery, snippetOf } from '../../../main/chats/search'
import { openStore } from '../../../main/chats/store'
import type { ChatsService } from '../../../main/chats/chats-service'
import { temporaryFolder } from '../../support/temporary-folder'
import { recordingLog } from '../support/recording-log'
import { steppingClock } from '../support/stepping-clock'
import { ask, chatsHarness } from './chats-harness'

async function chatSaying(chats: ChatsService, question: string): Promise<string> {
  const { id } = chats.create()
  await ask(chats, id, { kind: 'send', content: question })
  return id
}
const silent = { pieces: ['.'], end: 'stop' as const }

test('words are found in titles and in messages of any branch, whatever their case', async () => {
  await using harness = chatsHarness({
    script: [
      { pieces: ['It keeps Tensors in one file'], end: 'stop' },
      { pieces: ['another reply'], end: 'stop' },
    ],
  })
  const { chats } = harness
  const id = await chatSaying(chats, 'question')
  const reply = chats.get(id).messages[1]
  await ask(chats, id, { kind: 'regenerate', messageId: reply?.id ?? '' })
  chats.rename(id, 'Formats')
  expect(await chats.list('tensors')).toMatchObject([{ id, snippet: 'It keeps \u2068Tensors\u2069 in one file' }])
  expect(await chats.list('FORMATS')).toMatchObject([{ id, snippet: null }])
  expect(await chats.list('tensors nowhere')).toEqual([])
})

test('Chinese is found by three characters, by two and by one', async () => {
  await using harness = chatsHarness({ script: [silent, silent] })
  const { chats } = harness
  const id = await chatSaying(chats, '這是第一行\n安全張量是什麼檔案格式？')
  await chatSaying(chats, 'English only')
  chats.rename(id, 'x')
  for (const query of ['安全張量', '張量', '檔', '安全張量 格式']) expect((await chats.list(query)).map((chat) => chat.id)).toEqual([id])
  expect((await chats.list('張量'))[0]?.snippet).toBe('這是第一行 安全\u2068張量\u2069是什麼檔案格式？')
  expect(await chats.list('張重')).toEqual([])
})

test('what means something to the search language is taken literally', async () => {
  await using harness = chatsHarness({ script: [silent, silent, silent] })
  const { chats } = harness
  const percent = await chatSaying(chats, 'line one\n100%_done "quoted" NEAR(a b) col:value a*')
  await chatSaying(chats, 'line one\n100 times done')
  for (const query of ['0%', '%_d', '"quoted"', 'NEAR(a', 'col:value', 'a*', '_d']) {
    expect(
      (await chats.list(query)).map(({ id }) => id),
      query,
    ).toEqual([percent])
  }
  for (const query of ['"', '""', "'", 'OR', 'zzz OR done', '*', '^', '-x', '\0', '\\', '{a b}: c'])
    await expect(chats.list(query), query).resolves.toBeInstanceOf(Array)
})

test('no text that can be typed breaks the search', async () => {
  await using harness = chatsHarness({ script: [silent] })
  const { chats } = harness
  await chatSaying(chats, 'some text (with) [marks] + more')
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), async (query) => {
      await chats.list(query)
    }),
    { numRuns: 300 },
  )
})

test('every text contains itself: a stored message is found by any piece of it', async () => {
  const pieces = fc.string({
    unit: fc.constantFrom('a', 'B', '張', '量', '%', '_', '"', '\\', '(', '😀', 'é'),
    minLength: 1,
    maxLength: 12,
  })
  await fc.assert(
    fc.asyncProperty(pieces, async (piece) => {
      await using harness = chatsHarness({ script: [silent] })
      const id = await chatSaying(harness.chats, `title\nbefore ${piece} after`)
      expect((await harness.chats.list(piece)).map((chat) => chat.id)).toEqual([id])
    }),
    { numRuns: 25 },
  )
})

test('a streaming reply is not found before it is complete', async () => {
  let seen: unknown = null
  await using harness = chatsHarness({
    script: [
      {
        pieces: ['unfinished word'],
        end: 'stop',
        afterPieces: async () => {
          await new Promise((resolve) => setTimeout(resolve, 700))
          seen = await harness.chats.list('unfinished')
        },
      },
    ],
  })
  const id = await chatSaying(harness.chats, 'q')
  expect(seen).toEqual([])
  expect((await harness.chats.list('unfinished')).map((chat) => chat.id)).toEqual([id])
})

test('too many words are cut, none is none', () => {
  expect(parseQuery(' \t\n')).toBeNull()
  expect(parseQuery('a '.repeat(100))?.terms).toHaveLength(16)
})

test('a snippet shows the surroundings on one line and cuts no character', () => {
  const snippet = snippetOf(`${'😀'.repeat(40)}\nneedle\n${'😀'.repeat(80)}`, ['needle'])
  expect(snippet).toMatch(/^…😀+ \u2068needle\u2069 😀+…$/u)
})

test('marks of the text itself do not pass for the match', () => {
  expect(snippetOf('a \u2068fake\u2069 needle', ['needle'])).toBe('a fake \u2068needle\u2069')
})

test('a short word is found however far back it was said', async () => {
  using folder = temporaryFolder()
  const options = { path: join(folder.path, 'chats.db'), clock: steppingClock(), log: recordingLog() }
  const db = openDatabase(options)
  db.exec("insert into chats(id, title, created_at_ms, updated_at_ms) values ('old', '', 1, 1), ('new', '', 2, 2)")
  db.exec(`insert into messages(id, chat_id, role, content, created_at_ms, status)
    select 'm' || value, iif(value < 10, 'old', 'new'), 'user', iif(value = 5 or value = 9990, '這裡有張量', 'nothing'), value, 'complete'
    from (with recursive count(value) as (select 1 union all select value + 1 from count where value < 10000) select value from count)`)
  using store = openStore({ ...options, db })
  expect((await store.list('張量')).map(({ id, snippet }) => ({ id, snippet }))).toEqual([
    { id: 'new', snippet: '這裡有\u2068張量\u2069' },
    { id: 'old', snippet: '這裡有\u2068張量\u2069' },
  ])
})
