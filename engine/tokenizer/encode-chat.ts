// A conversation as the ids a model continues, as Transformers' apply_chat_template(tokenize=True) gives them.
import { engineError } from '../errors'
import type { ChatMessage, ChatTemplate, Tokenizer } from './types'

export interface ChatPromptOptions {
  readonly tokenizer: Tokenizer
  readonly template: ChatTemplate
  readonly messages: readonly ChatMessage[]
  /** Ends the prompt with the opening of the assistant's turn. */
  readonly addGenerationPrompt: boolean
  /** Tools as JSON schemas; a template may choose another text with them. */
  readonly tools?: readonly unknown[]
  /** Further template variables, such as `enable_thinking`. */
  readonly variables?: Readonly<Record<string, unknown>>
}

/**
 * Renders the conversation and encodes it. The template writes the special tokens, so none are added and a begin token is never doubled.
 * Throws "template/empty-conversation", "template/raised", "template/failed", "template/limit-exceeded" and what `encode` throws.
 */
export function encodeChat(options: ChatPromptOptions): { readonly text: string; readonly ids: number[] } {
  const { tokenizer, template, messages, addGenerationPrompt, tools, variables } = options
  if (messages.length === 0) throw engineError('template/empty-conversation', { source: template.source })
  // Transformers defines `tools` and `documents` for every template, as None where there are none.
  const text = template.render({
    messages,
    tools: tools ?? null,
    documents: null,
    add_generation_prompt: addGenerationPrompt,
    ...variables,
  })
  return { text, ids: tokenizer.encode(text, { addSpecial: false, parseSpecial: true }) }
}
