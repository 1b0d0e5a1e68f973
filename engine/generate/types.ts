// Settings and events of generation.
import type { OutputConstraint } from './grammar/compile-constraint'

/** Sampling settings; field names follow Transformers' GenerationConfig in camelCase. `temperature` 0 means greedy. */
export interface SamplingSettings {
  readonly temperature: number
  /** 0 = off. */
  readonly topK: number
  /** 1 = off. */
  readonly topP: number
  /** 0 = off. */
  readonly minP: number
  /** 1 = off. */
  readonly repetitionPenalty: number
  /** null = a fresh seed per reply; the seed used is reported. */
  readonly seed: number | null
  readonly maxNewTokens: number | null
  readonly stop: readonly string[]
  // What follows is off where it is left out.
  readonly typicalP?: number
  readonly topH?: number
  readonly epsilonCutoff?: number
  readonly etaCutoff?: number
  readonly noRepeatNgramSize?: number
  readonly minNewTokens?: number
  readonly presencePenalty?: number
  readonly frequencyPenalty?: number
  readonly dryMultiplier?: number
  readonly dryBase?: number
  readonly dryAllowedLength?: number
  /** Texts that no repetition reaches across; a token that contains one is a border. */
  readonly drySequenceBreakers?: readonly string[]
  readonly xtcProbability?: number
  readonly xtcThreshold?: number
  /** 2 = mirostat 2, in place of the filters. */
  readonly mirostat?: number
  readonly mirostatTau?: number
  readonly mirostatEta?: number
  readonly dynamicTemperatureRange?: number
  readonly dynamicTemperatureExponent?: number
  readonly logitBias?: readonly (readonly [id: number, bias: number])[]
  /** The form that the whole reply must have. */
  readonly constraint?: OutputConstraint | null
}

/** A token and the natural logarithm of its probability before any setting changed it. */
export interface TokenLogprob {
  readonly id: number
  readonly logprob: number
}

/** Why a reply ended. 'stop' is an end-of-turn id, 'context' the context window's end. */
export type FinishReason = 'stop' | 'stop-string' | 'length' | 'context' | 'cancelled'

/** Numbers of one reply. Rates are tokens per second; ttft is from the call to the first token. */
export interface GenerationStats {
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly completionTokens: number
  readonly ttftMs: number
  readonly prefillTokensPerSecond: number
  readonly tokensPerSecond: number
  readonly totalMs: number
  readonly seed: number
}

/** Events of generate(), in order: prefill*, (token?, delta?)*, finished. */
export type GenerateEvent =
  | { readonly type: 'prefill'; readonly doneTokens: number; readonly totalTokens: number }
  | { readonly type: 'delta'; readonly text: string; readonly id: number }
  | ({
      /** One token of the reply, the one that ends the turn too; only where log-probabilities were asked for. */
      readonly type: 'token'
      /** What it added to the text; '' while a character is incomplete, and for the end of the turn. */
      readonly text: string
      /** The likeliest tokens, in descending order; the chosen one is among them only where it is one of them. */
      readonly alternatives: readonly TokenLogprob[]
    } & TokenLogprob)
  | {
      readonly type: 'finished'
      readonly finishReason: FinishReason
      /** The stop string that ended it, if any. */
      readonly stopString: string | null
      readonly text: string
      readonly ids: readonly number[]
      readonly stats: GenerationStats
    }
