// Everything the window holds on to, wired together once.
import type { AppInfo, Constraint, ContractError, ConversionJob, Message, ModelEntry } from '../../preload/contract'
import type { Client } from '../api/client'
import { toContractError } from '../api/failure'
import { copyText } from '../lib/clipboard'
import { NEEDS_CONSENT } from '../lib/describe-engine'
import type { NamedFile } from '../lib/dropped-files'
import { describeError, t } from '../lib/i18n/texts'
import { recall, remember } from '../lib/remembered'
import { ChatList } from './chat-list.svelte'
import { ConsentState } from './consent.svelte'
import { Connection } from './connection.svelte'
import { Conversations } from './conversations.svelte'
import { Conversions } from './conversions.svelte'
import { ConvertSheet } from './convert-sheet.svelte'
import { EngineStatus } from './engine-status.svelte'
import { Inspector } from './inspector.svelte'
import { LoadSheet } from './load-sheet.svelte'
import { Library } from './library.svelte'
import { Navigation } from './navigation.svelte'
import { Opening } from './opening.svelte'
import { Places } from './places.svelte'
import { Planner } from './planner.svelte'
import { Prepared } from './prepared.svelte'
import { SettingsState } from './settings.svelte'
import { Toasts } from './toasts.svelte'
import { Uploads } from './upload.svelte'

/** Under this name the window keeps the chat that it shows. */
const LAST_CHAT = 'chat'

/** A reply longer than this is announced to screen readers by its beginning. */
const ANNOUNCED_CHARS = 1_500

/** The window's state and the orders that touch several parts of it. */
export class Session {
  readonly client: Client
  readonly connection: Connection
  readonly settings: SettingsState
  readonly prepared: Prepared
  readonly engine: EngineStatus
  readonly library: Library
  readonly chats: ChatList
  readonly conversations: Conversations
  readonly planner: Planner
  readonly consent: ConsentState
  readonly opening: Opening
  readonly inspector: Inspector
  readonly sheet: ConvertSheet
  readonly loadSheet: LoadSheet
  readonly conversions: Conversions
  readonly places: Places
  readonly uploads: Uploads
  readonly navigation = new Navigation()
  readonly toasts = new Toasts()
  #info = $state.raw<AppInfo | null>(null)
  #announcement = $state('')
  readonly #lifetime = new AbortController()

