// The chats and messages in SQLite: short synchronous statements; every failure leaves as a service error.
import type { ChatSummary } from '../../preload/contract'
import type { Clock, Log } from '../host'
import { databaseFailure, inTransaction, openDatabase } from './database'
import type { Connection } from './database'
import { jsonColumn, MESSAGE_COLUMNS, MESSAGE_SELECTION, readChatRow, readMessageRow, readNode, readRecord } from './rows'
import type { ChatRow, MessageNode, MessageRow } from './rows'
import { listChats } from './list'

/** The database behind the chat service. Dispose closes it. */
export interface ChatStore extends Disposable {
  readonly path: string
  readonly list: (query: string) => Promise<readonly ChatSummary[]>
  readonly insertChat: (chat: ChatRow) => void
  /** The chat, or null when there is none or it is in the trash. */
  readonly chat: (chatId: string) => ChatRow | null
  readonly rename: (chatId: string, title: string) => void
  readonly configure: (chatId: string, change: Pick<ChatRow, 'systemPrompt' | 'sampling'>) => void
  readonly showLeaf: (chatId: string, leafId: string, updatedAtMs: number) => void
  /** Moves to the trash, or back with null. False when there is no such chat. */
  readonly setDeleted: (chatId: string, deletedAtMs: number | null) => boolean
  /** All messages' places in order of creation. */
  readonly nodes: (chatId: string) => readonly MessageNode[]
  readonly messages: (ids: readonly string[]) => readonly MessageRow[]
  /** Inserts, or replaces what may change while a message is written. */
  readonly saveMessage: (message: MessageRow) => void
  /** Keeps what belongs to a stored message; false when it is not stored (yet). */
  readonly saveRecord: (messageId: string, record: Uint8Array) => boolean
  readonly record: (messageId: string) => Uint8Array | null
  /** Marks messages whose writer is gone as interrupted; returns how many. */
  readonly interruptOrphans: (isAlive: (pid: number) => boolean) => number
  /** Removes one chat that was deleted before `beforeMs`, at most `limit` of its messages at a time; false when nothing is left to remove. */
  readonly purgeSome: (beforeMs: number, limit: number) => boolean
}

/** SQLite takes 32766 variables; this keeps a statement short. */
const IDS_PER_SELECT = 500

