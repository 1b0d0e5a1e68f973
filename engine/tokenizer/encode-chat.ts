// A conversation as the ids a model continues, as Transformers' apply_chat_template(tokenize=True) gives them.
import { engineError } from '../errors'
import type { ChatMessage, ChatTemplate, Tokenizer } from './types'

export interface ChatPromptOptions extends ChatExtras {
  readonly tokenizer: Tokenizer
  readonly template: ChatTemplate
  readonly messages: readonly ChatMessage[]
  /** Ends the prompt with the opening of the assistant's turn. */
  readonly addGenerationPrompt: boolean
}

/** What a template may get beside the messages, as `apply_chat_template` of Transformers takes it. */
export interface ChatExtras {
  /** Tools as JSON schemas; a template may choose another text with them. */
  readonly tools?: readonly unknown[]
  /** Texts to answer from, `{title, text}`. */
  readonly documents?: readonly unknown[]
  /** Ends the prompt inside the last message, which the model goes on with. */
  readonly continueFinalMessage?: boolean
  /** Further template variables, such as `enable_thinking`. */
  readonly variables?: Readonly<Record<string, unknown>>
}

/**
 * Renders the conversation and encodes it. The template writes the special tokens, so none are added and a begin token is never doubled.
 * Throws "template/empty-conversation", "template/raised", "template/failed", "template/limit-exceeded", "template/cannot-continue" and what `encode` throws.
 */
export function encodeChat(options: ChatPromptOptions): { readonly text: string; readonly ids: number[] } {
  const { tokenizer, template, messages, tools, documents, variables, continueFinalMessage = false } = options
  if (messages.length === 0) throw engineError('template/empty-conversation', { source: template.source })
  // Transformers defines `tools` and `documents` for every template, as None where there are none.
  const text = template.render({
    messages,
    tools: tools ?? null,
    documents: documents ?? null,
    add_generation_prompt: options.addGenerationPrompt && !continueFinalMessage,
    continue_final_message: continueFinalMessage,
    ...variables,
  })
  return { text, ids: tokenizer.encode(text, { addSpecial: false, parseSpecial: true }) }
}
