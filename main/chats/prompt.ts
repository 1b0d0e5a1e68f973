// The messages that the model is shown for a branch.
import type { ChatMessage } from '../../engine/tokenizer/types'
import type { MessageRow } from './rows'

/**
 * A branch as prompt messages, system prompt first unless it is blank. Replies without text (they failed) are left out and the questions around them joined: many
 * chat templates insist on turns that alternate.
 */
export function promptMessages(branch: readonly Pick<MessageRow, 'role' | 'content'>[], systemPrompt: string): readonly ChatMessage[] {
  const messages: ChatMessage[] = systemPrompt.trim() === '' ? [] : [{ role: 'system', content: systemPrompt }]
  for (const { role, content } of branch) {
    if (content === '') continue
    const previous = messages.at(-1)
    if (previous?.role === role) messages[messages.length - 1] = { role, content: `${previous.content}\n\n${content}` }
    else messages.push({ role, content })
  }
  return messages
}
