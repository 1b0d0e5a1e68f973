// The list of chats, newest first, and the search in it.
import * as v from 'valibot'
import type { ChatSummary } from '../../preload/contract'
import type { Connection } from './database'
import { matchesAll, parseQuery, snippetOf } from './search'
import type { SearchQuery } from './search'

/** Hits per search: nobody reads further, and every hit costs its text. */
const MAX_HITS = 200

const summaryRow = v.looseObject({ id: v.string(), title: v.string(), updated_at_ms: v.number(), message_count: v.number() })
const hitRow = v.looseObject({ chat_id: v.string(), content: v.string() })

/** Chats outside the trash; with a query those whose title or one of whose messages contains every word. */
export function listChats(db: Connection, query: string): readonly ChatSummary[] {
  const search = parseQuery(query)
  const columns = 'c.id, c.title, c.updated_at_ms, c.message_count'
  if (search === null) {
    const rows = db.prepare(`select ${columns} from chats c where c.deleted_at_ms is null order by c.updated_at_ms desc, c.seq desc`).all()
    return rows.map((row) => summaryOf(row, null))
  }
  const titles = conditions(search, { table: 'chats_fts', column: 'c.title', rowid: 'c.seq' })
  const texts = conditions(search, { table: 'messages_fts', column: 'm.content', rowid: 'm.seq' })
  const hits = db
    .prepare(
      `select m.chat_id, max(m.seq) as seq, m.content from messages m join chats c on c.id = m.chat_id
       where c.deleted_at_ms is null and m.status <> 'streaming' and ${texts.sql} group by m.chat_id order by c.updated_at_ms desc limit ${MAX_HITS}`,
    )
    .all(...texts.values)
  const contents = new Map(hits.map((row) => v.parse(hitRow, row)).map((hit) => [hit.chat_id, hit.content]))
  const marks = [...contents.keys()].map(() => '?').join(', ')
  const rows = db
    .prepare(
      `select ${columns} from chats c where c.deleted_at_ms is null and ((${titles.sql}) or c.id in (${marks}))
       order by c.updated_at_ms desc, c.seq desc limit ${MAX_HITS}`,
    )
    .all(...titles.values, ...contents.keys())
  return rows.map((row) => {
    const { id, title } = v.parse(summaryRow, row)
    const content = contents.get(id)
    const snippet = content === undefined || matchesAll(title, search.terms) ? null : snippetOf(content, search.terms)
    return summaryOf(row, snippet)
  })
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
