// Llama and the families that differ from it in a few words. Defaults follow the configuration classes of Transformers 5.18.
import { mergeRows } from './merge-rows'
import type { FamilyRow } from './types'

/** Llama 1 to 3.3; the row that most others start from. */
export const llama: FamilyRow = {
  family: 'Llama',
  modelTypes: ['llama'],
  architectures: ['LlamaForCausalLM'],
  nested: null,
  sizes: {
    vocabSize: { field: 'vocab_size' },
    hiddenSize: { field: 'hidden_size' },
    intermediateSize: { field: 'intermediate_size' },
    numHiddenLayers: { field: 'num_hidden_layers' },
    numAttentionHeads: { field: 'num_attention_heads' },
    numKeyValueHeads: { field: 'num_key_value_heads', default: null },
    headDim: { field: 'head_dim', default: null },
    maxPositionEmbeddings: { field: 'max_position_embeddings', default: 2048 },
    embeddingSize: null,
    adjustedWidth: null,
  },
  norm: { kind: 'rms', plusOne: false, weight: true, bias: false, eps: { field: 'rms_norm_eps', default: 1e-6 } },
  residual: { kind: 'sequential', takes: 'input', multiplier: 1 },
  embeddingScale: 1,
  rope: {
    theta: 10_000,
    thetaFields: 'rope_theta',
    thetaTimes: 1,
    partial: null,
    dim: null,
    interleaved: false,
    layers: 'all',
    windowTheta: null,
    alpha: false,
    queryScaling: false,
    kinds: {},
  },
  alibi: null,
  learnedPositions: null,
  window: null,
  layerTypes: false,
  attention: {
    projection: 'separate',
    qkvBias: { field: 'attention_bias', default: false },
    outputBias: { field: 'attention_bias', default: false },
    scale: null,
    scaleByLayer: false,
    softCap: null,
    clip: null,
    sinks: false,
    queryKeyNorm: null,
  },
  latent: null,
  convolution: null,
  feedForward: {
    kind: 'gated',
    joined: false,
    activation: { field: 'hidden_act', default: 'silu' },
    upBias: { field: 'mlp_bias', default: false },
    downBias: { field: 'mlp_bias', default: false },
  },
  experts: null,
  head: { bias: false, scale: 1, softCap: null, tied: { field: 'tie_word_embeddings', default: false } },
  tokens: { bos: 1, eos: [2] },
  matrixLayout: 'out-in',
  // Without prefix: a checkpoint of the bare LlamaModel, whose head is tied.
  prefixes: ['model.', ''],
  names: {
    embedding: 'embed_tokens',
    finalNorm: 'norm',
    head: 'lm_head',
    layer: 'layers.{i}',
    beforeAttention: 'input_layernorm',
    query: 'self_attn.q_proj',
    key: 'self_attn.k_proj',
    value: 'self_attn.v_proj',
    attentionOutput: 'self_attn.o_proj',
    beforeFeedForward: 'post_attention_layernorm',
    gate: 'mlp.gate_proj',
    up: 'mlp.up_proj',
    down: 'mlp.down_proj',
  },
  // Frequencies were stored as a buffer until Transformers 4.31; they follow from the config.
  ignoredTensors: ['.rotary_emb.inv_freq'],
  ignoredFields: ['sliding_window', 'use_sliding_window', 'max_window_layers', 'layer_types'],
  required: {},
  variants: [],
}

/** Llama's layout without biases and with a window over all layers. */
export const mistral = mergeRows(llama, {
  family: 'Mistral',
  modelTypes: ['mistral'],
  architectures: ['MistralForCausalLM'],
  sizes: {
    numKeyValueHeads: { field: 'num_key_value_heads', default: 8 },
    maxPositionEmbeddings: { field: 'max_position_embeddings', default: 131_072 },
  },
  window: { size: { field: 'sliding_window', default: 4096 }, enabled: true, layers: 'all' },
  attention: { qkvBias: false, outputBias: false },
  feedForward: { upBias: false, downBias: false },
  ignoredFields: ['attention_bias', 'mlp_bias', 'use_sliding_window', 'max_window_layers', 'layer_types'],
})

/** Ministral of October 2024: windows by layer. */
export const ministral = mergeRows(mistral, {
  family: 'Ministral',
  modelTypes: ['ministral'],
  architectures: ['MinistralForCausalLM'],
  layerTypes: true,
  ignoredFields: ['attention_bias', 'mlp_bias', 'use_sliding_window', 'max_window_layers'],
})

/** Ministral 3: queries grow with the logarithm of their position. */
export const ministral3 = mergeRows(mistral, {
  family: 'Ministral 3',
  modelTypes: ['ministral3'],
  architectures: ['Ministral3ForCausalLM'],
  sizes: { maxPositionEmbeddings: { field: 'max_position_embeddings', default: 262_144 } },
  norm: { eps: { field: 'rms_norm_eps', default: 1e-5 } },
  rope: { theta: 1_000_000, queryScaling: true },
  window: { size: { field: 'sliding_window', default: null }, enabled: true, layers: 'all' },
})

const qwen2Window = {
  window: {
    size: { field: 'sliding_window', default: null },
    enabled: { field: 'use_sliding_window', default: false },
    layers: { from: { field: 'max_window_layers', default: 28 } },
  },
  layerTypes: true,
} as const

/** Qwen 1.5 to 2.5. */
export const qwen2 = mergeRows(llama, {
  family: 'Qwen2',
  modelTypes: ['qwen2'],
  architectures: ['Qwen2ForCausalLM'],
  sizes: {
    numKeyValueHeads: { field: 'num_key_value_heads', default: 32 },
    maxPositionEmbeddings: { field: 'max_position_embeddings', default: 32_768 },
  },
  ...qwen2Window,
  attention: { qkvBias: true, outputBias: false },
  feedForward: { upBias: false, downBias: false },
  tokens: { bos: null, eos: [] },
  ignoredFields: ['attention_bias', 'mlp_bias'],
})

/** Qwen 3: a norm for the queries and keys of each head. */
export const qwen3 = mergeRows(qwen2, {
  family: 'Qwen3',
  modelTypes: ['qwen3'],
  architectures: ['Qwen3ForCausalLM'],
  sizes: { headDim: { field: 'head_dim', default: 128 } },
  attention: {
    qkvBias: { field: 'attention_bias', default: false },
    outputBias: { field: 'attention_bias', default: false },
    queryKeyNorm: { enabled: true, scope: 'head', norm: 'own', bias: false, afterRope: false },
  },
  names: { queryNorm: 'self_attn.q_norm', keyNorm: 'self_attn.k_norm' },
  ignoredFields: ['mlp_bias'],
})

/** SmolLM3: some layers know no positions. */
export const smollm3 = mergeRows(llama, {
  family: 'SmolLM3',
  modelTypes: ['smollm3'],
  architectures: ['SmolLM3ForCausalLM'],
  sizes: {
    numKeyValueHeads: { field: 'num_key_value_heads', default: 4 },
    headDim: null,
    maxPositionEmbeddings: { field: 'max_position_embeddings', default: 32_768 },
  },
  rope: { theta: 2_000_000, layers: 'no-rope-list' },
  window: {
    size: { field: 'sliding_window', default: null },
    enabled: { field: 'use_sliding_window', default: false },
    layers: 'without-rope',
  },
  layerTypes: true,
  head: { tied: { field: 'tie_word_embeddings', default: true } },
  tokens: { bos: 128_000, eos: [128_001] },
  ignoredFields: [],
})
