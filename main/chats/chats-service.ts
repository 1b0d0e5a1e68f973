// Chats: kept in a database, branching, searchable, answered by the engine and written while they stream.
import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type {
  Chat,
  ChatSummary,
  ContextUse,
  Message,
  PromptView,
  ReplyEvent,
  ReplyToken,
  Sampling,
  StreamInput,
} from '../../preload/contract'
import type { ReplyPrefix } from '../engine/protocol'
import type { Clock, Log } from '../host'
import { serviceError } from '../service-error'
import { newestLeafUnder, pathTo, siblingsById } from './branch'
import { createJournal } from './journal'
import type { ChatDefaults, ReplyEngine } from './ports'
import { promptMessages } from './prompt'
import { branchPrefix, unpackRecord, wholePrefix, type StoredRecord } from './record'
import { runReply } from './reply'
import type { ChatRow, MessageNode, MessageRow } from './rows'
import { openStore } from './store'
import { titleFrom } from './title'
import { emptyTrash } from './trash'

/** What a reply is asked to do. */
export type ReplyAction = StreamInput<'chats.reply'>['action']

/** The chats of one database. Close before the process ends. */
export interface ChatsService {
  readonly list: (query: string) => Promise<readonly ChatSummary[]>
  readonly create: () => Chat
  readonly get: (chatId: string) => Chat
  readonly rename: (chatId: string, title: string) => void
  readonly moveToTrash: (chatId: string) => void
  readonly restore: (chatId: string) => void
  readonly configure: (chatId: string, change: { readonly systemPrompt: string | null; readonly sampling: Sampling | null }) => Chat
  readonly selectBranch: (chatId: string, messageId: string) => Chat
  /** Resolves when the reply has ended and is stored. Throws before any event when the request itself is wrong. */
  readonly reply: (options: {
    readonly chatId: string
    readonly action: ReplyAction
    readonly emit: (event: ReplyEvent) => void
    readonly signal: AbortSignal
  }) => Promise<void>
  readonly stop: (chatId: string) => void
  readonly contextUse: (chatId: string | null, draft: string) => Promise<ContextUse>
  /** The tokens of a reply; null where none were kept. */
  readonly tokens: (chatId: string, messageId: string) => readonly ReplyToken[] | null
  /** What the model got for a reply, or would get for a draft. */
  readonly prompt: (options: {
    readonly chatId: string | null
    readonly messageId: string | null
    readonly draft: string
  }) => Promise<PromptView>
  /** Stops every reply, waits until they are stored, closes the database. */
  readonly close: () => Promise<void>
}

/** What a reply begins with: `row` is the message that goes on, null for a new one. */
interface ReplyBeginning {
  readonly row: MessageRow | null
  readonly prefix: ReplyPrefix | null
  readonly tokens: readonly ReplyToken[]
}

interface Running {
  readonly stop: AbortController
  readonly done: Promise<void>
}

