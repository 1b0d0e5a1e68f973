// What a row of the table of families says: how config.json is read, how the decoder is put together, what its tensors are called. A row is data and can be written as JSON.

/** A size of the decoder that other rules may refer to. */
export type SizeName = 'hiddenSize' | 'numAttentionHeads' | 'headDim' | 'intermediateSize' | 'numHiddenLayers'

/** Names of one field, in the order they are tried; `a.b` is field b of the object a. */
export type FieldNames = string | readonly string[]

/** A number that is fixed (null: none), or read from a field. Without a default the field must be there. */
export type NumberRule =
  | number
  | null
  | {
      readonly field: FieldNames
      readonly default?: number | null | { readonly times: number; readonly size: SizeName }
      /** The number is used as 1 / value, 1 / sqrt(value), value / 2: how some families write their scale or width. */
      readonly as?: 'inverse' | 'inverse-square-root' | 'half'
      /** The number is divided by a size, or by the square root of one. */
      readonly over?: SizeName
      readonly overRootOf?: SizeName
    }

/** A switch that is fixed or read from a field; with `equals` it is on where the field has that value. */
export type FlagRule = boolean | { readonly field: FieldNames; readonly default: boolean; readonly equals?: string | number }

/** Norm of the hidden states. `plusOne`: the stored weight is the difference from one. `weight: false`: there is none. */
interface NormRules {
  readonly kind: 'rms' | 'layer'
  readonly plusOne: boolean
  readonly weight: boolean
  readonly bias: FlagRule
  readonly eps: NumberRule
}

/** Which layers have a window when `layer_types` does not say: all, those that do not rotate, all but every nth, those from an index on, or those that GPT-Neo's list calls local. */
type WindowPattern =
  'all' | 'without-rope' | { readonly fullEvery: NumberRule } | { readonly from: NumberRule } | { readonly listed: string }

/** Sliding windows: a token sees itself and the `size - 1` before it. */
interface WindowRules {
  readonly size: NumberRule
  readonly enabled: FlagRule
  readonly layers: WindowPattern
}

/** Rotary positions. `layers`: all, those with a window, those with a window where the model has any, or as `no_rope_layers` says. */
interface RopeRules {
  readonly theta: number
  readonly thetaFields: FieldNames
  /** What the base is multiplied with (ChatGLM). */
  readonly thetaTimes: NumberRule
  /** Share of each head that is rotated; null where the architecture rotates all of it. */
  readonly partial: NumberRule
  /** Rotated dimensions as a number, where the family counts them so. */
  readonly dim: NumberRule
  readonly interleaved: FlagRule
  readonly layers: 'all' | 'windowed' | 'windowed-if-any' | 'no-rope-list'
  /** Where layers with a window rotate with a base of their own (null: they share the one). */
  readonly windowTheta: NumberRule
  /** Whether `alpha` of dynamic scaling raises the base (Hunyuan). */
  readonly alpha: boolean
  /** Whether queries grow with the logarithm of their position (`llama_4_scaling_beta`, Ministral 3). */
  readonly queryScaling: boolean
  /** Names of scaling kinds that mean another one in this family. */
  readonly kinds: Readonly<Record<string, string>>
  /** Whether long rotation has written magnitudes, `short_mscale` and `long_mscale` (Phi-3.5 MoE). */
  readonly mscales?: boolean
}

/** Linear biases over distance. `rounded`: distances times slopes rounded to BF16, then scaled with the scores (Falcon). */
interface AlibiRules {
  readonly maxBias: NumberRule
  /** Slopes of a number of heads that is no power of two: the smaller power's, then more; or the larger power's, every second one first (MPT). */
  readonly order: 'doubled-last' | 'odd-first'
  readonly rounded: boolean
}

/** Learned positions: the table starts `offset` rows before position 0. */
interface LearnedPositionRules {
  readonly offset: number
}

/** Norm of queries and keys: over each head, over the whole projection, or with one weight row per head (`rows`: one tensor, `separate`: a tensor per head). */
interface QueryKeyNormRules {
  readonly enabled: FlagRule
  readonly scope: 'head' | 'projection' | 'rows' | 'separate'
  readonly norm: 'own' | 'rms' | 'layer'
  readonly bias: boolean
  readonly afterRope: boolean
}

