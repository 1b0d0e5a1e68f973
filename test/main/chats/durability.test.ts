import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'libsql'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createChatsService } from '../../../main/chats/chats-service'
import type { ChatsService } from '../../../main/chats/chats-service'
import { openDatabase } from '../../../main/chats/database'
import { migrations } from '../../../main/chats/migrations'
import { temporaryFolder } from '../../support/temporary-folder'
import { bundle } from '../support/bundle'
import type { Bundle } from '../support/bundle'
import { recordingLog } from '../support/recording-log'
import { scriptedEngine } from '../support/scripted-engine'
import { serviceCode } from '../support/service-code'
import { steppingClock } from '../support/stepping-clock'
import { ask, contents } from './chats-harness'

let writer: Bundle
beforeAll(async () => {
  writer = await bundle({ writer: fileURLToPath(new URL('./endless-reply.ts', import.meta.url)) })
}, 60_000)
afterAll(() => writer[Symbol.dispose]())

function open(path: string, clock = steppingClock()): ChatsService {
  const engine = scriptedEngine([{ pieces: ['fine'], end: 'stop' }])
  return createChatsService({ path, engine, defaults: () => ({ systemPrompt: '', sampling: null }), clock, log: recordingLog() })
}

test('a killed process loses at most the last second of a reply, and the rest is marked as interrupted', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'chats.db')
  const child = spawn(process.execPath, [writer.file('writer'), path], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  const killedAtMs = Date.now()
  child.kill('SIGKILL')
  await once(child, 'exit')
  const said = output
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ').map(Number))
  const chats = open(path)
  const chat = chats.get((await chats.list(''))[0]?.id ?? '')
  const reply = chat.messages[1]
  expect(contents(chat.messages)[0]).toBe('count')
  expect(reply?.status).toBe('interrupted')
  const kept = reply?.content.trimEnd().split(' ').map(Number) ?? []
  expect(kept.length).toBeGreaterThan(10)
  expect(kept).toEqual(kept.map((_, index) => index + 1))
  const firstLost = said.find(([word]) => word === kept.length + 1)
  const lostMs = killedAtMs - (firstLost?.[1] ?? killedAtMs)
  expect(lostMs).toBeLessThan(1_000)
  await ask(chats, chat.id, { kind: 'send', content: 'go on' })
  expect(contents(chats.get(chat.id).messages).at(-1)).toBe('fine')
  await chats.close()
})

test('a reply that another living process writes is left alone', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'chats.db')
  const child = spawn(process.execPath, [writer.file('writer'), path], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  const chats = open(path)
  expect(chats.get((await chats.list(''))[0]?.id ?? '').messages[1]?.status).toBe('streaming')
  child.kill('SIGKILL')
  await once(child, 'exit')
  await chats.close()
})

test('a database of an older version is copied whole, then brought up to date', () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'chats.db')
  const log = recordingLog()
  const clock = steppingClock()
  const older = openDatabase({ path, clock, log, migrations: ['create table notes(text text)'] })
  older.exec("insert into notes values ('kept')")
  older.close()
  const newer = openDatabase({
    path,
    clock,
    log,
    migrations: ['create table notes(text text)', 'alter table notes add column size integer'],
  })
  expect(newer.prepare('select text, size from notes').all()).toMatchObject([{ text: 'kept', size: null }])
  newer.close()
  const backup = readdirSync(folder.path).find((name) => name.endsWith('.backup'))
  const copy = new Database(join(folder.path, backup ?? ''))
  expect(copy.prepare('select * from notes').all()).toMatchObject([{ text: 'kept' }])
  expect(copy.prepare('pragma user_version').get()).toMatchObject({ user_version: 1 })
  copy.close()
})

test('a migration that fails leaves the database as it was', () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'chats.db')
  const options = { path, clock: steppingClock(), log: recordingLog() }
  const older = openDatabase({ ...options, migrations: ['create table notes(text text)'] })
  older.exec("insert into notes values ('kept')")
  older.close()
  expect(() =>
    openDatabase({ ...options, migrations: ['create table notes(text text)', 'drop table notes; select nonsense from nowhere'] }),
  ).toThrow()
  const again = openDatabase({ ...options, migrations: ['create table notes(text text)'] })
  expect(again.prepare('select * from notes').all()).toMatchObject([{ text: 'kept' }])
  again.close()
})

test('a database of a newer version is refused and left alone', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'chats.db')
  const options = { path, clock: steppingClock(), log: recordingLog() }
  openDatabase({ ...options, migrations: [...migrations, 'create table later(x)'] }).close()
  expect(await serviceCode(() => open(path))).toBe('chats/newer-database')
  const untouched = openDatabase({ ...options, migrations: [...migrations, 'create table later(x)'] })
  expect(untouched.prepare('select count(*) as later from later').get()).toMatchObject({ later: 0 })
  untouched.close()
})

test('what is no chat database is refused and left alone', async () => {
  using folder = temporaryFolder()
  const garbage = folder.write('garbage.db', 'not a database at all, just text. '.repeat(300))
  expect(await serviceCode(() => open(garbage))).toBe('chats/broken-database')
  const foreign = join(folder.path, 'foreign.db')
  const db = new Database(foreign)
  db.exec('create table theirs(x)')
  db.close()
  expect(await serviceCode(() => open(foreign))).toBe('chats/broken-database')
  expect(await serviceCode(() => open(folder.path))).toBe('chats/not-writable')
  // No chat is open yet: nothing can be promised about one.
  expect(() => open(folder.path)).toThrow(/cannot be written/)
})

test('a damaged tree cannot hang reading', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'chats.db')
  const chats = open(path)
  const { id } = chats.create()
  await ask(chats, id, { kind: 'send', content: 'q' })
  const [question, reply] = chats.get(id).messages
  const db = new Database(path)
  db.prepare('update messages set parent_id = ? where id = ?').run(reply?.id, question?.id)
  db.prepare("update messages set stats = 'not json' where id = ?").run(reply?.id)
  db.close()
  expect(chats.get(id).messages.length).toBeLessThanOrEqual(2)
  expect(chats.selectBranch(id, question?.id ?? '').messages.length).toBeLessThanOrEqual(2)
  await chats.close()
})
