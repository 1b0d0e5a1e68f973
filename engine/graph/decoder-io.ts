// The names that a decoder graph's inputs and outputs go by; the runtime binds values to them.

/** Names of the graph's inputs and outputs. */
export const DECODER_IO = {
  /** [rows] I64 */
  inputIds: 'input_ids',
  /** [n] I64: rows that get logits; none of them skips the head. */
  logitsRows: 'logits_rows',
  /** [1] I32: total length - 1. */
  seqlensK: 'seqlens_k',
  /** [] I32: tokens in the cache after this run. */
  totalSequenceLength: 'total_sequence_length',
  /** [positions, ropes[k].dim / 2] F32; at least total length rows. One pair for each entry of the config's `ropes`. */
  cosCache: (rope: number) => (rope === 0 ? 'cos_cache' : `cos_cache.${rope}`),
  sinCache: (rope: number) => (rope === 0 ? 'sin_cache' : `sin_cache.${rope}`),
  /** [1] I64: position of the first row; an input only where `usesPositionOffset`. */
  positionOffset: 'position_offset',
  /** [n, vocabSize] F32 */
  logits: 'logits',
  pastKey: (layer: number) => `past_key_values.${layer}.key`,
  pastValue: (layer: number) => `past_key_values.${layer}.value`,
  /** [kernel - 1, hiddenSize] F32: what a short convolution looks back at; in layers that have one instead of keys and values. */
  pastConvolution: (layer: number) => `past_conv.${layer}`,
  presentConvolution: (layer: number) => `present_conv.${layer}`,
  presentKey: (layer: number) => `present.${layer}.key`,
  presentValue: (layer: number) => `present.${layer}.value`,
} as const
