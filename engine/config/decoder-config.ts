// DecoderConfig: what the graph, the planner and the runtime need to know of a decoder; made from config.json and the family's row in one place (read-config.ts).
import type { TensorNames } from './families/types'

/** Dtype names as safetensors writes them. */
export type WeightDtype = 'F32' | 'F16' | 'BF16'

/** Rotary scaling, parameters as in Transformers' `rope_parameters` (modeling_rope_utils). */
export type RopeScaling =
  | { readonly kind: 'default' }
  | { readonly kind: 'linear'; readonly factor: number }
  | {
      readonly kind: 'dynamic'
      readonly factor: number
      readonly originalMaxPositionEmbeddings: number
      /** Up to the original length the base is theta * alpha^(dim / (dim - 2)); null where the family has none (Hunyuan has). */
      readonly alpha: number | null
    }
  | {
      readonly kind: 'llama3'
      readonly factor: number
      readonly lowFreqFactor: number
      readonly highFreqFactor: number
      readonly originalMaxPositionEmbeddings: number
    }
  | {
      readonly kind: 'yarn'
      readonly factor: number
      readonly originalMaxPositionEmbeddings: number
      readonly betaFast: number
      readonly betaSlow: number
      readonly attentionFactor: number | null
      readonly mscale: number | null
      readonly mscaleAllDim: number | null
      readonly truncate: boolean
    }
  | {
      readonly kind: 'longrope'
      readonly originalMaxPositionEmbeddings: number
      /** [dim / 2] each: for sequences up to the original length, and beyond it. */
      readonly shortFactor: readonly number[]
      readonly longFactor: readonly number[]
      readonly attentionFactor: number
      /** That of the long factors where it differs. */
      readonly longAttentionFactor: number
    }

/** Rotary position encoding: `dim` is the number of rotated dimensions of a head (even, at most headDim); `interleaved` pairs neighbours instead of halves. */
export interface RopeConfig {
  readonly theta: number
  readonly dim: number
  readonly interleaved: boolean
  readonly scaling: RopeScaling
}

/** Feed-forward activation, one name per formula. */
export type Activation =
  | 'silu'
  | 'gelu'
  | 'gelu_pytorch_tanh'
  | 'quick_gelu'
  | 'relu'
  | 'relu2'
  | 'relu6'
  | 'leaky_relu'
  | 'tanh'
  | 'sigmoid'
  | 'mish'
  | 'linear'
  | 'xielu'

/** A norm over the last axis. `plusOne`: one is added to the stored weight. */
export interface NormConfig {
  readonly kind: 'rms' | 'layer'
  readonly plusOne: boolean
  readonly weight: boolean
  readonly bias: boolean
  readonly eps: number
}

/** Norm of queries and keys; `scope` as in the table of families. */
export interface QueryKeyNormConfig {
  readonly scope: 'head' | 'projection' | 'rows' | 'separate'
  readonly norm: NormConfig
  readonly afterRope: boolean
}

/** Latent attention (DeepSeek-V2, arXiv 2405.04434): queries and keys are `plainDim` plain dimensions and then the rotated ones; values have `valueDim`. */
export interface LatentConfig {
  readonly queryRank: number | null
  readonly keyValueRank: number
  readonly plainDim: number
  readonly valueDim: number
}

/** What is the same in the attention of all layers. */
export interface AttentionConfig {
  readonly projection: 'separate' | 'concatenated' | 'grouped' | 'quarters' | 'latent'
  readonly bias: { readonly qkv: boolean; readonly output: boolean }
  readonly softCap: number | null
  /** Projections are clipped to [-clip, clip]. */
  readonly clip: number | null
  readonly sinks: boolean
  /** Queries are multiplied with 1 + beta * log(1 + floor(position / everyTokens)). */
  readonly queryScaling: { readonly beta: number; readonly everyTokens: number } | null
  readonly queryKeyNorm: QueryKeyNormConfig | null
  readonly latent: LatentConfig | null
  /** Bias over distance: one slope per head. `rounded` as in Falcon: products rounded to BF16, then scaled like scores. */
  readonly alibi: { readonly slopes: readonly number[]; readonly rounded: boolean } | null
}

