import Database from 'libsql'
import { expect, test } from 'vitest'
import { createJournal } from '../../../main/chats/journal'
import { inTransaction, openDatabase } from '../../../main/chats/database'
import { openStore } from '../../../main/chats/store'
import type { ChatStore } from '../../../main/chats/store'
import type { MessageRow } from '../../../main/chats/rows'
import { runReply } from '../../../main/chats/reply'
import { join } from 'node:path'
import type { ReplyEvent } from '../../../preload/contract'
import { temporaryFolder } from '../../support/temporary-folder'
import { recordingLog } from '../support/recording-log'
import { scriptedEngine } from '../support/scripted-engine'
import { serviceCode } from '../support/service-code'
import { steppingClock } from '../support/stepping-clock'
import { finished } from './chats-harness'

const CHAT = { id: 'chat', title: '', createdAtMs: 1, updatedAtMs: 1, systemPrompt: null, sampling: null, leafId: null }

function message(id: string, content: string, parentId: string | null = null): MessageRow {
  const fixed = {
    chatId: 'chat',
    role: 'user',
    createdAtMs: 2,
    status: 'complete',
    finishReason: null,
    stats: null,
    error: null,
    modelName: null,
  } as const
  return { id, content, parentId, ...fixed }
}

/** A store whose disk can be filled and given room again; `max_page_count` makes SQLite report a full disk for real. */
function fillableStore(path: string): { readonly store: ChatStore; readonly fill: () => void; readonly makeRoom: () => void } {
  const options = { path, clock: steppingClock(), log: recordingLog() }
  const db = openDatabase(options)
  const store = openStore({ ...options, db })
  return {
    store,
    fill: () => void db.prepare('pragma max_page_count = 1').get(),
    makeRoom: () => void db.prepare('pragma max_page_count = 1000000').get(),
  }
}

const BIG = 'x'.repeat(60_000)

test('a full disk has its own code', async () => {
  using folder = temporaryFolder()
  const { store, fill } = fillableStore(join(folder.path, 'chats.db'))
  store.insertChat(CHAT)
  fill()
  expect(await serviceCode(() => store.saveMessage(message('m', BIG)))).toBe('chats/disk-full')
  store[Symbol.dispose]()
})

test('what could not be saved is read from memory, in its place, and saved when there is room', () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'chats.db')
  const { store, fill, makeRoom } = fillableStore(path)
  const journal = createJournal({ store, log: recordingLog() })
  store.insertChat(CHAT)
  expect(journal.save(message('first', 'small'))).toBeNull()
  fill()
  expect(journal.save(message('second', BIG, 'first'))?.code).toBe('chats/disk-full')
  expect(journal.save(message('third', BIG, 'second'))?.code).toBe('chats/disk-full')
  journal.showLeaf('chat', 'third', 5)
  expect(journal.leafOf(CHAT)).toBe('third')
  expect(journal.nodes('chat').map(({ id }) => id)).toEqual(['first', 'second', 'third'])
  expect(journal.messages(['second']).get('second')).toMatchObject({ content: BIG, error: { code: 'chats/disk-full' } })
  expect(journal.unsavedCount()).toBe(2)
  makeRoom()
  expect(journal.save(message('fourth', 'small', 'third'))).toBeNull()
  expect(journal.unsavedCount()).toBe(0)
  expect(store.nodes('chat').map(({ id }) => id)).toEqual(['first', 'second', 'third', 'fourth'])
  expect(store.messages(['second'])[0]).toMatchObject({ content: BIG, error: null })
  expect(store.chat('chat')?.leafId).toBe('third')
  journal[Symbol.dispose]()
  store[Symbol.dispose]()
})

test('closing tries once more', () => {
  using folder = temporaryFolder()
  const { store, fill, makeRoom } = fillableStore(join(folder.path, 'chats.db'))
  const journal = createJournal({ store, log: recordingLog() })
  store.insertChat(CHAT)
  fill()
  journal.save(message('late', BIG))
  makeRoom()
  journal[Symbol.dispose]()
  expect(store.messages(['late'])).toHaveLength(1)
  store[Symbol.dispose]()
})

test('a reply goes on in the window while the disk is full, and its end says so', async () => {
  using folder = temporaryFolder()
  const { store, fill } = fillableStore(join(folder.path, 'chats.db'))
  const journal = createJournal({ store, log: recordingLog() })
  store.insertChat(CHAT)
  const row: MessageRow = { ...message('reply', ''), role: 'assistant', status: 'streaming' }
  journal.save(row)
  const events: ReplyEvent[] = []
  await runReply({
    row,
    messages: [],
    prefix: null,
    tokensBefore: [],
    store,
    sampling: null,
    engine: scriptedEngine([{ pieces: ['start ', BIG], end: 'stop', afterPieces: fill }]),
    journal,
    emit: (event) => void events.push(event),
    shown: (shown) => ({ ...shown, siblingIds: [shown.id] }),
    clock: steppingClock(),
    log: recordingLog(),
    signal: new AbortController().signal,
  })
  expect(finished(events)).toMatchObject({
    content: `start ${BIG}`,
    status: 'complete',
    finishReason: 'stop',
    error: { code: 'chats/disk-full' },
  })
  expect(journal.messages(['reply']).get('reply')?.content).toBe(`start ${BIG}`)
  journal[Symbol.dispose]()
  store[Symbol.dispose]()
})

test('a read-only database has its own code', async () => {
  using folder = temporaryFolder()
  const options = { path: join(folder.path, 'chats.db'), clock: steppingClock(), log: recordingLog() }
  const db = openDatabase(options)
  using store = openStore({ ...options, db })
  store.insertChat(CHAT)
  db.exec('pragma query_only = 1')
  expect(await serviceCode(() => store.saveMessage(message('m', 'x')))).toBe('chats/not-writable')
})

test('a database that another program holds is said to be locked, soon, and written later', () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'chats.db')
  const options = { path, clock: steppingClock(), log: recordingLog() }
  using store = openStore(options)
  using journal = createJournal({ store, log: recordingLog() })
  store.insertChat(CHAT)
  const other = new Database(path)
  other.exec('begin immediate')
  expect(journal.save(message('m', 'x'))?.code).toBe('chats/locked')
  expect(journal.messages(['m']).get('m')?.content).toBe('x')
  other.exec('rollback')
  other.close()
  expect(journal.save(message('n', 'y', 'm'))).toBeNull()
  expect(store.nodes('chat').map(({ id }) => id)).toEqual(['m', 'n'])
})

test('a transaction that fails is undone whole', () => {
  using folder = temporaryFolder()
  const options = { path: join(folder.path, 'chats.db'), clock: steppingClock(), log: recordingLog(), migrations: ['create table t(x)'] }
  const db = openDatabase(options)
  expect(() =>
    inTransaction(db, () => {
      db.exec('insert into t values (1)')
      throw new Error('stop')
    }),
  ).toThrow('stop')
  expect(db.prepare('select count(*) as rows from t').get()).toMatchObject({ rows: 0 })
  db.close()
})
