// Tokens as the window shows them: those of a reply with what else was likely, and those of a prompt.

/** A token that could have come; `logprob` is the natural logarithm of its probability before any setting acted. */
export interface TokenChoice {
  readonly id: number
  /** What it adds to the text, parts of characters as <0xNN>; special tokens as the vocabulary writes them. */
  readonly text: string
  readonly logprob: number
  /** A special token; as a choice it ends the reply. */
  readonly special: boolean
}

/** A token of a reply. Its `text` is what it added: '' while a character was incomplete. */
export interface ReplyToken extends TokenChoice {
  /** The likeliest ones, in descending order. */
  readonly alternatives: readonly TokenChoice[]
}

/** A token of a prompt. */
export type PromptToken = Pick<TokenChoice, 'id' | 'text' | 'special'>

/** What a model got. */
export interface PromptView {
  readonly text: string
  readonly tokens: readonly PromptToken[]
  /** True when it was kept with the reply; otherwise it was made again, with the model and the settings of now. */
  readonly asSent: boolean
}