/**
 * Attention. `projection`: three matrices; one with all queries, then keys, then values; one with the queries, the key and the value of each key head side by side;
 * one of four parts with queries, then values, then keys of a quarter of the heads (CodeGen); or latent (DeepSeek). `scale` null: 1/sqrt(headDim).
 */
interface AttentionRules {
  readonly projection: 'separate' | 'concatenated' | 'grouped' | 'quarters' | 'latent'
  readonly qkvBias: FlagRule
  readonly outputBias: FlagRule
  readonly scale: NumberRule
  /** The scale is divided by the layer's number, counted from 1. */
  readonly scaleByLayer: FlagRule
  readonly softCap: NumberRule
  readonly clip: NumberRule
  readonly sinks: boolean
  readonly queryKeyNorm: QueryKeyNormRules | null
}

/** Feed-forward. `joined`: gate and up are one matrix, the gate first. */
interface FeedForwardRules {
  readonly kind: 'gated' | 'plain'
  readonly joined: boolean
  readonly activation: { readonly field: FieldNames; readonly default: string } | string
  readonly upBias: FlagRule
  readonly downBias: FlagRule
}

/** Short convolutions in place of attention (LFM2). Where `layer_types` is silent, the field `attentionLayers` lists the layers with attention. */
interface ConvolutionRules {
  readonly kernel: NumberRule
  readonly bias: FlagRule
  readonly attentionLayers: string
}

/** The width of the feed-forward is two thirds of the size in the file, times `multiplier`, rounded up to a multiple; null leaves the two thirds (LFM2). */
interface AdjustedWidthRules {
  readonly enabled: FlagRule
  readonly multiplier: NumberRule
  readonly multipleOf: NumberRule
}

/** Experts. `scoring`: softmax or sigmoid of all router scores, softmax of the chosen ones, or sparse mixing: two experts, each with its share among those within `jitter` of it (arXiv 2409.12136). */
export interface ExpertRules {
  readonly count: NumberRule
  readonly perToken: NumberRule
  readonly intermediateSize: NumberRule
  readonly scoring: 'softmax' | 'sigmoid' | 'softmax-of-chosen' | 'sparse-mixer'
  readonly jitter?: NumberRule
  readonly normalize: FlagRule
  /** Added to the sum that shares are divided by. */
  readonly smallestSum: number
  readonly scale: NumberRule
  /** A bias that only the choice looks at. */
  readonly correction: boolean
  readonly groups: {
    readonly count: NumberRule
    readonly chosen: NumberRule
    readonly score: 'max' | 'top-2-sum'
    readonly enabled: FlagRule
  } | null
  /** `separate`: a folder per expert, `{e}` its number. `stacked`: one tensor for all experts, gate and up joined. `interleaved`: gate and up columns alternate, with biases (GPT-OSS). */
  readonly storage: 'separate' | 'stacked' | 'interleaved'
  readonly routerBias: boolean
  /** Experts that see every token; `intermediateSize` is the width of all of them together. */
  readonly shared: { readonly intermediateSize: NumberRule; readonly count: NumberRule; readonly gated: boolean } | null
  /** The first layers that have none; then every `every`th, up to a last one; a field that lists exceptions, and one that says `dense` or `sparse` for each layer and wins. */
  readonly firstDense: NumberRule
  readonly every: NumberRule
  readonly exceptField: string | null
  readonly lastSparse?: NumberRule
  readonly typesField?: string
}

