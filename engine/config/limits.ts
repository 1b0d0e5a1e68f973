// Limits on the numbers of config.json and generation_config.json, each with its reason.

/** An inclusive range and why it ends there. */
export interface NumberLimit {
  readonly min: number
  readonly max: number
  readonly reason: string
}

/** Limits by meaning; a number outside is a broken or hostile file, not a bigger model. */
export const CONFIG_LIMITS = {
  vocabSize: { min: 1, max: 4_194_304, reason: 'the largest public vocabularies have about one million entries' },
  hiddenSize: { min: 1, max: 131_072, reason: 'the widest public decoders have 18,432' },
  intermediateSize: { min: 1, max: 1_048_576, reason: 'eight times the largest hidden size' },
  layers: { min: 1, max: 1_024, reason: 'the deepest public decoders have 126 layers' },
  heads: { min: 1, max: 1_024, reason: 'public decoders have at most 256 heads' },
  headDim: { min: 2, max: 4_096, reason: 'public decoders have at most 512 dimensions in a head' },
  contextLength: { min: 1, max: 134_217_728, reason: 'the longest public context is about ten million tokens' },
  normEps: { min: 1e-20, max: 1, reason: 'a larger epsilon would erase the hidden states' },
  ropeTheta: { min: 1e-3, max: 1e15, reason: 'rotary bases in use lie between 1e4 and 1e9' },
  ropeFactor: { min: 1e-3, max: 1e6, reason: 'no context is scaled a million times' },
  ropeBeta: { min: 1e-6, max: 1e6, reason: 'rotations per context lie between 1 and 32 in use' },
  attentionFactor: { min: 0, max: 1e4, reason: 'cosine and sine scaled further overflow attention' },
  partialRotary: { min: 0, max: 1, reason: 'it is a share of the head' },
  multiplier: { min: -1e6, max: 1e6, reason: 'multipliers in use lie between 0.001 and 100' },
  widthMultiplier: { min: 1e-3, max: 16, reason: 'no feed-forward is sixteen times as wide as its file says' },
  convolutionKernel: { min: 2, max: 64, reason: 'public decoders look at most four tokens back' },
  softCap: { min: 1e-3, max: 1e6, reason: 'caps in use lie between 5 and 100' },
  alibiBias: { min: 1e-3, max: 1e4, reason: 'the largest bias in use is 16' },
  experts: { min: 1, max: 4_096, reason: 'public decoders have at most 512 experts' },
  ropeScale: { min: 1e-6, max: 1e6, reason: 'no frequency is scaled a million times' },
  lastLayer: { min: -1, max: 1_024, reason: 'an index of a layer, or -1 for the last' },
  jitter: { min: 0, max: 1, reason: 'it is a share of a score' },
  layerIndex: { min: 0, max: 1_024, reason: 'the deepest public decoders have 126 layers' },
  tokenId: { min: 0, max: 4_194_304, reason: 'ids lie in the vocabulary' },
  temperature: { min: 0, max: 1e6, reason: 'above, every token is equally likely' },
  probability: { min: 0, max: 1, reason: 'it is a probability' },
  topK: { min: 0, max: 4_194_304, reason: 'it counts tokens of the vocabulary' },
  penalty: { min: 1e-6, max: 1e6, reason: 'penalties in use lie around 1' },
  tokens: { min: 1, max: 134_217_728, reason: 'the longest public context is about ten million tokens' },
} as const satisfies Record<string, NumberLimit>
