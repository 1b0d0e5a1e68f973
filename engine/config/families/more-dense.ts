// Dense families of 2024 and later. Defaults of Transformers 5.18.
import { llama } from './llama'
import { mergeRows } from './merge-rows'

/** GLM-4 9B: neighbours rotated in half of each head, gate and up joined. */
export const glm = mergeRows(llama, {
  family: 'GLM',
  modelTypes: ['glm'],
  architectures: ['GlmForCausalLM'],
  sizes: {
    numKeyValueHeads: { field: 'num_key_value_heads', default: 2 },
    headDim: { field: 'head_dim', default: 128 },
    maxPositionEmbeddings: { field: 'max_position_embeddings', default: 131_072 },
  },
  norm: { eps: { field: 'rms_norm_eps', default: 1.5625e-7 } },
  rope: { partial: { field: 'partial_rotary_factor', default: 0.5 }, interleaved: true },
  attention: { qkvBias: { field: 'attention_bias', default: true }, outputBias: false },
  feedForward: { joined: true, upBias: false, downBias: false },
  tokens: { bos: null, eos: [151_329, 151_336, 151_338] },
  names: { gateUp: 'mlp.gate_up_proj' },
  ignoredFields: ['mlp_bias'],
})

/** GLM-4 of April 2025: norms after the blocks too. */
export const glm4 = mergeRows(glm, {
  family: 'GLM-4',
  modelTypes: ['glm4'],
  architectures: ['Glm4ForCausalLM'],
  names: { afterAttention: 'post_self_attn_layernorm', afterFeedForward: 'post_mlp_layernorm' },
})

/** Nemotron and Minitron: layer norms whose weights are differences from one, squared ReLU. */
export const nemotron = mergeRows(llama, {
  family: 'Nemotron',
  modelTypes: ['nemotron'],
  architectures: ['NemotronForCausalLM'],
  sizes: { maxPositionEmbeddings: { field: 'max_position_embeddings', default: 4096 } },
  norm: { kind: 'layer', plusOne: true, bias: true, eps: { field: 'norm_eps', default: 1e-5 } },
  rope: { partial: { field: ['partial_rotary_factor', 'rope_percent', 'rope_percentage'], default: 0.5 } },
  feedForward: { kind: 'plain', activation: { field: 'hidden_act', default: 'relu2' } },
  tokens: { bos: 2, eos: [3] },
})

/** Persimmon. */
export const persimmon = mergeRows(llama, {
  family: 'Persimmon',
  modelTypes: ['persimmon'],
  architectures: ['PersimmonForCausalLM'],
  sizes: { numKeyValueHeads: null, headDim: null, maxPositionEmbeddings: { field: 'max_position_embeddings', default: 16_384 } },
  norm: { kind: 'layer', bias: true, eps: { field: 'layer_norm_eps', default: 1e-5 } },
  rope: { partial: { field: 'partial_rotary_factor', default: 0.5 } },
  attention: {
    projection: 'grouped',
    qkvBias: true,
    outputBias: true,
    queryKeyNorm: { enabled: { field: 'qk_layernorm', default: true }, scope: 'head', norm: 'layer', bias: true, afterRope: false },
  },
  feedForward: { kind: 'plain', activation: { field: 'hidden_act', default: 'relu2' }, upBias: true, downBias: true },
  names: {
    finalNorm: 'final_layernorm',
    queryKeyValue: 'self_attn.query_key_value',
    attentionOutput: 'self_attn.dense',
    queryNorm: 'self_attn.q_layernorm',
    keyNorm: 'self_attn.k_layernorm',
    up: 'mlp.dense_h_to_4h',
    down: 'mlp.dense_4h_to_h',
  },
  ignoredFields: ['num_key_value_heads', 'attention_bias', 'mlp_bias'],
})

/** EXAONE 4: norms after the blocks, positions only in layers with a window where the model has any. */
export const exaone4 = mergeRows(llama, {
  family: 'EXAONE 4',
  modelTypes: ['exaone4'],
  architectures: ['Exaone4ForCausalLM'],
  sizes: { numKeyValueHeads: { field: 'num_key_value_heads', default: 32 } },
  norm: { eps: { field: 'rms_norm_eps', default: 1e-5 } },
  rope: { layers: 'windowed-if-any' },
  window: {
    size: { field: 'sliding_window', default: 4096 },
    enabled: true,
    layers: { fullEvery: { field: 'sliding_window_pattern', default: 4 } },
  },
  layerTypes: true,
  attention: {
    qkvBias: false,
    outputBias: false,
    queryKeyNorm: { enabled: true, scope: 'head', norm: 'own', bias: false, afterRope: false },
  },
  feedForward: { upBias: false, downBias: false },
  tokens: { bos: 0, eos: [2] },
  names: {
    beforeAttention: null,
    afterAttention: 'post_attention_layernorm',
    beforeFeedForward: null,
    afterFeedForward: 'post_feedforward_layernorm',
    queryNorm: 'self_attn.q_norm',
    keyNorm: 'self_attn.k_norm',
  },
  ignoredFields: ['attention_bias', 'mlp_bias'],
  // The published 32B writes its pattern as a word: three layers with a window, one without.
  variants: [
    {
      when: { sliding_window_pattern: ['LLLG'] },
      row: { window: { size: { field: 'sliding_window', default: 4096 }, enabled: true, layers: { fullEvery: 4 } } },
    },
  ],
})

