// The list of conversations, with its search.
import type { ChatSummary, ContractError } from '../../preload/contract'
import type { Client } from '../api/client'
import { toContractError } from '../api/failure'

/** Typing pauses shorter than this start no search. */
const SEARCH_PAUSE_MS = 140

/** Conversations, newest first, or the hits of a search. */
export class ChatList {
  #items = $state.raw<readonly ChatSummary[]>([])
  #status = $state<'loading' | 'ready' | 'failed'>('loading')
  #error = $state.raw<ContractError | null>(null)
  #query = $state('')
  /** The query that `items` answers, which lags behind the field. */
  #answeredQuery = $state('')
  #timer: ReturnType<typeof setTimeout> | undefined
  #request = 0
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  get items(): readonly ChatSummary[] {
    return this.#items
  }

  get status(): 'loading' | 'ready' | 'failed' {
    return this.#status
  }

  get error(): ContractError | null {
    return this.#error
  }

  get query(): string {
    return this.#query
  }

  get answeredQuery(): string {
    return this.#answeredQuery
  }

  /** Searches after a pause in typing; an empty query lists everything. */
  search(query: string): void {
    this.#query = query
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.refresh(), query === '' ? 0 : SEARCH_PAUSE_MS)
  }

  /** Reads the list anew; an answer that was overtaken by a later request is dropped. */
  async refresh(): Promise<void> {
    const request = ++this.#request
    const query = this.#query.trim()
    try {
      const items = await this.#client.call('chats.list', { query })
      if (request !== this.#request) return
      this.#items = items
      this.#answeredQuery = query
      this.#error = null
      this.#status = 'ready'
    } catch (thrown) {
      if (request !== this.#request) return
      this.#error = toContractError(thrown)
      this.#status = 'failed'
    }
  }

  /** Gives a conversation another title. */
  async rename(chatId: string, title: string): Promise<ContractError | null> {
    this.#items = this.#items.map((item) => (item.id === chatId ? { ...item, title } : item))
    return this.#order(() => this.#client.call('chats.rename', { chatId, title }))
  }

  /** Moves a conversation to the trash. */
  async remove(chatId: string): Promise<ContractError | null> {
    this.#items = this.#items.filter((item) => item.id !== chatId)
    return this.#order(() => this.#client.call('chats.delete', { chatId }))
  }

  /** Takes a conversation back from the trash. */
  async restore(chatId: string): Promise<ContractError | null> {
    return this.#order(() => this.#client.call('chats.restore', { chatId }))
  }

  async #order(order: () => Promise<null>): Promise<ContractError | null> {
    let error: ContractError | null = null
    try {
      await order()
    } catch (thrown) {
      error = toContractError(thrown)
    }
    await this.refresh()
    return error
  }
}
