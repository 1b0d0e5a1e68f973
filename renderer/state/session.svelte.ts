// Everything the window holds on to, wired together once.
import type { AppInfo, ContractError, Message, ModelEntry } from '../../preload/contract'
import type { Client } from '../api/client'
import { describeError, t } from '../lib/i18n/texts'
import { recall, remember } from '../lib/remembered'
import { ChatList } from './chat-list.svelte'
import { Connection } from './connection.svelte'
import { Conversations } from './conversations.svelte'
import { EngineStatus } from './engine-status.svelte'
import { Library } from './library.svelte'
import { Navigation } from './navigation.svelte'
import { Opening } from './opening.svelte'
import { Planner } from './planner.svelte'
import { SettingsState } from './settings.svelte'
import { Toasts } from './toasts.svelte'

/** Under this name the window keeps the chat that it shows. */
const LAST_CHAT = 'chat'

/** A reply longer than this is announced to screen readers by its beginning. */
const ANNOUNCED_CHARS = 1_500

/** The window's state and the orders that touch several parts of it. */
export class Session {
  readonly client: Client
  readonly connection: Connection
  readonly settings: SettingsState
  readonly engine: EngineStatus
  readonly library: Library
  readonly chats: ChatList
  readonly conversations: Conversations
  readonly planner: Planner
  readonly opening: Opening
  readonly navigation = new Navigation()
  readonly toasts = new Toasts()
  #info = $state.raw<AppInfo | null>(null)
  #announcement = $state('')
  readonly #lifetime = new AbortController()

  constructor(client: Client) {
    this.client = client
    this.settings = new SettingsState(client)
    this.engine = new EngineStatus(client)
    this.library = new Library(client)
    this.chats = new ChatList(client)
    this.planner = new Planner(client)
    this.conversations = new Conversations(client, {
      changed: () => void this.chats.refresh(),
      replied: (reply) => this.#announce(reply),
    })
    this.opening = new Opening(this.library, {
      openModel: (model) => void this.chatWith(model),
      showModels: () => (this.navigation.view = 'models'),
    })
    this.connection = new Connection(client, () => void this.#read())
  }

  /** null until the host answered. */
  get info(): AppInfo | null {
    return this.#info
  }

  /** What screen readers are told next. */
  get announcement(): string {
    return this.#announcement
  }

  /** Reads everything and follows the engine until the session is disposed. */
  start(): void {
    void this.engine.watch(this.#lifetime.signal)
    const chatId = recall('window', LAST_CHAT)
    if (chatId !== null) this.conversations.open(chatId)
    void this.#read()
  }

  /** Notes which chat a reload of the window returns to. */
  noteChat(chatId: string | null): void {
    remember('window', LAST_CHAT, chatId)
  }

  /** Loads a model and goes to the chat. */
  async chatWith(model: ModelEntry): Promise<void> {
    this.navigation.view = 'chat'
    if (this.engine.model?.modelId !== model.id) await this.engine.load(model.id)
  }

  /** Moves a conversation to the trash and offers to take it back. */
  async deleteChat(chatId: string, title: string): Promise<void> {
    await this.conversations.close(chatId)
    const error = await this.chats.remove(chatId)
    if (error !== null) {
      this.tell(error)
      return
    }
    this.toasts.show({
      text: t('chats.deleted', { title }),
      tone: 'plain',
      action: { label: t('common.undo'), run: () => void this.#restoreChat(chatId) },
    })
  }

  /** Opens a link outside the app; the host checks it once more. */
  async openLink(url: string): Promise<void> {
    if (this.#info?.can.openExternal !== true) {
      window.open(url, '_blank', 'noopener,noreferrer')
      return
    }
    try {
      await this.client.call('app.openExternal', { url })
    } catch {
      this.toasts.show({ text: url, tone: 'danger', action: null })
    }
  }

  /** Lets the person choose a folder of models: natively where the host can, otherwise by its path. */
  async addFolder(): Promise<void> {
    if (this.#info?.can.chooseFolder !== true) {
      this.opening.ask('add', '')
      return
    }
    const path = await this.client.call('app.chooseFolder', {}).catch(() => null)
    if (path !== null) await this.opening.add(path)
  }

  /** Shows a failure as a notice. */
  tell(error: ContractError): void {
    this.toasts.show({ text: describeError(error), tone: 'danger', action: null })
  }

  [Symbol.dispose](): void {
    this.#lifetime.abort()
    this.connection[Symbol.dispose]()
  }

  async #restoreChat(chatId: string): Promise<void> {
    const error = await this.chats.restore(chatId)
    if (error === null) this.conversations.open(chatId)
    else this.tell(error)
  }

  async #read(): Promise<void> {
    await Promise.all([
      this.#readInfo(),
      this.settings.load(),
      this.library.refresh(),
      this.chats.refresh(),
      this.conversations.current.load(),
    ])
  }

  async #readInfo(): Promise<void> {
    this.#info = await this.client.call('app.info', {}).catch(() => this.#info)
  }

  #announce(reply: Message | null): void {
    if (reply === null) this.#announcement = t('chat.replyStarted')
    else if (reply.role === 'user') this.#announcement = ''
    else if (reply.error !== null) this.#announcement = t('chat.replyFailed', { reason: describeError(reply.error) })
    else this.#announcement = t('chat.replyFinished', { text: reply.content.slice(0, ANNOUNCED_CHARS) })
  }
}
