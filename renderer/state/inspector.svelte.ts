// The checkpoint that is looked into: its summary, the visible part of its tree of tensors, and one tensor's statistics.
import type { CheckpointSummary, ContractError, TensorRow, TensorStatistics, TokenizerSummary } from '../../preload/contract'
import type { Client } from '../api/client'
import { toContractError } from '../api/failure'

/** Rows asked for at once: a few screens, so that scrolling seldom waits. */
const PAGE_ROWS = 200
/** A tree of this many tensors is shown open: it fits on a screen or two. */
const OPEN_BELOW = 40
/** Typing is answered after this pause. */
const SEARCH_PAUSE_MS = 120

/** What is known of the chosen tensor. */
export type TensorDetail =
  | { readonly status: 'reading'; readonly name: string; readonly fraction: number }
  | { readonly status: 'ready'; readonly name: string; readonly statistics: TensorStatistics }
  | { readonly status: 'failed'; readonly name: string; readonly error: ContractError }

/** Looks into one checkpoint at a time. */
export class Inspector {
  #path = $state<string | null>(null)
  #summary = $state.raw<CheckpointSummary | null>(null)
  #error = $state.raw<ContractError | null>(null)
  #tokenizer = $state.raw<TokenizerSummary | null>(null)
  /** The upload that the path belongs to, null for a path of this machine. */
  #uploadId = $state<string | null>(null)
  #query = $state('')
  #open = $state(false)
  #toggled = $state.raw<readonly string[]>([])
  #totalRows = $state(0)
  #matching = $state(0)
  #pages = $state.raw<Readonly<Record<number, readonly TensorRow[]>>>({})
  #rowsError = $state.raw<ContractError | null>(null)
  #detail = $state.raw<TensorDetail | null>(null)
  readonly #client: Client
  /** Rises whenever the rows mean something else; answers to older questions are dropped. */
  #version = 0
  readonly #asked: Record<number, number> = {}
  #typing: ReturnType<typeof setTimeout> | undefined
  #reading = new AbortController()

  constructor(client: Client) {
    this.#client = client
  }

  get path(): string | null {
    return this.#path
  }
  get summary(): CheckpointSummary | null {
    return this.#summary
  }
  get error(): ContractError | null {
    return this.#error
  }
  /** Null until it has been read. */
  get tokenizer(): TokenizerSummary | null {
    return this.#tokenizer
  }
  get uploadId(): string | null {
    return this.#uploadId
  }
  get query(): string {
    return this.#query
  }
  get totalRows(): number {
    return this.#totalRows
  }
  get matching(): number {
    return this.#matching
  }
  get rowsError(): ContractError | null {
    return this.#rowsError
  }
  get detail(): TensorDetail | null {
    return this.#detail
  }

  /** The row at a place, undefined until it has come. */
  rowAt(index: number): TensorRow | undefined {
    return this.#pages[Math.floor(index / PAGE_ROWS)]?.[index % PAGE_ROWS]
  }

  /** Looks into what lies at a path. */
  async show(path: string, uploadId: string | null = null): Promise<void> {
    this.close()
    this.#path = path
    this.#uploadId = uploadId
    const version = ++this.#version
    try {
      const summary = await this.#client.call('checkpoint.inspect', { path })
      if (version !== this.#version) return
      this.#summary = summary
      this.#open = summary.tensorCount < OPEN_BELOW
      void this.#readTokenizer(path)
      await this.#refresh()
    } catch (thrown) {
      if (version === this.#version) this.#error = toContractError(thrown)
    }
  }

  /** Looks away. An upload that nobody kept is removed by its owner. */
  close(): void {
    this.#version += 1
    this.#reading.abort()
    clearTimeout(this.#typing)
    this.#path = null
    this.#uploadId = null
    this.#summary = null
    this.#tokenizer = null
    this.#error = null
    this.#detail = null
    this.#rowsError = null
    this.#query = ''
    this.#toggled = []
    this.#pages = {}
    this.#totalRows = 0
    this.#matching = 0
  }

  /** Shows what holds all words of the query; everything that is found lies open. */
  search(query: string): void {
    const began = this.#query === ''
    this.#query = query
    if (began !== (query === '')) {
      this.#toggled = []
      this.#open = query !== '' || (this.#summary?.tensorCount ?? 0) < OPEN_BELOW
    }
    clearTimeout(this.#typing)
    this.#typing = setTimeout(() => void this.#refresh(), SEARCH_PAUSE_MS)
  }

  /** Opens a closed group, or closes an open one. */
  async toggle(prefix: string): Promise<void> {
    this.#toggled = this.#toggled.includes(prefix) ? this.#toggled.filter((each) => each !== prefix) : [...this.#toggled, prefix]
    await this.#refresh()
  }

  /** Opens or closes every group. */
  async setAll(open: boolean): Promise<void> {
    this.#open = open
    this.#toggled = []
    await this.#refresh()
  }

  /** Fetches the rows of a stretch that are not there yet. */
  need(first: number, last: number): void {
    for (let page = Math.floor(Math.max(0, first) / PAGE_ROWS); page <= Math.floor(last / PAGE_ROWS); page += 1) void this.#fetch(page)
  }

  /** Reads a tensor and shows its statistics; null closes them. */
  async select(name: string | null): Promise<void> {
    this.#reading.abort()
    const path = this.#path
    if (name === null || path === null) {
      this.#detail = null
      return
    }
    const reading = new AbortController()
    this.#reading = reading
    this.#detail = { status: 'reading', name, fraction: 0 }
    try {
      for await (const event of this.#client.stream('checkpoint.statistics', { path, name }, reading.signal)) {
        if (reading.signal.aborted) return
        if (event.type === 'done') this.#detail = { status: 'ready', name, statistics: event.statistics }
        else this.#detail = { status: 'reading', name, fraction: event.totalBytes === 0 ? 0 : event.doneBytes / event.totalBytes }
      }
    } catch (thrown) {
      if (!reading.signal.aborted) this.#detail = { status: 'failed', name, error: toContractError(thrown) }
    }
  }

  /** A large vocabulary takes a moment; everything else is shown meanwhile. */
  async #readTokenizer(path: string): Promise<void> {
    let found: TokenizerSummary
    try {
      found = await this.#client.call('checkpoint.tokenizer', { path })
    } catch (thrown) {
      found = { tokenizer: null, template: null, problem: toContractError(thrown) }
    }
    if (this.#path === path) this.#tokenizer = found
  }

  async #refresh(): Promise<void> {
    this.#version += 1
    await this.#fetch(0)
  }

  async #fetch(page: number): Promise<void> {
    const version = this.#version
    const path = this.#path
    if (path === null || this.#asked[page] === version) return
    this.#asked[page] = version
    try {
      const answer = await this.#client.call('checkpoint.rows', {
        path,
        query: this.#query,
        open: this.#open,
        toggled: [...this.#toggled],
        offset: page * PAGE_ROWS,
        limit: PAGE_ROWS,
      })
      if (version !== this.#version) return
      this.#pages = { ...(page === 0 ? {} : this.#pages), [page]: answer.rows }
      this.#totalRows = answer.totalRows
      this.#matching = answer.tensors
      this.#rowsError = null
    } catch (thrown) {
      if (version !== this.#version) return
      this.#asked[page] = -1
      this.#rowsError = toContractError(thrown)
    }
  }
}
