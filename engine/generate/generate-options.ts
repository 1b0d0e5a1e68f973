// What one reply is asked for with.
import type { DecoderModel } from '../runtime/model-types'
import type { StreamDecoder } from '../tokenizer/types'
import type { Clock } from './prefill'
import type { Sequence } from './sequence'
import type { SamplingSettings } from './types'
import type { Vocabulary } from './vocabulary'

/** What generation needs of a loaded model. */
export interface GenerationModel {
  readonly decoder: DecoderModel
  readonly createStreamDecoder: () => StreamDecoder
  /** Ids that end a reply. */
  readonly stopIds: ReadonlySet<number>
  /** Texts that end a reply beside the caller's own, where turns are marked with words; they do not hold for a continuation. */
  readonly stopStrings: readonly string[]
  /** Tokens that prompt and reply may have together. */
  readonly contextLength: number
  /** The tokens' texts, for grammars and DRY; what needs them is refused without. */
  readonly vocabulary?: Vocabulary
}

/** One reply. */
export interface GenerateOptions {
  readonly model: GenerationModel
  readonly promptIds: readonly number[]
  readonly settings: SamplingSettings
  /** Keeps the KV cache between calls and reuses the common beginning; without it a cache is made for this call and freed at its end. */
  readonly sequence?: Sequence
  /** The reply is the prompt's own continuation (no chat template): its first word keeps the space before it. */
  readonly continuesPrompt?: boolean
  /** The reply's beginning, which the model is to go on from; it counts as part of the reply, not of the prompt. */
  readonly prefillIds?: readonly number[]
  /** Asks for a 'token' event per token with this many alternatives (0 or more), by the model's own distribution. */
  readonly topLogprobs?: number
  /** Injected in tests. */
  readonly clock?: Clock
  readonly randomSeed?: () => number
  readonly signal?: AbortSignal
}
