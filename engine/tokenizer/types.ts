// One tokenizer interface for every tokenizer file format.
import type { TemplateVariables } from './jinja/variables'

/** How a text is encoded. */
interface EncodeOptions {
  /** Adds the begin and end tokens that the tokenizer's configuration asks for. */
  readonly addSpecial: boolean
  /** Recognises special tokens written in the text; without it they are ordinary characters. */
  readonly parseSpecial: boolean
}

/** How ids become text. */
interface DecodeOptions {
  /** Leaves special (control) tokens out. */
  readonly skipSpecial: boolean
}

/** What a tokenizer was read from. */
type TokenizerKind =
  | 'sentencepiece-bpe'
  | 'sentencepiece-unigram'
  | 'sentencepiece-word'
  | 'sentencepiece-char'
  | 'tokenizer-json'
  | 'gguf'
  | 'tiktoken'
  | 'vocab-merges'
  | 'vocab-txt'
  | 'custom-python'

/** Text to ids and back, as the reference library does it. */
export interface Tokenizer {
  /** Which file the tokenizer was read from and what it holds; shown in the inspector. */
  readonly source: { readonly file: string; readonly kind: TokenizerKind }
  readonly vocabSize: number
  readonly bosTokenId: number | null
  readonly eosTokenId: number | null
  /**
   * Ids of `text`. Lone surrogates count as U+FFFD.
   * Throws "tokenizer/text-too-long", "tokenizer/segmentation-failed".
   */
  readonly encode: (text: string, options: EncodeOptions) => number[]
  /** Text of ids; an id outside the vocabulary stands for nothing. Throws "tokenizer/bad-id". */
  readonly decode: (ids: readonly number[], options: DecodeOptions) => string
  /** A decoder for ids that arrive one after the other; its deltas joined equal `decode` of all of them. */
  readonly streamDecoder: (options: DecodeOptions) => StreamDecoder
  /** The piece of an id as the vocabulary writes it, or null when the id is outside the vocabulary. */
  readonly piece: (id: number) => string | null
  readonly isSpecial: (id: number) => boolean
  /** Whether the reference library recognises special tokens in a text unasked: SentencePiece alone does not, Transformers does. */
  readonly parsesSpecialByDefault: boolean
  /** The special tokens the model's files name (`bos_token`, `eos_token`, ...), as chat templates see them. */
  readonly specialTokens: Readonly<Record<string, string>>
  /** Ends what runs beside the tokenizer, where anything does. */
  readonly [Symbol.dispose]?: () => void
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
  /** The family whose built-in template this is, because the model has none; null for the model's own. */
  readonly fallbackFamily: string | null
  /** Names of the model's templates; `default` is the one without a name. */
  readonly names: readonly string[]
  /** Texts that end a reply where the template marks turns with words instead of special tokens. */
  readonly stopStrings: readonly string[]
  /**
   * The prompt text; it already contains the special tokens the template writes. Variables may be a JSON text, which keeps 1.0 apart from 1.
   * `continue_final_message` (true, or the name of a message's field) ends the prompt inside the last message, as in Transformers.
   */
  readonly render: (variables: TemplateVariables) => string
}
