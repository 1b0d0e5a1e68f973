// Further dense families, each a few words away from Llama. Defaults of Transformers 5.18.
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

/** Jais 2: layer norms, plain feed-forward, biases everywhere. */
export const jais2 = mergeRows(llama, {
  family: 'Jais 2',
  modelTypes: ['jais2'],
  architectures: ['Jais2ForCausalLM'],
  sizes: { maxPositionEmbeddings: { field: 'max_position_embeddings', default: 8192 } },
  norm: { kind: 'layer', bias: true, eps: { field: 'layer_norm_eps', default: 1e-5 } },
  attention: { qkvBias: { field: 'attention_bias', default: true }, outputBias: { field: 'attention_bias', default: true } },
  feedForward: {
    kind: 'plain',
    activation: { field: 'hidden_act', default: 'relu2' },
    upBias: { field: 'mlp_bias', default: true },
    downBias: { field: 'mlp_bias', default: true },
  },
  tokens: { bos: 0, eos: [150_024] },
})

/** BitNet: norms before the last matrix of each block. */
export const bitnet = mergeRows(llama, {
  family: 'BitNet',
  modelTypes: ['bitnet'],
  architectures: ['BitNetForCausalLM'],
  sizes: { headDim: { field: 'head_dim', default: null } },
  norm: { eps: { field: 'rms_norm_eps', default: 1e-5 } },
  feedForward: { activation: { field: 'hidden_act', default: 'relu2' }, upBias: false, downBias: false },
  tokens: { bos: 128_000, eos: [128_001] },
  names: { beforeOutput: 'self_attn.attn_sub_norm', beforeDown: 'mlp.ffn_sub_norm' },
  ignoredFields: ['mlp_bias'],
})
