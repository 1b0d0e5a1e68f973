// What a row of the architecture table says: how a family's decoder is put together and what its checkpoints call the parts.

/**
 * Names of a family's tensors, without prefix. `layer` is the folder of one layer, with `{i}` for its number; the names below it are joined to it.
 * Linear parts name the module: `.weight` and, where the config asks for one, `.bias` follow.
 */
interface TensorNames {
  readonly embedding: string
  readonly finalNorm: string
  readonly head: string
  readonly layer: string
  readonly attentionNorm: string
  readonly query: string
  readonly key: string
  readonly value: string
  readonly attentionOutput: string
  readonly feedForwardNorm: string
  readonly gate: string
  readonly up: string
  readonly down: string
}

/** One family. A kind with a single member today is a switch that later families turn. */
export interface ArchitectureRow {
  /** Name for people and for error sentences. */
  readonly family: string
  /** `model_type` values of config.json. */
  readonly modelTypes: readonly string[]
  /** `architectures` entries of config.json. */
  readonly architectures: readonly string[]
  readonly norm: 'rms'
  readonly residual: 'sequential'
  readonly feedForward: 'gated'
  /** Folders that the body may lie in, in the order they are tried; the head lies outside of them. */
  readonly prefixes: readonly string[]
  readonly names: TensorNames
  /** Tensors that checkpoints of the family carry and that no decoder needs. */
  readonly ignored: readonly RegExp[]
}
