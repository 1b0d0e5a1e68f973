// Messages on their way to the database: what cannot be saved (disk full, read-only, locked) stays in memory, is shown from there, and is tried again.
import type { ContractError } from '../../preload/contract'
import type { Log } from '../host'
import { contractErrorOf } from '../service-error'
import { isSavingFailure } from './database'
import type { ChatRow, MessageNode, MessageRow } from './rows'
import type { ChatStore } from './store'

/** How often kept messages are tried again while nothing else is written. */
const RETRY_MS = 5_000

/** Reads and writes messages so that nothing that was said is lost while the app runs. Dispose tries once more and stops. */
export interface MessageJournal extends Disposable {
  /** Saves, or keeps the message and returns why it could not be saved. Throws only on failures that no waiting mends. */
  readonly save: (message: MessageRow) => ContractError | null
  readonly showLeaf: (chatId: string, leafId: string, nowMs: number) => void
  readonly leafOf: (chat: ChatRow) => string | null
  readonly nodes: (chatId: string) => readonly MessageNode[]
  /** Rows by id; an unsaved one carries the reason in `error` unless it has an error of its own. */
  readonly messages: (ids: readonly string[]) => ReadonlyMap<string, MessageRow>
  readonly unsavedCount: () => number
}

interface Leaf {
  readonly leafId: string
  readonly nowMs: number
}

/** Makes the journal of one store. */
export function createJournal(options: { readonly store: ChatStore; readonly log: Log }): MessageJournal {
  const { store, log } = options
  const unsaved = new Map<string, MessageRow>()
  const leaves = new Map<string, Leaf>()
  let problem: ContractError | null = null
  let retry: NodeJS.Timeout | undefined

  /** Writes what waits, in the order it came; returns why it stopped. */
  function drain(): ContractError | null {
    try {
      for (const [id, message] of unsaved) {
        store.saveMessage(message)
        unsaved.delete(id)
      }
      for (const [chatId, { leafId, nowMs }] of leaves) {
        store.showLeaf(chatId, leafId, nowMs)
        leaves.delete(chatId)
      }
    } catch (failure) {
      if (!isSavingFailure(failure)) throw failure
      const error = contractErrorOf(failure)
      if (problem === null) log.warn('messages are kept in memory', { ...error })
      problem = error
      plan()
      return problem
    }
    if (problem !== null) log.info('the kept messages were saved')
    problem = null
    return null
  }

  function plan(): void {
    retry ??= setTimeout(() => {
      retry = undefined
      try {
        drain()
      } catch (failure) {
        log.error('kept messages could not be saved', { failure: String(failure) })
      }
    }, RETRY_MS).unref()
  }

  return {
    save: (message) => {
      unsaved.set(message.id, message)
      return drain()
    },
    showLeaf: (chatId, leafId, nowMs) => {
      leaves.set(chatId, { leafId, nowMs })
      drain()
    },
    leafOf: (chat) => leaves.get(chat.id)?.leafId ?? chat.leafId,
    nodes: (chatId) => {
      const stored = store.nodes(chatId)
      if (unsaved.size === 0) return stored
      const known = new Set(stored.map(({ id }) => id))
      return [...stored, ...[...unsaved.values()].filter((message) => message.chatId === chatId && !known.has(message.id))]
    },
    messages: (ids) => {
      const rows = new Map<string, MessageRow>()
      for (const row of store.messages(ids.filter((id) => !unsaved.has(id)))) rows.set(row.id, row)
      for (const id of ids) {
        const row = unsaved.get(id)
        if (row !== undefined) rows.set(id, { ...row, error: row.error ?? problem })
      }
      return rows
    },
    unsavedCount: () => unsaved.size,
    [Symbol.dispose]: () => {
      if (unsaved.size > 0 && drain() !== null) log.error('messages could not be saved before closing', { count: unsaved.size })
      clearTimeout(retry)
    },
  }
}