  constructor(client: Client) {
    this.client = client
    this.settings = new SettingsState(client)
    this.prepared = new Prepared(client)
    this.engine = new EngineStatus(client)
    this.consent = new ConsentState({ client, settings: this.settings, engine: this.engine, onfailure: (error) => this.tell(error) })
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
      look: (path) => void this.inspect(path),
    })
    this.inspector = new Inspector(client)
    this.sheet = new ConvertSheet(client)
    this.loadSheet = new LoadSheet(client)
    this.conversions = new Conversions(client, (job) => this.#tellEnded(job))
    this.places = new Places(client)
    this.uploads = new Uploads(client)
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
    void this.conversions.watch(this.#lifetime.signal)
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

  /** Loads a model. Where its tokenizer is code that nobody has agreed to, that is asked; any other failure is told. */
  async load(modelId: string): Promise<void> {
    const error = await this.engine.load(modelId)
    if (error === null) return
    if (error.code === NEEDS_CONSENT) await this.consent.ask(modelId)
    else this.tell(error)
  }

  /** Loads the model of the sheet as was chosen there. */
  async loadChosen(): Promise<void> {
    const model = await this.loadSheet.confirm()
    if (model !== null) await this.load(model.id)
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

  /** Why a reply could not be held to this, or null. */
  async checkConstraint(constraint: Constraint): Promise<string | null> {
    try {
      await this.client.call('engine.checkConstraint', { constraint })
      return null
    } catch (thrown) {
      return describeError(toContractError(thrown))
    }
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

  /** Looks into what lies at a path. */
  async inspect(path: string, uploadId: string | null = null): Promise<void> {
    this.navigation.view = 'convert'
    const before = this.inspector.uploadId
    if (before !== null && before !== uploadId) void this.uploads.discard(before)
    await this.inspector.show(path, uploadId)
  }

  /** Goes back to the list; an upload that nobody kept goes away. */
  leaveInspector(): void {
    const { uploadId } = this.inspector
    this.inspector.close()
    if (uploadId !== null) void this.uploads.discard(uploadId)
  }

  /** Lets the person choose weight files natively. */
  async chooseFiles(): Promise<void> {
    const paths = await this.client.call('app.chooseFiles', {}).catch(() => null)
    if (paths?.[0] !== undefined) await this.opening.open(commonPath(paths))
  }

  /** Lets the person choose a folder natively, to look into it. */
  async chooseFolder(): Promise<void> {
    const path = await this.client.call('app.chooseFolder', {}).catch(() => null)
    if (path !== null) await this.opening.open(path)
  }

  /** Lets the person choose the place of a conversion's result: its name stays, its folder changes. */
  async choosePlace(): Promise<void> {
    const name = this.sheet.out.split(/[/\\]/).at(-1) ?? 'model'
    const take = (folder: string): void => {
      this.sheet.change({ out: `${folder.replace(/[/\\]+$/, '')}/${name}` })
    }
    await this.#chooseFolderFor(take)
  }

  /** Lets the person choose the folder of the tokenizer that goes with a conversion. */
  async chooseTokenizer(): Promise<void> {
    await this.#chooseFolderFor((tokenizer) => this.sheet.change({ tokenizer }))
  }

  async #chooseFolderFor(take: (folder: string) => void): Promise<void> {
    if (this.#info?.can.chooseFolder !== true) this.places.choose('folder', take)
    else {
      const folder = await this.client.call('app.chooseFolder', {}).catch(() => null)
      if (folder !== null) take(folder)
    }
  }

  /** Queues the conversion of the sheet and shows the queue. An upload stays until it is converted. */
  async startConversion(): Promise<void> {
    if (!(await this.sheet.start())) return
    this.inspector.close()
    this.navigation.view = 'convert'
  }

  /** Sends files whose paths nobody tells, then looks into them. */
  async upload(files: readonly NamedFile[]): Promise<void> {
    if (files.length === 0) return
    this.opening.close()
    this.leaveInspector()
    this.navigation.view = 'convert'
    const upload = await this.uploads.send(files)
    if (upload !== null) await this.inspect(upload.path, upload.uploadId)
  }

  /** Lists what is looked into among the models; an upload is kept first. */
  async addInspected(): Promise<void> {
    const path = await this.#keptModelPath()
    if (path !== null) await this.addModel(path)
  }

  /** Goes to a chat with what is looked into; an upload is kept first. */
  async chatWithInspected(): Promise<void> {
    const path = await this.#keptModelPath()
    if (path !== null) await this.opening.chat(path)
  }

  /** Lists a folder among the models, in place. */
  async addModel(path: string): Promise<void> {
    const error = await this.library.addFolder(path)
    if (error !== null) this.tell(error)
    else
      this.toasts.show({
        text: t('inspect.added'),
        tone: 'plain',
        action: { label: t('inspect.showModels'), run: () => (this.navigation.view = 'models') },
      })
  }

  /** Copies a path and says so; where the clipboard is refused, the notice is where it can be read. */
  async copyPath(path: string): Promise<void> {
    const text = (await copyText(path)) ? t('jobs.pathCopied', { path }) : t('jobs.pathNotCopied', { path })
    this.toasts.show({ text, tone: 'plain', action: null })
  }

  /** Shows a failure as a notice. */
  tell(error: ContractError): void {
    this.toasts.show({ text: describeError(error), tone: 'danger', action: null })
  }

  [Symbol.dispose](): void {
    this.#lifetime.abort()
    this.connection[Symbol.dispose]()
  }

  async #keptModelPath(): Promise<string | null> {
    const { uploadId, summary } = this.inspector
    if (uploadId === null) return summary?.model?.path ?? null
    try {
      const path = await this.uploads.keep(uploadId)
      await this.inspector.show(path)
      return this.inspector.summary?.model?.path ?? path
    } catch (thrown) {
      this.tell(toContractError(thrown))
      return null
    }
  }

  #tellEnded(job: ConversionJob): void {
    if (this.navigation.view === 'convert' && this.inspector.path === null) return
    const name = job.order.source.split(/[/\\]/).filter(Boolean).at(-1) ?? job.order.source
    const show = (): void => {
      this.leaveInspector()
      this.navigation.view = 'convert'
    }
    this.toasts.show({
      text: job.state === 'done' ? t('jobs.doneToast', { name }) : t('jobs.failedToast', { name }),
      tone: job.state === 'done' ? 'plain' : 'danger',
      action: { label: t('jobs.showToast'), run: show },
    })
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

/** The one path, or the folder that several files share: the shards of one model. */
function commonPath(paths: readonly string[]): string {
  const [first = ''] = paths
  if (paths.length < 2) return first
  const folder = first.replace(/[/\\][^/\\]+$/, '')
  return paths.every((path) => path.replace(/[/\\][^/\\]+$/, '') === folder) ? folder : first
}
