// One tokenizer interface for every tokenizer file format.

/** Text to ids and back, as the reference library does it. */
export interface Tokenizer {
  /** Which file the tokenizer was read from and what it holds; shown in the inspector. */
  readonly source: { readonly file: string; readonly kind: 'sentencepiece-bpe' | 'sentencepiece-unigram' | 'tokenizer-json' }
  readonly vocabSize: number
  readonly bosTokenId: number | null
  readonly eosTokenId: number | null
  /** Ids of `text`. Special tokens written in the text are recognised only with `parseSpecial`; bos/eos are added only with `addSpecial`. */
  readonly encode: (text: string, options: { readonly addSpecial: boolean; readonly parseSpecial: boolean }) => number[]
  /** Text of ids. Special (control) tokens are left out when `skipSpecial`. */
  readonly decode: (ids: readonly number[], options: { readonly skipSpecial: boolean }) => string
  /** The piece of an id as the vocabulary writes it, or null when the id is outside the vocabulary. */
  readonly piece: (id: number) => string | null
  readonly isSpecial: (id: number) => boolean
}

/** Turns a growing list of ids into text deltas that never split a character; the deltas joined equal the one-shot decode. */
export interface StreamDecoder {
  readonly push: (id: number) => string
  /** The rest that was held back. */
  readonly flush: () => string
}

/** One chat message as templates see it. */
export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  readonly content: string
}

/** A compiled chat template of a model. */
export interface ChatTemplate {
  /** Where the template came from: a file name, or the fallback family that was used because the model has none. */
  readonly source: string
  /** The prompt text; it already contains the special tokens the template writes. */
  readonly render: (variables: Readonly<Record<string, unknown>>) => string
}
