// Gemma 1 to 3 and VaultGemma: norm weights as differences from one, scaled embeddings, soft caps, windows. Defaults of Transformers 5.18.
import { llama } from './llama'
import { mergeRows } from './merge-rows'

/** Gemma 1. */
export const gemma = mergeRows(llama, {
  family: 'Gemma',
  modelTypes: ['gemma'],
  architectures: ['GemmaForCausalLM'],
  sizes: {
    numKeyValueHeads: { field: 'num_key_value_heads', default: 16 },
    headDim: { field: 'head_dim', default: 256 },
    maxPositionEmbeddings: { field: 'max_position_embeddings', default: 8192 },
  },
  norm: { plusOne: true },
  embeddingScale: 'square-root-of-hidden-size',
  feedForward: { activation: { field: 'hidden_act', default: 'gelu_pytorch_tanh' }, upBias: false, downBias: false },
  head: { tied: { field: 'tie_word_embeddings', default: true } },
  tokens: { bos: 2, eos: [1] },
  ignoredFields: ['hidden_activation', 'mlp_bias', 'sliding_window', 'layer_types'],
  required: { use_bidirectional_attention: [null, false] },
})

/** Gemma 2: norms before and after each block, every second layer with a window. */
export const gemma2 = mergeRows(gemma, {
  family: 'Gemma 2',
  modelTypes: ['gemma2'],
  architectures: ['Gemma2ForCausalLM'],
  sizes: { numKeyValueHeads: { field: 'num_key_value_heads', default: 4 } },
  window: { size: { field: 'sliding_window', default: 4096 }, enabled: true, layers: { fullEvery: 2 } },
  layerTypes: true,
  attention: {
    scale: { field: 'query_pre_attn_scalar', default: 256, as: 'inverse-square-root' },
    softCap: { field: 'attn_logit_softcapping', default: 50 },
  },
  feedForward: { activation: { field: 'hidden_activation', default: 'gelu_pytorch_tanh' } },
  head: { softCap: { field: 'final_logit_softcapping', default: 30 } },
  names: {
    afterAttention: 'post_attention_layernorm',
    beforeFeedForward: 'pre_feedforward_layernorm',
    afterFeedForward: 'post_feedforward_layernorm',
  },
  ignoredFields: ['hidden_act', 'mlp_bias', 'cache_implementation'],
})

/** Gemma 3, text: norms of queries and keys, a base of its own for layers with a window. */
export const gemma3Text = mergeRows(gemma2, {
  family: 'Gemma 3',
  modelTypes: ['gemma3_text'],
  architectures: ['Gemma3ForCausalLM'],
  // Published configurations hold only what differs from the class's defaults.
  sizes: {
    vocabSize: { field: 'vocab_size', default: 262_208 },
    hiddenSize: { field: 'hidden_size', default: 2304 },
    intermediateSize: { field: 'intermediate_size', default: 9216 },
    numHiddenLayers: { field: 'num_hidden_layers', default: 26 },
    numAttentionHeads: { field: 'num_attention_heads', default: 8 },
    maxPositionEmbeddings: { field: 'max_position_embeddings', default: 131_072 },
  },
  rope: { theta: 1_000_000, windowTheta: { field: 'rope_local_base_freq', default: 10_000 } },
  window: {
    size: { field: 'sliding_window', default: 4096 },
    enabled: true,
    layers: { fullEvery: { field: 'sliding_window_pattern', default: 6 } },
  },
  attention: {
    // The modules read no cap, whatever the file says.
    softCap: null,
    queryKeyNorm: { enabled: true, scope: 'head', norm: 'own', bias: false, afterRope: false },
  },
  head: { softCap: { field: 'final_logit_softcapping', default: null } },
  names: { queryNorm: 'self_attn.q_norm', keyNorm: 'self_attn.k_norm' },
  required: { attn_logit_softcapping: [null] },
})

/** VaultGemma: Gemma 2 without the norms after the blocks. */
export const vaultGemma = mergeRows(gemma2, {
  family: 'VaultGemma',
  modelTypes: ['vaultgemma'],
  architectures: ['VaultGemmaForCausalLM'],
  names: { afterAttention: null, beforeFeedForward: 'pre_feedforward_layernorm', afterFeedForward: null },
})