/** A dense feed-forward block. `joined`: gate and up are one matrix, the gate first. */
export interface FeedForwardConfig {
  readonly kind: 'gated' | 'plain'
  readonly joined: boolean
  readonly activation: Activation
  readonly bias: { readonly up: boolean; readonly down: boolean }
}

/** Experts of the layers that have them; the kinds are those of the table of families. */
export interface ExpertsConfig {
  readonly count: number
  readonly perToken: number
  readonly intermediateSize: number
  readonly scoring: 'softmax' | 'sigmoid' | 'softmax-of-chosen' | 'sparse-mixer'
  /** How far below the best score others may lie that share with it; null but for sparse mixing. */
  readonly jitter: number | null
  readonly normalize: boolean
  /** Added to the sum that shares are divided by. */
  readonly smallestSum: number
  readonly scale: number
  readonly correction: boolean
  readonly groups: { readonly count: number; readonly chosen: number; readonly score: 'max' | 'top-2-sum' } | null
  readonly storage: 'separate' | 'stacked' | 'interleaved'
  readonly routerBias: boolean
  readonly shared: { readonly intermediateSize: number; readonly gated: boolean } | null
}

/** What differs between layers. `rope` counts in `ropes`; `scale` multiplies the scores. */
export interface LayerConfig {
  readonly mixer: 'attention' | 'convolution'
  readonly window: number | null
  readonly rope: number | null
  readonly scale: number
  readonly feedForward: 'dense' | 'experts'
}

/** A decoder's shape and switches, checked against named limits. Counts are positive integers. */
export interface DecoderConfig {
  readonly modelType: string
  /** Name of the family for people. */
  readonly family: string
  readonly vocabSize: number
  readonly hiddenSize: number
  readonly intermediateSize: number
  readonly numHiddenLayers: number
  readonly numAttentionHeads: number
  readonly numKeyValueHeads: number
  readonly headDim: number
  readonly maxPositionEmbeddings: number
  readonly norm: NormConfig
  /** `takes` normed: the residual starts after the norm (Bloom's option). */
  readonly residual: { readonly kind: 'sequential' | 'parallel'; readonly takes: 'input' | 'normed'; readonly multiplier: number }
  /** `size` is the width of the table's rows; `positions` the learned ones. */
  readonly embedding: {
    readonly size: number
    readonly scale: number
    readonly positions: { readonly offset: number; readonly count: number } | null
  }
  readonly ropes: readonly RopeConfig[]
  readonly attention: AttentionConfig
  readonly convolution: { readonly kernel: number; readonly bias: boolean } | null
  readonly feedForward: FeedForwardConfig
  readonly experts: ExpertsConfig | null
  readonly layers: readonly LayerConfig[]
  /** Logits are multiplied by `scale`, then capped. */
  readonly head: { readonly bias: boolean; readonly scale: number; readonly softCap: number | null }
  readonly tieWordEmbeddings: boolean
  readonly matrixLayout: 'out-in' | 'in-out'
  /** Folders that the body may lie in, in the order they are tried; the head lies outside of them. */
  readonly prefixes: readonly string[]
  readonly names: TensorNames
  readonly ignoredTensors: readonly string[]
  readonly bosTokenId: number | null
  readonly eosTokenIds: readonly number[]
  readonly padTokenId: number | null
}

/** generation_config.json: defaults of the model's author; null where the file is silent. */
export interface GenerationDefaults {
  readonly doSample: boolean | null
  readonly temperature: number | null
  readonly topK: number | null
  readonly topP: number | null
  readonly minP: number | null
  readonly repetitionPenalty: number | null
  readonly maxNewTokens: number | null
  readonly eosTokenIds: readonly number[]
  readonly bosTokenId: number | null
  readonly padTokenId: number | null
}
