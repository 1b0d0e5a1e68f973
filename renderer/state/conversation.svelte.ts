// One conversation: its messages, the reply being written, its own settings and the context it takes.
import type {
  Chat,
  ContextUse,
  ContractError,
  Message,
  PromptView,
  ReplyEvent,
  ReplyToken,
  Sampling,
  StreamInput,
} from '../../preload/contract'
import type { Client } from '../api/client'
import { toContractError } from '../api/failure'
import { appendText, closeOpenMessages, placeMessage } from '../lib/chat/branch'
import { waitsToBeSaved } from '../lib/chat/unsaved'

/** A change in the panel is stored after this pause. */
const CONFIGURE_PAUSE_MS = 350
/** The context is measured anew after this pause in typing. */
const MEASURE_PAUSE_MS = 300
/** While messages wait to be saved, the conversation is read anew this often to see whether they were. */
const UNSAVED_PAUSE_MS = 3_000

/** What the reply is doing. */
export type ReplyPhase =
  | { readonly kind: 'none' }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'prefill'; readonly doneTokens: number; readonly totalTokens: number }
  | { readonly kind: 'writing' }

type ReplyAction = StreamInput<'chats.reply'>['action']

/** What a conversation reports to whoever lists it. */
export interface ConversationEvents {
  /** Title, order or number of messages may have changed. */
  readonly changed: () => void
  /** A reply began, or ended with this message. */
  readonly replied: (reply: Message | null) => void
}

/** A stored conversation, or a new one that is stored when the first message is sent. */
export class Conversation {
  draft = $state('')
  #chatId = $state<string | null>(null)
  #title = $state('')
  #status = $state<'loading' | 'ready' | 'failed'>('ready')
  #loadError = $state.raw<ContractError | null>(null)
  #messages = $state.raw<readonly Message[]>([])
  #phase = $state.raw<ReplyPhase>({ kind: 'none' })
  #failure = $state.raw<ContractError | null>(null)
  #systemPrompt = $state<string | null>(null)
  #sampling = $state.raw<Sampling | null>(null)
  #configureError = $state.raw<ContractError | null>(null)
  #contextUse = $state.raw<ContextUse | null>(null)
  #configureTimer: ReturnType<typeof setTimeout> | undefined
  #measureTimer: ReturnType<typeof setTimeout> | undefined
  #unsavedTimer: ReturnType<typeof setTimeout> | undefined
  #measurement = 0
  #unsavedConfiguration = false
  #abort: AbortController | null = null
  #running: Promise<unknown> | null = null
  readonly #client: Client
  readonly #events: ConversationEvents

  constructor(client: Client, options: { readonly chatId: string | null; readonly events: ConversationEvents }) {
    this.#client = client
    this.#chatId = options.chatId
    this.#events = options.events
  }

  /** null until the first message is sent. */
  get chatId(): string | null {
    return this.#chatId
  }

  get title(): string {
    return this.#title
  }

  get status(): 'loading' | 'ready' | 'failed' {
    return this.#status
  }

  get loadError(): ContractError | null {
    return this.#loadError
  }

  get messages(): readonly Message[] {
    return this.#messages
  }

  get phase(): ReplyPhase {
    return this.#phase
  }

  get replying(): boolean {
    return this.#phase.kind !== 'none'
  }

  /** Why the last order was refused before it became a message. */
  get failure(): ContractError | null {
    return this.#failure
  }

  get systemPrompt(): string | null {
    return this.#systemPrompt
  }

  get sampling(): Sampling | null {
    return this.#sampling
  }

  get configureError(): ContractError | null {
    return this.#configureError
  }

  get contextUse(): ContextUse | null {
    return this.#contextUse
  }

