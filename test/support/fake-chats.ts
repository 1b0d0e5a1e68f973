// The tree of messages in a conversation of the fake bridge. Only type imports, as its user is put into a page.
import type { Chat, ChatSummary, Message } from '../../preload/contract'

/** A message with the ids of those that could stand in its place. */
export const withSiblings = (all: readonly Message[], message: Message): Message => ({
  ...message,
  siblingIds: all.filter((other) => other.parentId === message.parentId && other.role === message.role).map((other) => other.id),
})

/** The messages from the first to a leaf. */
export const branchOf = (all: readonly Message[], leaf: Message | undefined): Message[] => {
  const branch: Message[] = []
  for (let at = leaf; at !== undefined;) {
    branch.unshift(withSiblings(all, at))
    const { parentId } = at
    at = all.find((other) => other.id === parentId)
  }
  return branch
}

/** The newest leaf below a message. */
export const leafBelow = (all: readonly Message[], from: Message): Message => {
  const child = all.findLast((other) => other.parentId === from.id)
  return child === undefined ? from : leafBelow(all, child)
}

/** A conversation as the list shows it, or null where a query finds nothing in it. */
export const summarizeChat = (chat: Chat, query: string): ChatSummary | null => {
  const hit = chat.messages.find((message) => message.content.toLowerCase().includes(query.toLowerCase()))
  if (query !== '' && hit === undefined && !chat.title.toLowerCase().includes(query.toLowerCase())) return null
  const at = hit?.content.toLowerCase().indexOf(query.toLowerCase()) ?? -1
  const snippet =
    query === '' || hit === undefined
      ? null
      : `${at > 24 ? '…' : ''}${hit.content.slice(Math.max(0, at - 24), at)}\u2068${hit.content.slice(at, at + query.length)}\u2069${hit.content.slice(at + query.length, at + 60)}`
  return { id: chat.id, title: chat.title, updatedAtMs: chat.updatedAtMs, messageCount: chat.messages.length, snippet }
}
