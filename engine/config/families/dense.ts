// Further dense families, each a few words away from one before. Defaults of Transformers 5.18.
import { llama } from './llama'
import { mergeRows } from './merge-rows'

/** StableLM: layer norms, part of each head rotated. */
export const stablelm = mergeRows(llama, {
  family: 'StableLM',
  modelTypes: ['stablelm'],
  architectures: ['StableLmForCausalLM'],
  sizes: {
    numKeyValueHeads: { field: 'num_key_value_heads', default: 32 },
    maxPositionEmbeddings: { field: 'max_position_embeddings', default: 4096 },
  },
  norm: { kind: 'layer', bias: true, eps: { field: 'layer_norm_eps', default: 1e-5 } },
  rope: { partial: { field: 'partial_rotary_factor', default: 0.25 } },
  attention: {
    qkvBias: { field: 'use_qkv_bias', default: false },
    outputBias: false,
    queryKeyNorm: { enabled: { field: 'qk_layernorm', default: false }, scope: 'separate', norm: 'layer', bias: false, afterRope: false },
  },
  feedForward: { upBias: false, downBias: false },
  tokens: { bos: 0, eos: [0] },
  names: { queryNorm: 'self_attn.q_layernorm', keyNorm: 'self_attn.k_layernorm' },
  ignoredFields: ['attention_bias', 'mlp_bias', 'norm_eps', 'rope_pct'],
  variants: [{ when: { use_parallel_residual: [true] }, row: { residual: { kind: 'parallel' }, names: { beforeFeedForward: null } } }],
})

/** StarCoder2: layer norms, plain feed-forward, biases everywhere. */
export const starcoder2 = mergeRows(llama, {
  family: 'StarCoder2',
  modelTypes: ['starcoder2'],
  architectures: ['Starcoder2ForCausalLM'],
  sizes: {
    numKeyValueHeads: { field: 'num_key_value_heads', default: 2 },
    maxPositionEmbeddings: { field: 'max_position_embeddings', default: 4096 },
  },
  norm: { kind: 'layer', bias: true, eps: { field: 'norm_epsilon', default: 1e-5 } },
  window: { size: { field: 'sliding_window', default: null }, enabled: true, layers: 'all' },
  attention: { qkvBias: { field: 'use_bias', default: true }, outputBias: { field: 'use_bias', default: true } },
  feedForward: {
    kind: 'plain',
    activation: { field: 'hidden_act', default: 'gelu_pytorch_tanh' },
    upBias: { field: 'use_bias', default: true },
    downBias: { field: 'use_bias', default: true },
  },
  head: { tied: { field: 'tie_word_embeddings', default: true } },
  tokens: { bos: 50_256, eos: [50_256] },
  names: { up: 'mlp.c_fc', down: 'mlp.c_proj' },
  ignoredFields: ['attention_bias', 'mlp_bias', 'mlp_type', 'norm_type'],
})

/** OLMo 1: layer norms without weights, clipped projections. */
export const olmo = mergeRows(llama, {
  family: 'OLMo',
  modelTypes: ['olmo'],
  architectures: ['OlmoForCausalLM'],
  norm: { kind: 'layer', weight: false, eps: 1e-5 },
  attention: { clip: { field: 'clip_qkv', default: null } },
  feedForward: { upBias: false, downBias: false },
  tokens: { bos: null, eos: [50_279] },
  ignoredFields: ['mlp_bias', 'rms_norm_eps'],
})

/** OLMo 2: norms after the blocks, and over whole query and key projections. */
export const olmo2 = mergeRows(llama, {
  family: 'OLMo 2',
  modelTypes: ['olmo2'],
  architectures: ['Olmo2ForCausalLM'],
  norm: { eps: { field: 'rms_norm_eps', default: 1e-5 } },
  attention: { queryKeyNorm: { enabled: true, scope: 'projection', norm: 'own', bias: false, afterRope: false } },
  feedForward: { upBias: false, downBias: false },
  tokens: { bos: null, eos: [50_279] },
  names: {
    beforeAttention: null,
    afterAttention: 'post_attention_layernorm',
    beforeFeedForward: null,
    afterFeedForward: 'post_feedforward_layernorm',
    queryNorm: 'self_attn.q_norm',
    keyNorm: 'self_attn.k_norm',
  },
  ignoredFields: ['mlp_bias'],
})

/** OLMo 3: OLMo 2 with windows. */
export const olmo3 = mergeRows(olmo2, {
  family: 'OLMo 3',
  modelTypes: ['olmo3'],
  architectures: ['Olmo3ForCausalLM'],
  // Rotary scaling belongs to the layers without a window; those with one keep the plain frequencies.
  rope: { windowTheta: { field: 'rope_theta', default: 10_000 } },
  window: { size: { field: 'sliding_window', default: 4096 }, enabled: true, layers: { fullEvery: 4 } },
  layerTypes: true,
})

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
