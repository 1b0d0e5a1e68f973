// DecoderConfig: what the graph, the planner and the runtime need to know of a decoder; made from config.json in one place (read-config.ts).

/** Dtype names as safetensors writes them. */
export type WeightDtype = 'F32' | 'F16' | 'BF16'

/** Rotary scaling, parameters as in Transformers' `rope_parameters` (modeling_rope_utils). */
export type RopeScaling =
  | { readonly kind: 'default' }
  | { readonly kind: 'linear'; readonly factor: number }
  | { readonly kind: 'dynamic'; readonly factor: number; readonly originalMaxPositionEmbeddings: number }
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

/** Rotary position encoding: `dim` is the number of rotated dimensions of a head (even, at most headDim). */
export interface RopeConfig {
  readonly theta: number
  readonly dim: number
  readonly scaling: RopeScaling
}

/** Feed-forward activation, by the names Transformers uses in `hidden_act`. */
export type Activation = 'silu' | 'gelu' | 'gelu_pytorch_tanh' | 'relu'

/** A decoder's shape and switches, checked against named limits. Counts are positive integers. */
export interface DecoderConfig {
  readonly modelType: string
  readonly vocabSize: number
  readonly hiddenSize: number
  readonly intermediateSize: number
  readonly numHiddenLayers: number
  readonly numAttentionHeads: number
  readonly numKeyValueHeads: number
  readonly headDim: number
  readonly maxPositionEmbeddings: number
  readonly normEps: number
  readonly hiddenAct: Activation
  readonly rope: RopeConfig
  readonly tieWordEmbeddings: boolean
  readonly attentionBias: { readonly qkv: boolean; readonly output: boolean }
  readonly mlpBias: boolean
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
