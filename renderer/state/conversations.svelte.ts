// Which conversation is open, and those whose replies go on in the background.
import type { Client } from '../api/client'
import { Conversation, type ConversationEvents } from './conversation.svelte'

/** Opens conversations; one that is replying is kept while another is shown. */
export class Conversations {
  #current: Conversation
  #kept = $state.raw<readonly Conversation[]>([])
  readonly #client: Client
  readonly #events: ConversationEvents

  constructor(client: Client, events: ConversationEvents) {
    this.#client = client
    this.#events = events
    this.#current = $state.raw(this.#make(null))
  }

  /** The conversation that is shown. */
  get current(): Conversation {
    return this.#current
  }

  /** Ids of the conversations that a reply is being written in. */
  get replyingIds(): readonly string[] {
    return [this.#current, ...this.#kept].flatMap((each) => (each.replying && each.chatId !== null ? [each.chatId] : []))
  }

  /** Shows a stored conversation. */
  open(chatId: string): void {
    if (this.#current.chatId === chatId && this.#current.status !== 'failed') return
    const running = this.#kept.find((each) => each.chatId === chatId)
    this.#show(running ?? this.#make(chatId))
    void this.#current.load()
    this.#current.measure()
  }

  /** Shows an empty conversation; one that is already empty stays with its draft. */
  startNew(): void {
    if (this.#current.chatId === null && !this.#current.replying) return
    this.#show(this.#make(null))
    this.#current.measure()
  }

  /** Ends the reply of a conversation that is to be deleted, and leaves it. */
  async close(chatId: string): Promise<void> {
    await [this.#current, ...this.#kept].find((each) => each.chatId === chatId)?.endReply()
    if (this.#current.chatId === chatId) this.startNew()
  }

  #show(next: Conversation): void {
    const left = this.#current
    this.#kept = [...this.#kept, left].filter((each) => each !== next && each.replying)
    if (!left.replying) left[Symbol.dispose]()
    this.#current = next
  }

  #make(chatId: string | null): Conversation {
    const conversation: Conversation = new Conversation(this.#client, {
      chatId,
      events: {
        changed: this.#events.changed,
        replied: (reply) => {
          if (reply !== null) this.#kept = this.#kept.filter((each) => each !== conversation)
          if (conversation === this.#current) this.#events.replied(reply)
          else if (reply !== null) conversation[Symbol.dispose]()
        },
      },
    })
    return conversation
  }
}
