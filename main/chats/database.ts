// Opens the chat database (SQLite through libsql): pragmas, migration with a backup beside the file, refusal of what a newer version wrote.
import { accessSync, constants, existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'libsql'
import * as v from 'valibot'
import type { Clock, Log } from '../host'
import { reasonOf, serviceError } from '../service-error'
import { migrations as released } from './migrations'

/** An open connection. */
export type Connection = InstanceType<typeof Database>

/** While opening, another instance may be writing; nobody waits on a window yet. */
const OPEN_TIMEOUT_MS = 5_000
/** While running, a held lock must not hold the process: what could not be written is kept and tried again. */
const BUSY_TIMEOUT_MS = 20

/**
 * Opens and migrates the database at `path`. Throws "chats/newer-database" (the file is left untouched), "chats/broken-database", "chats/not-writable", "chats/disk-full", "chats/locked".
 * A file of an older version that holds data is first copied whole to `<path>.v<version>-<ms>.backup`; the steps then run in one transaction.
 */
export function openDatabase(options: {
  readonly path: string
  readonly clock: Clock
  readonly log: Log
  /** Steps to reach; tests give their own. */
  readonly migrations?: readonly string[]
}): Connection {
  const { path } = options
  try {
    mkdirSync(dirname(path), { recursive: true })
    accessSync(dirname(path), constants.W_OK)
    if (existsSync(path)) accessSync(path, constants.W_OK)
  } catch (failure) {
    throw serviceError('chats/not-writable', { path, reason: reasonOf(failure) }, failure)
  }
  let db: Connection | null = null
  try {
    db = new Database(path)
    db.exec(`pragma busy_timeout = ${OPEN_TIMEOUT_MS}`)
    migrate(db, options)
    db.exec('pragma journal_mode = wal')
    db.exec('pragma synchronous = normal')
    db.exec('pragma foreign_keys = on')
    db.exec(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`)
    return db
  } catch (failure) {
    db?.close()
    throw databaseFailure(path, failure)
  }
}

/** Runs `work` in one transaction; whatever it throws is thrown after the rollback. */
export function inTransaction<T>(db: Connection, work: () => T): T {
  db.exec('begin immediate')
  try {
    const value = work()
    db.exec('commit')
    return value
  } catch (failure) {
    // A full disk has already rolled back by itself.
    if (db.inTransaction) db.exec('rollback')
    throw failure
  }
}

/** A SQLite failure as a service error; anything else comes back as it is. */
export function databaseFailure(path: string, failure: unknown): unknown {
  if (!(failure instanceof Error) || failure.name === 'ServiceError') return failure
  const code = 'code' in failure && typeof failure.code === 'string' ? failure.code : ''
  if (code.startsWith('SQLITE_FULL')) return serviceError('chats/disk-full', { path }, failure)
  if (/^SQLITE_(READONLY|CANTOPEN|IOERR|PERM|AUTH)/.test(code)) return serviceError('chats/not-writable', { path, reason: code }, failure)
  if (/^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)) return serviceError('chats/locked', { path }, failure)
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return serviceError('chats/broken-database', { path, reason: failure.message }, failure)
  // libsql reports a file that cannot be opened without a code.
  if (failure.message.includes('Unable to open')) return serviceError('chats/not-writable', { path, reason: failure.message }, failure)
  return failure
}

/** True for failures that may pass by themselves or by making room: the text stays in memory and is written later. */
export function isSavingFailure(failure: unknown): boolean {
  return (
    failure instanceof Error &&
    'code' in failure &&
    ['chats/disk-full', 'chats/not-writable', 'chats/locked'].includes(String(failure.code))
  )
}

function migrate(db: Connection, options: Parameters<typeof openDatabase>[0]): void {
  const { path, clock, log } = options
  const migrations = options.migrations ?? released
  const version = readNumber(db, 'pragma user_version', 'user_version')
  if (version > migrations.length) {
    throw serviceError('chats/newer-database', { path, foundVersion: version, knownVersion: migrations.length })
  }
  if (version === migrations.length) return
  const tables = readNumber(db, "select count(*) as tables from sqlite_schema where type = 'table'", 'tables')
  if (version === 0 && tables > 0) throw serviceError('chats/broken-database', { path, reason: 'it is a database of another program' })
  if (version > 0) {
    const backup = `${path}.v${version}-${clock.now()}.backup`
    rmSync(backup, { force: true })
    db.prepare('vacuum into ?').run(backup)
    log.info('the chat database is brought up to date; the old one was kept', { path, backup, from: version, to: migrations.length })
  }
  inTransaction(db, () => {
    for (const step of migrations.slice(version)) db.exec(step)
    db.exec(`pragma user_version = ${migrations.length}`)
  })
}

function readNumber(db: Connection, sql: string, column: string): number {
  return v.parse(v.looseObject({ [column]: v.number() }), db.prepare(sql).get())[column] ?? 0
}
