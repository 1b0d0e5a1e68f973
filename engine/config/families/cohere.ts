// Cohere's Command R. Defaults of Transformers 5.18.
import { llama } from './llama'
import { mergeRows } from './merge-rows'

/** Cohere Command R: one layer norm for attention and feed-forward side by side, neighbours rotated. */
export const cohere = mergeRows(llama, {
  family: 'Cohere',
  modelTypes: ['cohere'],
  architectures: ['CohereForCausalLM'],
  sizes: { maxPositionEmbeddings: { field: 'max_position_embeddings', default: 8192 } },
  norm: { kind: 'layer', eps: { field: 'layer_norm_eps', default: 1e-5 } },
  residual: { kind: 'parallel' },
  rope: { theta: 500_000, interleaved: true },
  attention: {
    queryKeyNorm: { enabled: { field: 'use_qk_norm', default: false }, scope: 'rows', norm: 'layer', bias: false, afterRope: false },
  },
  feedForward: { upBias: false, downBias: false },
  head: { scale: { field: 'logit_scale', default: 0.0625 }, tied: { field: 'tie_word_embeddings', default: true } },
  tokens: { bos: 5, eos: [255_001] },
  names: { beforeFeedForward: null, queryNorm: 'self_attn.q_norm', keyNorm: 'self_attn.k_norm' },
  ignoredFields: [
    'mlp_bias',
    'layer_norm_bias',
    'use_parallel_block',
    'use_embedding_sharing',
    'rotary_pct',
    'position_embedding_type',
    'use_gated_activation',
    'order_of_interleaved_layers',
  ],
})

/** Cohere Command R7B and A: windows, positions only in the layers that have one. */
export const cohere2 = mergeRows(cohere, {
  family: 'Cohere 2',
  modelTypes: ['cohere2'],
  architectures: ['Cohere2ForCausalLM'],
  sizes: { headDim: null },
  rope: { theta: 10_000, layers: 'windowed' },
  window: {
    size: { field: 'sliding_window', default: 4096 },
    enabled: true,
    layers: { fullEvery: { field: 'sliding_window_pattern', default: 4 } },
  },
  layerTypes: true,
  attention: { queryKeyNorm: null },
})