/** ERNIE 4.5. */
export const ernie45 = mergeRows(llama, {
  family: 'ERNIE 4.5',
  modelTypes: ['ernie4_5'],
  architectures: ['Ernie4_5ForCausalLM'],
  sizes: {
    numKeyValueHeads: { field: 'num_key_value_heads', default: 2 },
    headDim: { field: 'head_dim', default: 128 },
    maxPositionEmbeddings: { field: 'max_position_embeddings', default: 131_072 },
  },
  norm: { eps: { field: 'rms_norm_eps', default: 1e-5 } },
  rope: { theta: 500_000, interleaved: true },
  attention: { qkvBias: { field: 'use_bias', default: false }, outputBias: { field: 'use_bias', default: false } },
  feedForward: { upBias: { field: 'use_bias', default: false }, downBias: { field: 'use_bias', default: false } },
  head: { tied: { field: 'tie_word_embeddings', default: true } },
  ignoredFields: ['attention_bias', 'mlp_bias'],
})

/** Hunyuan, dense: queries and keys are normed after they were rotated. */
export const hunyuanDense = mergeRows(llama, {
  family: 'Hunyuan',
  modelTypes: ['hunyuan_v1_dense'],
  architectures: ['HunYuanDenseV1ForCausalLM'],
  norm: { eps: { field: 'rms_norm_eps', default: 1e-5 } },
  rope: { alpha: true },
  attention: { queryKeyNorm: { enabled: true, scope: 'head', norm: 'own', bias: false, afterRope: true } },
  feedForward: { upBias: false, downBias: false },
  names: { queryNorm: 'self_attn.query_layernorm', keyNorm: 'self_attn.key_layernorm' },
  ignoredFields: [
    'mlp_bias',
    'use_qk_norm',
    'use_rotary_pos_emb',
    'use_cla',
    'cla_share_factor',
    'norm_type',
    'attention_head_dim',
    'position_embedding_xdrope',
    'im_start_id',
  ],
})

/** Seed-OSS. */
export const seedOss = mergeRows(llama, {
  family: 'Seed-OSS',
  modelTypes: ['seed_oss'],
  architectures: ['SeedOssForCausalLM'],
  sizes: {
    numKeyValueHeads: { field: 'num_key_value_heads', default: 8 },
    headDim: { field: 'head_dim', default: 128 },
    maxPositionEmbeddings: { field: 'max_position_embeddings', default: 524_288 },
  },
  attention: { qkvBias: { field: 'attention_bias', default: true }, outputBias: { field: 'attention_out_bias', default: false } },
  tokens: { bos: 0, eos: [2] },
})

/** Arcee AFM: Llama with a plain feed-forward and squared ReLU. */
export const arcee = mergeRows(llama, {
  family: 'Arcee',
  modelTypes: ['arcee'],
  architectures: ['ArceeForCausalLM'],
  sizes: { maxPositionEmbeddings: { field: 'max_position_embeddings', default: 4096 } },
  norm: { eps: { field: 'rms_norm_eps', default: 1e-5 } },
  feedForward: { kind: 'plain', activation: { field: 'hidden_act', default: 'relu2' } },
  tokens: { bos: 128_000, eos: [128_001] },
})

/** Helium: neighbours rotated. */
export const helium = mergeRows(llama, {
  family: 'Helium',
  modelTypes: ['helium'],
  architectures: ['HeliumForCausalLM'],
  sizes: {
    numKeyValueHeads: { field: 'num_key_value_heads', default: 20 },
    headDim: { field: 'head_dim', default: 128 },
    maxPositionEmbeddings: { field: 'max_position_embeddings', default: 4096 },
  },
  norm: { eps: { field: 'rms_norm_eps', default: 1e-8 } },
  rope: { theta: 100_000, interleaved: true },
  attention: { outputBias: false },
})

/** Apertus: norms of queries and keys, an activation with tensors of its own. */
export const apertus = mergeRows(llama, {
  family: 'Apertus',
  modelTypes: ['apertus'],
  architectures: ['ApertusForCausalLM'],
  sizes: { maxPositionEmbeddings: { field: 'max_position_embeddings', default: 65_536 } },
  norm: { eps: { field: 'rms_norm_eps', default: 1e-5 } },
  rope: { theta: 12_000_000 },
  attention: { queryKeyNorm: { enabled: true, scope: 'head', norm: 'own', bias: false, afterRope: false } },
  feedForward: { kind: 'plain', activation: { field: 'hidden_act', default: 'xielu' }, upBias: false, downBias: false },
  names: {
    activation: 'mlp.act_fn',
    beforeAttention: 'attention_layernorm',
    beforeFeedForward: 'feedforward_layernorm',
    queryNorm: 'self_attn.q_norm',
    keyNorm: 'self_attn.k_norm',
  },
  ignoredFields: ['mlp_bias', 'post_norm', 'qk_norm'],
})
