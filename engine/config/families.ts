// What differs between families in config.json, as rows: defaults of absent fields and which switches the file may set. Defaults follow the configuration classes of Transformers 5.18.

/** How a row treats a bias: read from a field (with the default of an absent one), or fixed by the architecture. */
export type BiasRule = { readonly field: string; readonly default: boolean } | { readonly fixed: boolean }

/** One family's reading of config.json. */
export interface ConfigFamily {
  /** Default of an absent num_key_value_heads; null means as many as attention heads. A null in the file always means that. */
  readonly numKeyValueHeads: number | null
  readonly maxPositionEmbeddings: number
  readonly hiddenAct: string
  readonly normEps: { readonly field: string; readonly default: number }
  readonly ropeTheta: number
  /** Whether the architecture rotates only `partial_rotary_factor` of each head. */
  readonly partialRotary: boolean
  readonly tieWordEmbeddings: boolean
  readonly qkvBias: BiasRule
  readonly outputBias: BiasRule
  readonly mlpBias: BiasRule
  readonly bosTokenId: number | null
  readonly eosTokenIds: readonly number[]
  /** Default window of an absent sliding_window; `ignored` when the architecture never looks at the field. */
  readonly slidingWindow: 'ignored' | { readonly default: number | null }
}

const llama: ConfigFamily = {
  numKeyValueHeads: null,
  maxPositionEmbeddings: 2048,
  hiddenAct: 'silu',
  normEps: { field: 'rms_norm_eps', default: 1e-6 },
  ropeTheta: 10_000,
  partialRotary: false,
  tieWordEmbeddings: false,
  qkvBias: { field: 'attention_bias', default: false },
  outputBias: { field: 'attention_bias', default: false },
  mlpBias: { field: 'mlp_bias', default: false },
  bosTokenId: 1,
  eosTokenIds: [2],
  slidingWindow: 'ignored',
}

const mistral: ConfigFamily = {
  ...llama,
  numKeyValueHeads: 8,
  maxPositionEmbeddings: 131_072,
  qkvBias: { fixed: false },
  outputBias: { fixed: false },
  mlpBias: { fixed: false },
  slidingWindow: { default: 4096 },
}

/** Rows by `model_type`. */
export const CONFIG_FAMILIES: Readonly<Record<string, ConfigFamily>> = { llama, mistral }