/** Opens the database (throws what openStore throws), marks what a dead process left streaming as interrupted, and empties old trash in the background. */
export function createChatsService(options: {
  readonly path: string
  readonly engine: ReplyEngine
  readonly defaults: () => ChatDefaults
  readonly clock: Clock
  readonly log: Log
}): ChatsService {
  const { engine, defaults, clock, log } = options
  const store = openStore(options)
  const journal = createJournal({ store, log })
  const running = new Map<string, Running>()
  const interrupted = store.interruptOrphans((pid) => pid !== process.pid && isAlive(pid))
  if (interrupted > 0) log.info('replies of a process that ended were marked as interrupted', { interrupted })
  const stopTrash = emptyTrash({ store, clock, log })

  function chatRow(chatId: string): ChatRow {
    const chat = store.chat(chatId)
    if (chat === null) throw serviceError('chats/not-found', { chatId })
    return chat
  }

  function branchOf(
    chat: ChatRow,
    leafId: string | null,
  ): { readonly nodes: readonly MessageNode[]; readonly rows: readonly MessageRow[] } {
    const nodes = journal.nodes(chat.id)
    const path = pathTo(nodes, leafId)
    const rows = journal.messages(path)
    return { nodes, rows: path.flatMap((id) => rows.get(id) ?? []) }
  }

  function shownChat(chat: ChatRow): Chat {
    const { leafId: _, ...shown } = chat
    const { nodes, rows } = branchOf(chat, journal.leafOf(chat))
    const siblings = siblingsById(nodes)
    return { ...shown, messages: rows.map((row) => ({ ...row, siblingIds: siblings.get(row.id) ?? [row.id] })) }
  }

  function shownMessage(row: MessageRow): Message {
    return { ...row, siblingIds: siblingsById(journal.nodes(row.chatId)).get(row.id) ?? [row.id] }
  }

  function newMessage(fields: Pick<MessageRow, 'chatId' | 'parentId' | 'role' | 'content' | 'status' | 'modelName'>): MessageRow {
    return { id: randomUUID(), createdAtMs: clock.now(), finishReason: null, stats: null, error: null, hasTokens: false, ...fields }
  }

  function messageOf(chat: ChatRow, messageId: string, role: MessageRow['role']): MessageRow {
    const row = journal.messages([messageId]).get(messageId)
    if (row?.chatId !== chat.id) throw serviceError('chats/message-not-found', { messageId })
    if (row.role !== role) throw serviceError('chats/wrong-role', { messageId, role: row.role, needed: role })
    return row
  }

  /** A title that cannot be saved costs nothing: the next question gives one. */
  function giveTitle(chatId: string, title: string): void {
    try {
      store.rename(chatId, title)
    } catch (failure) {
      log.warn('a chat could not be given its title', { chatId, failure: String(failure) })
    }
  }

  function recordOf(messageId: string): StoredRecord | null {
    const bytes = store.record(messageId)
    return bytes === null ? null : unpackRecord(bytes)
  }

  /** What a continued or branched reply begins with, or null for one that is written anew. */
  function beginning(chat: ChatRow, action: ReplyAction): ReplyBeginning | null {
    if (action.kind !== 'continue' && action.kind !== 'branch') return null
    const row = messageOf(chat, action.messageId, 'assistant')
    const tokens = recordOf(row.id)?.tokens ?? []
    if (action.kind === 'continue')
      return { row, prefix: row.content === '' ? null : wholePrefix(row.content, tokens), tokens: tokens.filter(({ special }) => !special) }
    const branch = branchPrefix(tokens, action)
    if (branch === null) throw serviceError('chats/no-such-token', { messageId: row.id, token: action.token })
    return { row: null, prefix: branch.prefix, tokens: branch.kept }
  }

  /** The user message that is to be answered; a new one is stored and told. */
  function question(chat: ChatRow, action: ReplyAction, emit: (event: ReplyEvent) => void): string {
    if (action.kind === 'regenerate' || action.kind === 'continue' || action.kind === 'branch') {
      const { parentId } = messageOf(chat, action.messageId, 'assistant')
      if (parentId === null) throw serviceError('chats/message-not-found', { messageId: action.messageId })
      return parentId
    }
    const parentId = action.kind === 'edit' ? messageOf(chat, action.messageId, 'user').parentId : journal.leafOf(chat)
    const row = newMessage({ chatId: chat.id, parentId, role: 'user', content: action.content, status: 'complete', modelName: null })
    const unsaved = journal.save(row)
    journal.showLeaf(chat.id, row.id, row.createdAtMs)
    if (unsaved === null && chat.title === '') giveTitle(chat.id, titleFrom(action.content))
    emit({ type: 'question', message: shownMessage({ ...row, error: unsaved }) })
    return row.id
  }

  async function answer(
    chat: ChatRow,
    options: { readonly action: ReplyAction; readonly emit: (event: ReplyEvent) => void; readonly signal: AbortSignal },
  ): Promise<void> {
    const { emit, signal } = options
    const begun = beginning(chat, options.action)
    const parentId = question(chat, options.action, emit)
    // Storing a long question and reading a long chat are two turns of the event loop.
    await setImmediate()
    const fallback = defaults()
    const messages = promptMessages(branchOf(chat, parentId).rows, chat.systemPrompt ?? fallback.systemPrompt)
    const fresh = newMessage({
      chatId: chat.id,
      parentId,
      role: 'assistant',
      content: begun?.prefix?.text ?? '',
      status: 'streaming',
      modelName: engine.expectedModelName(),
    })
    // A reply that goes on stays the message that it is.
    const row: MessageRow = begun?.row ? { ...begun.row, status: 'streaming', finishReason: null, error: null } : fresh
    journal.save(row)
    journal.showLeaf(chat.id, row.id, row.createdAtMs)
    emit({ type: 'started', message: shownMessage(row) })
    await runReply({
      row,
      messages,
      prefix: begun?.prefix ?? null,
      tokensBefore: begun?.tokens ?? [],
      store,
      sampling: chat.sampling ?? fallback.sampling,
      engine,
      journal,
      emit,
      shown: shownMessage,
      clock,
      log,
      signal,
    })
  }

  return {
    list: store.list,
    create: () => {
      const now = clock.now()
      const chat: ChatRow = {
        id: randomUUID(),
        title: '',
        createdAtMs: now,
        updatedAtMs: now,
        systemPrompt: null,
        sampling: null,
        leafId: null,
      }
      store.insertChat(chat)
      return shownChat(chat)
    },
    get: (chatId) => shownChat(chatRow(chatId)),
    rename: (chatId, title) => store.rename(chatRow(chatId).id, title.trim()),
    moveToTrash: (chatId) => {
      running.get(chatId)?.stop.abort()
      if (!store.setDeleted(chatId, clock.now())) throw serviceError('chats/not-found', { chatId })
    },
    restore: (chatId) => {
      if (!store.setDeleted(chatId, null)) throw serviceError('chats/not-found', { chatId })
    },
    configure: (chatId, change) => {
      store.configure(chatRow(chatId).id, change)
      return shownChat(chatRow(chatId))
    },
    selectBranch: (chatId, messageId) => {
      const chat = chatRow(chatId)
      if (running.has(chatId)) throw serviceError('chats/busy', { chatId })
      const nodes = journal.nodes(chatId)
      if (!nodes.some(({ id }) => id === messageId)) throw serviceError('chats/message-not-found', { messageId })
      const leafId = newestLeafUnder(nodes, messageId)
      journal.showLeaf(chatId, leafId, chat.updatedAtMs)
      return shownChat({ ...chat, leafId })
    },
    reply: async ({ chatId, action, emit, signal }) => {
      const chat = chatRow(chatId)
      if (running.has(chatId)) throw serviceError('chats/busy', { chatId })
      const stop = new AbortController()
      const done = answer(chat, { action, emit, signal: AbortSignal.any([signal, stop.signal]) })
      const mine: Running = { stop, done }
      running.set(chatId, mine)
      try {
        await done
      } finally {
        running.delete(chatId)
      }
    },
    stop: (chatId) => running.get(chatId)?.stop.abort(),
    contextUse: async (chatId, draft) => {
      const fallback = defaults()
      const chat = chatId === null ? null : chatRow(chatId)
      const branch = chat === null ? [] : branchOf(chat, journal.leafOf(chat)).rows
      const withDraft = draft === '' ? branch : [...branch, { role: 'user' as const, content: draft }]
      return await engine.countTokens(promptMessages(withDraft, chat?.systemPrompt ?? fallback.systemPrompt))
    },
    tokens: (chatId, messageId) => recordOf(messageOf(chatRow(chatId), messageId, 'assistant').id)?.tokens ?? null,
    prompt: async ({ chatId, messageId, draft }) => {
      const chat = chatId === null ? null : chatRow(chatId)
      const reply = chat === null || messageId === null ? null : messageOf(chat, messageId, 'assistant')
      const kept = reply === null ? null : (recordOf(reply.id)?.prompt ?? null)
      if (kept !== null) return { ...kept, asSent: true }
      const leafId = reply === null ? (chat === null ? null : journal.leafOf(chat)) : reply.parentId
      const branch = chat === null ? [] : branchOf(chat, leafId).rows
      const withDraft = draft === '' || reply !== null ? branch : [...branch, { role: 'user' as const, content: draft }]
      return { ...(await engine.prompt(promptMessages(withDraft, chat?.systemPrompt ?? defaults().systemPrompt))), asSent: false }
    },
    close: async () => {
      stopTrash()
      for (const { stop } of running.values()) stop.abort()
      await Promise.allSettled([...running.values()].map(({ done }) => done))
      journal[Symbol.dispose]()
      store[Symbol.dispose]()
    },
  }
}

/** True when a process with this id runs; another's process counts as running too. */
function isAlive(pid: number): boolean {
  if (pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (failure) {
    return failure instanceof Error && 'code' in failure && failure.code === 'EPERM'
  }
}
