// Rows of the chat database as values: what SQLite returns is checked once, here.
import * as v from 'valibot'
import { samplingSchema } from '../../preload/contract-sampling'
import type { Chat, Message } from '../../preload/contract'

/** A message without its place among its siblings. */
export type MessageRow = Omit<Message, 'siblingIds'>

/** A message's place in the tree; `seq` orders siblings by creation. */
export interface MessageNode {
  readonly id: string
  readonly parentId: string | null
}

/** A chat without its messages. */
export interface ChatRow extends Omit<Chat, 'messages'> {
  readonly leafId: string | null
}

const statsSchema = v.object({
  promptTokens: v.number(),
  cachedTokens: v.number(),
  completionTokens: v.number(),
  ttftMs: v.number(),
  tokensPerSecond: v.number(),
  totalMs: v.number(),
  seed: v.number(),
})
const errorSchema = v.object({ code: v.string(), message: v.string(), details: v.record(v.string(), v.unknown()) })
const optionalText = v.nullable(v.string())

/** A JSON column; a document that no longer fits its schema reads as null rather than making the chat unreadable. */
function json<T>(schema: v.GenericSchema<unknown, T>) {
  return v.pipe(
    optionalText,
    v.transform((text): T | null => {
      if (text === null) return null
      const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text)
      return result.success ? result.output : null
    }),
  )
}

const messageColumns = v.pipe(
  v.looseObject({
    id: v.string(),
    chat_id: v.string(),
    parent_id: optionalText,
    role: v.picklist(['user', 'assistant']),
    content: v.string(),
    created_at_ms: v.number(),
    status: v.picklist(['streaming', 'complete', 'interrupted']),
    finish_reason: v.nullable(v.picklist(['stop', 'stop-string', 'length', 'context', 'cancelled', 'error'])),
    stats: json(statsSchema),
    error: json(errorSchema),
    model_name: optionalText,
    has_record: v.optional(v.number(), 0),
  }),
  v.transform((row): MessageRow => ({
    id: row.id,
    chatId: row.chat_id,
    parentId: row.parent_id,
    role: row.role,
    content: row.content,
    createdAtMs: row.created_at_ms,
    status: row.status,
    finishReason: row.finish_reason,
    stats: row.stats,
    error: row.error,
    modelName: row.model_name,
    hasTokens: row.has_record === 1,
  })),
)

const chatColumns = v.pipe(
  v.looseObject({
    id: v.string(),
    title: v.string(),
    created_at_ms: v.number(),
    updated_at_ms: v.number(),
    system_prompt: optionalText,
    sampling: json(samplingSchema),
    leaf_id: optionalText,
  }),
  v.transform((row): ChatRow => ({
    id: row.id,
    title: row.title,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
    systemPrompt: row.system_prompt,
    sampling: row.sampling,
    leafId: row.leaf_id,
  })),
)

const nodeColumns = v.pipe(
  v.looseObject({ id: v.string(), parent_id: optionalText }),
  v.transform((row): MessageNode => ({ id: row.id, parentId: row.parent_id })),
)

/** Columns of a message that are written with it. */
export const MESSAGE_COLUMNS = 'id, chat_id, parent_id, role, content, created_at_ms, status, finish_reason, stats, error, model_name'

/** The select list of `messages`. */
export const MESSAGE_SELECTION = `${MESSAGE_COLUMNS}, record is not null as has_record`

/** Checks one row of `messages`. */
export function readMessageRow(row: unknown): MessageRow {
  return v.parse(messageColumns, row)
}

/** Checks one row of `chats`. */
export function readChatRow(row: unknown): ChatRow {
  return v.parse(chatColumns, row)
}

/** The blob of one row with a message's record; the database hands blobs over as Buffer or ArrayBuffer. */
export function readRecord(row: unknown): Uint8Array | null {
  const { record } = v.parse(v.object({ record: v.nullable(v.union([v.instance(Uint8Array), v.instance(ArrayBuffer)])) }), row)
  return record instanceof ArrayBuffer ? new Uint8Array(record) : record
}

/** Checks one row with a message's id and parent. */
export function readNode(row: unknown): MessageNode {
  return v.parse(nodeColumns, row)
}

/** A value for a JSON column. */
export function jsonColumn(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value)
}