  /** Reads the conversation from the host. */
  async load(): Promise<void> {
    const chatId = this.#chatId
    if (chatId === null || this.replying) return
    if (this.#messages.length === 0) this.#status = 'loading'
    try {
      this.#take(await this.#client.call('chats.get', { chatId }))
      this.#loadError = null
      this.#status = 'ready'
    } catch (thrown) {
      this.#loadError = toContractError(thrown)
      this.#status = 'failed'
    }
  }

  /** Asks a question. The text returns to the draft where it was not accepted. */
  async send(content: string): Promise<void> {
    if (this.replying || content.trim() === '') return
    this.draft = ''
    const accepted = await this.#reply({ kind: 'send', content })
    if (!accepted && this.draft === '') this.draft = content
  }

  /** Writes another reply beside an existing one. */
  async regenerate(messageId: string): Promise<void> {
    if (!this.replying) await this.#reply({ kind: 'regenerate', messageId })
  }

  /** Goes on with a reply where it ended. */
  async continueReply(messageId: string): Promise<void> {
    if (!this.replying) await this.#reply({ kind: 'continue', messageId })
  }

  /** Writes another reply that begins as this one did, with another token in one place. */
  async branch(messageId: string, place: { readonly token: number; readonly alternative: number }): Promise<void> {
    if (!this.replying) await this.#reply({ kind: 'branch', messageId, ...place })
  }

  /** The tokens of a reply; null where none were kept. Throws what the call throws. */
  async tokens(messageId: string): Promise<readonly ReplyToken[] | null> {
    const chatId = this.#chatId
    return chatId === null ? null : await this.#client.call('chats.tokens', { chatId, messageId })
  }

  /** What the model got for a reply, or would get for the draft. Throws what the call throws. */
  async prompt(messageId: string | null): Promise<PromptView> {
    return await this.#client.call('chats.prompt', { chatId: this.#chatId, messageId, draft: messageId === null ? this.draft : '' })
  }

  /** Asks a changed question beside the old one. */
  async edit(messageId: string, content: string): Promise<void> {
    if (!this.replying && content.trim() !== '') await this.#reply({ kind: 'edit', messageId, content })
  }

  /** Ends the reply; what was written stays. */
  async stop(): Promise<void> {
    const chatId = this.#chatId
    if (!this.replying || chatId === null) return
    try {
      await this.#client.call('chats.stop', { chatId })
    } catch {
      // Without an answer the stream itself is closed, which stops the reply as well.
      this.#abort?.abort()
    }
  }

  /** Ends the reply and waits until it is stored. */
  async endReply(): Promise<void> {
    await this.stop()
    await this.#running
  }

  /** Shows the branch through another version of a message. */
  async selectBranch(messageId: string): Promise<void> {
    const chatId = this.#chatId
    if (this.replying || chatId === null) return
    try {
      this.#take(await this.#client.call('chats.selectBranch', { chatId, messageId }))
      this.measure()
    } catch (thrown) {
      this.#failure = toContractError(thrown)
    }
  }

  /** Changes the conversation's own settings; null returns to the defaults. Stored after a pause. */
  configure(change: { readonly systemPrompt?: string | null; readonly sampling?: Sampling | null }): void {
    if (change.systemPrompt !== undefined) this.#systemPrompt = change.systemPrompt
    if (change.sampling !== undefined) this.#sampling = change.sampling
    this.#unsavedConfiguration = true
    clearTimeout(this.#configureTimer)
    this.#configureTimer = setTimeout(() => void this.#saveConfiguration(), CONFIGURE_PAUSE_MS)
  }

  /** Takes away the notice of a refused order. */
  dismissFailure(): void {
    this.#failure = null
  }

  /** Measures after a pause how full the context is with the draft. */
  measure(): void {
    clearTimeout(this.#measureTimer)
    this.#measureTimer = setTimeout(() => void this.#measureNow(), MEASURE_PAUSE_MS)
  }

  /** Forgets the measurement, as when the model it was made with is gone. */
  forgetMeasurement(): void {
    clearTimeout(this.#measureTimer)
    this.#measurement += 1
    this.#contextUse = null
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#measureTimer)
    clearTimeout(this.#unsavedTimer)
    if (this.#unsavedConfiguration) void this.#saveConfiguration()
  }

  async #reply(action: ReplyAction): Promise<boolean> {
    const run = this.#run(action)
    this.#running = run
    return await run
  }

  async #run(action: ReplyAction): Promise<boolean> {
    this.#failure = null
    this.#phase = { kind: 'waiting' }
    this.#abort = new AbortController()
    let accepted = false
    try {
      const chatId = await this.#ensureChat()
      for await (const event of this.#client.stream('chats.reply', { chatId, action }, this.#abort.signal)) {
        accepted = true
        this.#apply(event)
      }
    } catch (thrown) {
      this.#failure = toContractError(thrown)
    }
    this.#abort = null
    this.#phase = { kind: 'none' }
    this.#messages = closeOpenMessages(this.#messages)
    this.#watchUnsaved()
    this.#events.replied(this.#messages.at(-1) ?? null)
    this.#events.changed()
    this.measure()
    return accepted
  }

  #apply(event: ReplyEvent): void {
    if (event.type === 'question') {
      this.#messages = placeMessage(this.#messages, event.message)
      this.#events.changed()
    } else if (event.type === 'started') {
      this.#messages = placeMessage(this.#messages, event.message)
      this.#events.replied(null)
    } else if (event.type === 'prefill') {
      this.#phase = { kind: 'prefill', doneTokens: event.doneTokens, totalTokens: event.totalTokens }
    } else if (event.type === 'delta') {
      if (this.#phase.kind !== 'writing') this.#phase = { kind: 'writing' }
      this.#messages = appendText(this.#messages, event.messageId, event.text)
    } else {
      this.#messages = placeMessage(this.#messages, event.message)
    }
  }

  async #ensureChat(): Promise<string> {
    if (this.#chatId === null) {
      const chat = await this.#client.call('chats.create', {})
      this.#chatId = chat.id
      this.#title = chat.title
    }
    if (this.#unsavedConfiguration) await this.#saveConfiguration()
    return this.#chatId
  }

  async #saveConfiguration(): Promise<void> {
    clearTimeout(this.#configureTimer)
    const chatId = this.#chatId
    if (chatId === null) return
    this.#unsavedConfiguration = false
    try {
      await this.#client.call('chats.configure', { chatId, systemPrompt: this.#systemPrompt, sampling: this.#sampling })
      this.#configureError = null
      this.measure()
    } catch (thrown) {
      this.#unsavedConfiguration = true
      this.#configureError = toContractError(thrown)
    }
  }

  async #measureNow(): Promise<void> {
    const measurement = ++this.#measurement
    try {
      const use = await this.#client.call('chats.contextUse', { chatId: this.#chatId, draft: this.draft })
      if (measurement === this.#measurement) this.#contextUse = use
    } catch {
      // No model, or the draft is longer than any context: the gauge then shows nothing rather than a stale number.
      if (measurement === this.#measurement) this.#contextUse = null
    }
  }

  /** Looks again after a pause whether waiting messages were saved, so that their notice goes away by itself. */
  #watchUnsaved(): void {
    clearTimeout(this.#unsavedTimer)
    if (waitsToBeSaved(this.#messages)) this.#unsavedTimer = setTimeout(() => void this.#readUnsaved(), UNSAVED_PAUSE_MS)
  }

  async #readUnsaved(): Promise<void> {
    const chatId = this.#chatId
    if (chatId === null) return
    const chat = await this.#client.call('chats.get', { chatId }).catch(() => null)
    // A reply that began meanwhile is not disturbed.
    if (chat === null || this.replying) this.#watchUnsaved()
    else this.#take(chat)
  }

  #take(chat: Chat): void {
    this.#title = chat.title
    this.#messages = closeOpenMessages(chat.messages)
    this.#watchUnsaved()
    if (this.#unsavedConfiguration) return
    this.#systemPrompt = chat.systemPrompt
    this.#sampling = chat.sampling
  }
}