/** Opens the store, or takes over a connection that is open already. Throws what openDatabase throws. */
export function openStore(options: {
  readonly path: string
  readonly clock: Clock
  readonly log: Log
  readonly db?: Connection
}): ChatStore {
  const { path } = options
  const db = options.db ?? openDatabase(options)
  const sql = prepare(db)

  /** Runs a piece of database work with its failures translated. */
  function attempt<T>(work: () => T): T {
    try {
      return work()
    } catch (failure) {
      throw databaseFailure(path, failure)
    }
  }

  return {
    path,
    list: async (query) => {
      try {
        return await listChats(db, query)
      } catch (failure) {
        throw databaseFailure(path, failure)
      }
    },
    insertChat: (chat) =>
      attempt(() => {
        sql.insertChat.run(
          chat.id,
          chat.title,
          chat.createdAtMs,
          chat.updatedAtMs,
          chat.systemPrompt,
          jsonColumn(chat.sampling),
          chat.leafId,
        )
      }),
    chat: (chatId) =>
      attempt(() => {
        const row: unknown = sql.chat.get(chatId)
        return row === undefined ? null : readChatRow(row)
      }),
    rename: (chatId, title) => attempt(() => void sql.rename.run(title, chatId)),
    configure: (chatId, { systemPrompt, sampling }) => attempt(() => void sql.configure.run(systemPrompt, jsonColumn(sampling), chatId)),
    showLeaf: (chatId, leafId, updatedAtMs) => attempt(() => void sql.showLeaf.run(leafId, updatedAtMs, chatId)),
    setDeleted: (chatId, deletedAtMs) => attempt(() => sql.setDeleted.run(deletedAtMs, chatId).changes > 0),
    nodes: (chatId) => attempt(() => sql.nodes.all(chatId).map(readNode)),
    messages: (ids) =>
      attempt(() => {
        const rows: MessageRow[] = []
        for (let start = 0; start < ids.length; start += IDS_PER_SELECT) {
          const some = ids.slice(start, start + IDS_PER_SELECT)
          const marks = some.map(() => '?').join(', ')
          rows.push(
            ...db
              .prepare(`select ${MESSAGE_SELECTION} from messages where id in (${marks})`)
              .all(...some)
              .map(readMessageRow),
          )
        }
        return rows
      }),
    saveMessage: (message) =>
      attempt(() => {
        const { id, chatId, parentId, role, content, createdAtMs, status, finishReason, modelName } = message
        const writer = status === 'streaming' ? process.pid : null
        const [stats, error] = [jsonColumn(message.stats), jsonColumn(message.error)]
        sql.saveMessage.run(id, chatId, parentId, role, content, createdAtMs, status, finishReason, stats, error, modelName, writer)
      }),
    saveRecord: (messageId, record) => attempt(() => sql.saveRecord.run(record, messageId).changes > 0),
    record: (messageId) =>
      attempt(() => {
        const row: unknown = sql.record.get(messageId)
        return row === undefined ? null : readRecord(row)
      }),
    interruptOrphans: (isAlive) =>
      attempt(() => {
        const writers = sql.writers.pluck().all().map(Number)
        let interrupted = 0
        for (const pid of writers) if (!isAlive(pid)) interrupted += sql.interrupt.run(pid).changes
        return interrupted
      }),
    purgeSome: (beforeMs, limit) =>
      attempt(() =>
        inTransaction(db, () => {
          const removed = sql.purgeMessages.run(beforeMs, limit).changes
          return removed > 0 || sql.purgeChat.run(beforeMs).changes > 0
        }),
      ),
    [Symbol.dispose]: () => {
      if (!db.open) return
      moveLogIntoFile(db)
      db.close()
    },
  }
}

/** Leaves one file that holds everything; when another process reads just now, the log stays beside it and loses nothing. */
function moveLogIntoFile(db: Connection): void {
  try {
    db.exec('pragma wal_checkpoint(truncate)')
  } catch {
    // A full or read-only disk: the log stays.
  }
}

function prepare(db: Connection) {
  return {
    insertChat: db.prepare(
      'insert into chats(id, title, created_at_ms, updated_at_ms, system_prompt, sampling, leaf_id) values (?, ?, ?, ?, ?, ?, ?)',
    ),
    chat: db.prepare('select * from chats where id = ? and deleted_at_ms is null'),
    rename: db.prepare('update chats set title = ? where id = ?'),
    configure: db.prepare('update chats set system_prompt = ?, sampling = ? where id = ?'),
    showLeaf: db.prepare('update chats set leaf_id = ?, updated_at_ms = max(updated_at_ms, ?) where id = ?'),
    setDeleted: db.prepare('update chats set deleted_at_ms = ? where id = ?'),
    nodes: db.prepare('select id, parent_id from messages where chat_id = ? order by seq'),
    saveMessage: db.prepare(`insert into messages(${MESSAGE_COLUMNS}, writer_pid) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      on conflict(id) do update set content = excluded.content, status = excluded.status, finish_reason = excluded.finish_reason,
        stats = excluded.stats, error = excluded.error, model_name = excluded.model_name, writer_pid = excluded.writer_pid`),
    saveRecord: db.prepare('update messages set record = ? where id = ?'),
    record: db.prepare('select record from messages where id = ?'),
    writers: db.prepare("select distinct coalesce(writer_pid, 0) as writer from messages where status = 'streaming'"),
    interrupt: db.prepare(
      "update messages set status = 'interrupted', writer_pid = null where status = 'streaming' and coalesce(writer_pid, 0) = ?",
    ),
    purgeMessages: db.prepare(
      'delete from messages where seq in (select m.seq from messages m join chats c on c.id = m.chat_id where c.deleted_at_ms < ? limit ?)',
    ),
    purgeChat: db.prepare('delete from chats where seq in (select seq from chats where deleted_at_ms < ? limit 1)'),
  }
}
