// The shown branch of a conversation while events change it. Pure: messages in, messages out.
import type { Message } from '../../../preload/contract'

/** Puts a message behind its parent; what followed the parent belongs to another branch and leaves. A message that is already there is replaced. */
export function placeMessage(messages: readonly Message[], message: Message): readonly Message[] {
  const known = messages.findIndex((other) => other.id === message.id)
  if (known >= 0) return messages.with(known, message)
  const parent = messages.findIndex((other) => other.id === message.parentId)
  return [...messages.slice(0, parent + 1), message]
}

/** Adds text to a message's end. */
export function appendText(messages: readonly Message[], messageId: string, text: string): readonly Message[] {
  const index = messages.findLastIndex((message) => message.id === messageId)
  const message = messages[index]
  return message === undefined ? messages : messages.with(index, { ...message, content: message.content + text })
}

/** Marks replies that nobody writes any longer as interrupted. */
export function closeOpenMessages(messages: readonly Message[]): readonly Message[] {
  if (!messages.some((message) => message.status === 'streaming')) return messages
  return messages.map((message) => (message.status === 'streaming' ? { ...message, status: 'interrupted' } : message))
}

/** The id of the alternative before or after a message, or null at the end of the row. */
export function siblingAt(message: Message, step: -1 | 1): string | null {
  return message.siblingIds[message.siblingIds.indexOf(message.id) + step] ?? null
}