/** Names of tensors (null: the family has none), without the body's prefix. Those of a layer are joined to `layer`, whose `{i}` is its number. Linear parts and norms name the module. */
export interface TensorNames {
  readonly embedding: string
  readonly embeddingNorm?: string | null
  readonly positions?: string | null
  readonly projectIn?: string | null
  readonly projectOut?: string | null
  readonly finalNorm?: string | null
  readonly head: string
  readonly layer: string
  readonly beforeAttention?: string | null
  readonly afterAttention?: string | null
  readonly afterAttentionSum?: string | null
  readonly beforeFeedForward?: string | null
  readonly afterFeedForward?: string | null
  readonly afterFeedForwardSum?: string | null
  readonly query?: string | null
  readonly key?: string | null
  readonly value?: string | null
  readonly queryKeyValue?: string | null
  readonly attentionOutput: string
  /** Norms of what the output and the down projection multiply with (BitNet). */
  readonly beforeOutput?: string | null
  readonly beforeDown?: string | null
  readonly queryNorm?: string | null
  readonly keyNorm?: string | null
  readonly sinks?: string | null
  readonly latent?: {
    readonly queryDown: string
    readonly queryNorm: string
    readonly queryUp: string
    readonly keyValueDown: string
    readonly keyValueNorm: string
    readonly keyValueUp: string
  }
  readonly convolution?: { readonly input: string; readonly kernel: string; readonly output: string }
  readonly gate?: string | null
  readonly up?: string | null
  readonly down: string
  readonly gateUp?: string | null
  /** Folder of an activation with tensors of its own. */
  readonly activation?: string | null
  readonly experts?: {
    readonly router: string
    readonly correction?: string | null
    readonly gate?: string | null
    readonly up?: string | null
    readonly gateUp?: string | null
    readonly down: string
    readonly shared?: {
      readonly gate: string
      readonly up: string
      readonly gateUp?: string
      readonly down: string
      readonly weight?: string
    }
  }
}

/** What a field must be for the row to hold; anything else is refused by name. */
type RequiredValues = Readonly<Record<string, readonly (string | number | boolean | null)[]>>

/** One family. */
export interface FamilyRow {
  /** Name for people and for error sentences. */
  readonly family: string
  readonly modelTypes: readonly string[]
  /** `architectures` entries of config.json, for files without a known model_type. */
  readonly architectures: readonly string[]
  /** The object in config.json that holds the decoder's own fields, in wrappers of several models. */
  readonly nested: string | null
  readonly sizes: {
    readonly vocabSize: NumberRule
    readonly hiddenSize: NumberRule
    readonly intermediateSize: NumberRule
    readonly numHiddenLayers: NumberRule
    readonly numAttentionHeads: NumberRule
    readonly numKeyValueHeads: NumberRule
    readonly headDim: NumberRule
    readonly maxPositionEmbeddings: NumberRule
    readonly embeddingSize: NumberRule
    readonly adjustedWidth: AdjustedWidthRules | null
  }
  readonly norm: NormRules
  readonly residual: { readonly kind: 'sequential' | 'parallel'; readonly takes: 'input' | 'normed'; readonly multiplier: NumberRule }
  readonly embeddingScale: NumberRule | 'square-root-of-hidden-size'
  readonly rope: RopeRules | null
  readonly alibi: AlibiRules | null
  readonly learnedPositions: LearnedPositionRules | null
  readonly window: WindowRules | null
  /** Whether `layer_types` of config.json is looked at, or must be there. */
  readonly layerTypes: boolean | 'required'
  readonly attention: AttentionRules
  readonly latent: {
    readonly queryRank: NumberRule
    readonly keyValueRank: NumberRule
    readonly plainDim: NumberRule
    readonly valueDim: NumberRule
    readonly scaledByYarn: boolean
  } | null
  readonly convolution: ConvolutionRules | null
  readonly feedForward: FeedForwardRules
  readonly experts: ExpertRules | null
  readonly head: { readonly bias: boolean; readonly scale: NumberRule; readonly softCap: NumberRule; readonly tied: FlagRule }
  readonly tokens: { readonly bos: number | null; readonly eos: readonly number[] }
  /** How matrices inside layers are stored: [out, in], or [in, out] as GPT-2's Conv1D. */
  readonly matrixLayout: 'out-in' | 'in-out'
  readonly prefixes: readonly string[]
  readonly names: TensorNames
  /** Endings of tensor names that checkpoints of the family carry and that no decoder needs. */
  readonly ignoredTensors: readonly string[]
  /** Fields of config.json that change nothing for this family. */
  readonly ignoredFields: readonly string[]
  readonly required: RequiredValues
  /** Changes to the row where fields of config.json have these values (absent fields count as null); later ones win. */
  readonly variants: readonly { readonly when: RequiredValues; readonly row: RowChange }[]
}

type Change<T> = T extends readonly unknown[] ? T : T extends object ? { readonly [K in keyof T]?: Change<T[K]> | undefined } : T

/** A part of a row that replaces the same part of another; objects are merged, everything else is replaced. */
export type RowChange = Change<FamilyRow>
