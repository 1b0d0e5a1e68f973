// The list of chats, newest first, and the search in it.
import { setImmediate } from 'node:timers/promises'
import * as v from 'valibot'
import type { ChatSummary } from '../../preload/contract'
import type { Connection } from './database'
import { matchesAll, parseQuery, snippetOf } from './search'
import type { SearchQuery } from './search'

/** Chats per search: nobody reads further, and every hit costs its text. */
const MAX_HITS = 200
/** Messages looked through before other work gets its turn: words of one or two characters have no index. */
const MESSAGES_PER_STEP = 4_000

const summaryRow = v.object({ id: v.string(), title: v.string(), updated_at_ms: v.number(), message_count: v.number() })
const hitRow = v.object({ chat_id: v.string(), seq: v.number() })
const contentRow = v.object({ chat_id: v.string(), content: v.string() })
const boundRow = v.object({ last: v.nullable(v.number()) })

const SUMMARY = 'c.id, c.title, c.updated_at_ms, c.message_count'
const NEWEST_FIRST = 'order by c.updated_at_ms desc, c.seq desc'

/** Chats outside the trash; with a query those whose title or one of whose messages contains every word. */
export async function listChats(db: Connection, query: string): Promise<readonly ChatSummary[]> {
  const search = parseQuery(query)
  if (search === null) {
    const rows = db.prepare(`select ${SUMMARY} from chats c where c.deleted_at_ms is null ${NEWEST_FIRST}`).all()
    return rows.map((row) => summaryOf(row, null))
  }
  const contents = readContents(db, await findMessages(db, search))
  const titles = conditions(search, { table: 'chats_fts', column: 'c.title', rowid: 'c.seq' })
  const marks = [...contents.keys()].map(() => '?').join(', ')
  const rows = db
    .prepare(
      `select ${SUMMARY} from chats c where c.deleted_at_ms is null and ((${titles.sql}) or c.id in (${marks})) ${NEWEST_FIRST} limit ${MAX_HITS}`,
    )
    .all(...titles.values, ...contents.keys())
  return rows.map((row) => {
    const { id, title } = v.parse(summaryRow, row)
    const content = contents.get(id)
    const snippet = content === undefined || matchesAll(title, search.terms) ? null : snippetOf(content, search.terms)
    return summaryOf(row, snippet)
  })
}

/** The newest matching message of each chat, newest chats first. */
async function findMessages(db: Connection, search: SearchQuery): Promise<readonly number[]> {
  const texts = conditions(search, { table: 'messages_fts', column: 'm.content', rowid: 'm.seq' })
  const find = db.prepare(
    `select m.chat_id, max(m.seq) as seq from messages m join chats c on c.id = m.chat_id
     where c.deleted_at_ms is null and m.status <> 'streaming' and m.seq > ? and m.seq <= ? and ${texts.sql}
     group by m.chat_id ${NEWEST_FIRST} limit ${MAX_HITS}`,
  )
  const last = v.parse(boundRow, db.prepare('select max(seq) as last from messages').get()).last ?? 0
  const step = search.match === null ? MESSAGES_PER_STEP : Math.max(last, 1)
  const newestOf = new Map<string, number>()
  for (let end = last; end > 0 && newestOf.size < MAX_HITS; end -= step) {
    for (const row of find.all(end - step, end, ...texts.values)) {
      const hit = v.parse(hitRow, row)
      if (!newestOf.has(hit.chat_id)) newestOf.set(hit.chat_id, hit.seq)
    }
    if (end > step) await setImmediate()
  }
  return [...newestOf.values()].slice(0, MAX_HITS)
}

/** Texts of messages by chat. */
function readContents(db: Connection, seqs: readonly number[]): ReadonlyMap<string, string> {
  if (seqs.length === 0) return new Map()
  const rows = db.prepare(`select chat_id, content from messages where seq in (${seqs.map(() => '?').join(', ')})`).all(...seqs)
  return new Map(rows.map((row) => v.parse(contentRow, row)).map(({ chat_id, content }) => [chat_id, content]))
}

function conditions(
  search: SearchQuery,
  place: { readonly table: string; readonly column: string; readonly rowid: string },
): { readonly sql: string; readonly values: readonly string[] } {
  const parts: string[] = []
  const values: string[] = []
  if (search.match !== null) {
    parts.push(`${place.rowid} in (select rowid from ${place.table} where ${place.table} match ?)`)
    values.push(search.match)
  }
  for (const pattern of search.like) {
    parts.push(`${place.column} like ? escape '\\'`)
    values.push(pattern)
  }
  return { sql: parts.join(' and '), values }
}

function summaryOf(row: unknown, snippet: string | null): ChatSummary {
  const { id, title, updated_at_ms, message_count } = v.parse(summaryRow, row)
  return { id, title, updatedAtMs: updated_at_ms, messageCount: message_count, snippet }
}
