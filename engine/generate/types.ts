// Settings and events of generation.

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

/** Events of generate(), in order: prefill*, delta*, finished. */
export type GenerateEvent =
  | { readonly type: 'prefill'; readonly doneTokens: number; readonly totalTokens: number }
  | { readonly type: 'delta'; readonly text: string; readonly id: number }
  | {
      readonly type: 'finished'
      readonly finishReason: FinishReason
      /** The stop string that ended it, if any. */
      readonly stopString: string | null
      readonly text: string
      readonly ids: readonly number[]
      readonly stats: GenerationStats
    }
