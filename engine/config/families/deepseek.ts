// DeepSeek V2 and V3, other families with latent attention, and families with its experts over plain attention. Defaults of Transformers 5.18.
import { llama } from './llama'
import { mergeRows } from './merge-rows'
import type { ExpertRules } from './types'

/** DeepSeek's routing: sigmoid scores, a correction that only the choice looks at. */
export const sigmoidExperts: ExpertRules = {
  count: { field: ['n_routed_experts', 'num_local_experts'], default: null },
  perToken: { field: 'num_experts_per_tok', default: 8 },
  intermediateSize: { field: 'moe_intermediate_size', default: 2048 },
  scoring: 'sigmoid',
  normalize: { field: 'norm_topk_prob', default: true },
  smallestSum: 1e-20,
  scale: { field: 'routed_scaling_factor', default: 2.5 },
  correction: true,
  groups: { count: { field: 'n_group', default: 8 }, chosen: { field: 'topk_group', default: 4 }, score: 'top-2-sum', enabled: true },
  storage: 'separate',
  routerBias: false,
  shared: {
    intermediateSize: { field: 'moe_intermediate_size', default: 2048 },
    count: { field: 'n_shared_experts', default: 1 },
    gated: false,
  },
  firstDense: { field: 'first_k_dense_replace', default: 3 },
  every: { field: 'moe_layer_freq', default: 1 },
  exceptField: null,
}

/** Names of its experts. */
export const expertNames = {
  router: 'mlp.gate',
  correction: 'mlp.gate.e_score_correction_bias',
  gate: 'mlp.experts.{e}.gate_proj',
  up: 'mlp.experts.{e}.up_proj',
  down: 'mlp.experts.{e}.down_proj',
  shared: { gate: 'mlp.shared_experts.gate_proj', up: 'mlp.shared_experts.up_proj', down: 'mlp.shared_experts.down_proj' },
} as const

/** DeepSeek-V3 and R1. */
export const deepseekV3 = mergeRows(llama, {
  family: 'DeepSeek-V3',
  modelTypes: ['deepseek_v3'],
  architectures: ['DeepseekV3ForCausalLM'],
  sizes: { numKeyValueHeads: null, headDim: null, maxPositionEmbeddings: { field: 'max_position_embeddings', default: 4096 } },
  rope: { dim: { field: 'qk_rope_head_dim', default: 64 }, interleaved: { field: 'rope_interleave', default: true } },
  attention: {
    projection: 'latent',
    qkvBias: { field: 'attention_bias', default: false },
    outputBias: { field: 'attention_bias', default: false },
  },
  latent: {
    queryRank: { field: 'q_lora_rank', default: 1536 },
    keyValueRank: { field: 'kv_lora_rank', default: 512 },
    plainDim: { field: 'qk_nope_head_dim', default: 128 },
    valueDim: { field: 'v_head_dim', default: 128 },
    scaledByYarn: true,
  },
  feedForward: { upBias: false, downBias: false },
  experts: sigmoidExperts,
  tokens: { bos: 0, eos: [1] },
  names: {
    latent: {
      queryDown: 'self_attn.q_a_proj',
      queryNorm: 'self_attn.q_a_layernorm',
      queryUp: 'self_attn.q_b_proj',
      keyValueDown: 'self_attn.kv_a_proj_with_mqa',
      keyValueNorm: 'self_attn.kv_a_layernorm',
      keyValueUp: 'self_attn.kv_b_proj',
    },
    experts: expertNames,
  },
  // The extra layer of multi-token prediction is numbered after the others.
  ignoredTensors: ['.rotary_emb.inv_freq', '.eh_proj.', '.enorm.', '.hnorm.', '.shared_head.'],
  ignoredFields: [
    'mlp_bias',
    'num_key_value_heads',
    'qk_head_dim',
    'head_dim',
    'topk_method',
    'scoring_func',
    'num_nextn_predict_layers',
    'ep_size',
  ],
  required: { scoring_func: [null, 'sigmoid'], topk_method: [null, 'noaux_tc'] },
})

/** DeepSeek-V2: softmax routing without a correction. */
export const deepseekV2 = mergeRows(deepseekV3, {
  family: 'DeepSeek-V2',
  modelTypes: ['deepseek_v2'],
  architectures: ['DeepseekV2ForCausalLM'],
  sizes: { maxPositionEmbeddings: { field: 'max_position_embeddings', default: 2048 } },
  rope: { interleaved: true },
  experts: {
    ...sigmoidExperts,
    scoring: 'softmax',
    // The router of Transformers normalizes nothing, whatever norm_topk_prob says.
    normalize: false,
    scale: { field: 'routed_scaling_factor', default: 1 },
    correction: false,
    groups: {
      count: { field: 'n_group', default: null },
      chosen: { field: 'topk_group', default: null },
      score: 'max',
      enabled: { field: 'topk_method', default: false, equals: 'group_limited_greedy' },
    },
    shared: {
      intermediateSize: { field: 'moe_intermediate_size', default: 1407 },
      count: { field: 'n_shared_experts', default: 2 },
      gated: false,
    },
    firstDense: { field: 'first_k_dense_replace', default: 0 },
  },
  tokens: { bos: 1, eos: [2] },
  required: { scoring_func: [null, 'softmax'], topk_method: [null, 'greedy', 'group_limited_greedy'] },
  ignoredFields: ['mlp_bias', 'num_key_value_heads', 'qk_head_dim', 'head_dim', 'scoring_func', 'norm_topk_prob', 'ep_size'],
})

/** Youtu: latent attention without experts. */
export const youtu = mergeRows(deepseekV3, {
  family: 'Youtu',
  modelTypes: ['youtu'],
  architectures: ['YoutuForCausalLM'],
  sizes: { maxPositionEmbeddings: { field: 'max_position_embeddings', default: 131_072 } },
  experts: null,
  head: { tied: { field: 'tie_word_embeddings', default: true } },
  tokens: { bos: 128_000, eos: [128_001] },
  ignoredFields: [...deepseekV3.ignoredFields, 'embedding_initializer_range'],
  required: {},
})

/** MiniCPM 3: latent attention without experts, halves rotated, scaled as MiniCPM. */
export const minicpm3 = mergeRows(youtu, {
  family: 'MiniCPM 3',
  modelTypes: ['minicpm3'],
  architectures: ['MiniCPM3ForCausalLM'],
  sizes: { maxPositionEmbeddings: { field: 'max_position_embeddings', default: 32_768 } },
  norm: { eps: { field: 'rms_norm_eps', default: 1e-5 } },
  rope: { dim: { field: 'qk_rope_head_dim', default: 32 }, interleaved: false },
  residual: { multiplier: { field: 'scale_depth', default: 1.4, overRootOf: 'numHiddenLayers' } },
  embeddingScale: { field: 'scale_emb', default: 12 },
  latent: {
    queryRank: { field: 'q_lora_rank', default: 768 },
    keyValueRank: { field: 'kv_lora_rank', default: 256 },
    plainDim: { field: 'qk_nope_head_dim', default: 64 },
    // The share of a plain head.
    valueDim: { field: 'v_head_dim', default: { times: 1, size: 'headDim' } },
  },
  feedForward: { upBias: { field: 'mlp_bias', default: false }, downBias: { field: 'mlp_bias', default: false } },
  head: { scale: { field: 'dim_model_base', default: 256, over: 'hiddenSize' } },
  tokens: { bos: 1, eos: [2] },
  ignoredFields: ['num_key_value_heads', 'qk_head_dim', 'head_dim'],
})

/** GLM-4.7 Flash: DeepSeek-V3's layers. */
export const glm4MoeLite = mergeRows(deepseekV3, {
  family: 'GLM-4.7 Flash',
  modelTypes: ['glm4_moe_lite'],
  architectures: ['Glm4MoeLiteForCausalLM'],
  sizes: { maxPositionEmbeddings: { field: 'max_position_embeddings', default: 202_752 } },
  norm: { eps: { field: 'rms_norm_eps', default: 1e-5 } },
  latent: {
    queryRank: { field: 'q_lora_rank', default: 768 },
    plainDim: { field: 'qk_nope_head_dim', default: 192 },
    valueDim: { field: 'v_head_dim', default: 256 },
  },
  experts: {
    perToken: { field: 'num_experts_per_tok', default: 4 },
    intermediateSize: { field: 'moe_intermediate_size', default: 1536 },
    scale: { field: 'routed_scaling_factor', default: 1.8 },
    groups: { count: { field: 'n_group', default: 1 }, chosen: { field: 'topk_group', default: 1 } },
    shared: { intermediateSize: { field: 'moe_intermediate_size', default: 1536 } },
    firstDense: { field: 'first_k_dense_replace', default: 1 },
    typesField: 'mlp_layer_types',
  },
})

/** dots.llm1: DeepSeek's experts over plain attention with norms. */
export const dots1 = mergeRows(llama, {
  family: 'dots.llm1',
  modelTypes: ['dots1'],
  architectures: ['Dots1ForCausalLM'],
  attention: { queryKeyNorm: { enabled: true, scope: 'head', norm: 'own', bias: false, afterRope: false } },
  window: {
    size: { field: 'sliding_window', default: 4096 },
    enabled: true,
    layers: { from: { field: 'max_window_layers', default: 62 } },
  },
  layerTypes: true,
  feedForward: { upBias: false, downBias: false },
  experts: {
    ...sigmoidExperts,
    normalize: { field: 'norm_topk_prob', default: false },
    scale: { field: 'routed_scaling_factor', default: 1 },
    groups: { count: { field: 'n_group', default: 1 }, chosen: { field: 'topk_group', default: 1 }, score: 'top-2-sum', enabled: true },
    firstDense: { field: 'first_k_dense_replace', default: 0 },
  },
  tokens: { bos: null, eos: [] },
  names: { queryNorm: 'self_attn.q_norm', keyNorm: 'self_attn.k_norm', experts: expertNames },
  ignoredFields: ['mlp_bias', 'scoring_func'],
})

/** GLM-4.5: half of each head rotated, DeepSeek's experts. */
export const glm4Moe = mergeRows(dots1, {
  family: 'GLM-4.5',
  modelTypes: ['glm4_moe'],
  architectures: ['Glm4MoeForCausalLM'],
  sizes: {
    numKeyValueHeads: { field: 'num_key_value_heads', default: 8 },
    maxPositionEmbeddings: { field: 'max_position_embeddings', default: 131_072 },
  },
  norm: { eps: { field: 'rms_norm_eps', default: 1e-5 } },
  rope: { partial: { field: 'partial_rotary_factor', default: 0.5 } },
  window: null,
  layerTypes: false,
  attention: {
    outputBias: false,
    queryKeyNorm: { enabled: { field: 'use_qk_norm', default: false }, scope: 'head', norm: 'own', bias: false, afterRope: false },
  },
  experts: {
    normalize: { field: 'norm_topk_prob', default: true },
    intermediateSize: { field: 'moe_intermediate_size', default: 1408 },
    firstDense: { field: 'first_k_dense_replace', default: 1 },
  },
  ignoredTensors: ['.eh_proj.', '.enorm.', '.hnorm.', '.shared_head.'],
  ignoredFields: ['mlp_bias', 'scoring_func'],
})

/** Solar Open: Llama's attention, DeepSeek's experts in every layer. */
export const solarOpen = mergeRows(llama, {
  family: 'Solar Open',
  modelTypes: ['solar_open'],
  architectures: ['SolarOpenForCausalLM'],
  sizes: {
    intermediateSize: { field: ['intermediate_size', 'moe_intermediate_size'], default: 1280 },
    numKeyValueHeads: { field: 'num_key_value_heads', default: 8 },
    headDim: { field: 'head_dim', default: 128 },
    maxPositionEmbeddings: { field: 'max_position_embeddings', default: 131_072 },
  },
  norm: { eps: { field: 'rms_norm_eps', default: 1e-5 } },
  rope: { theta: 1_000_000 },
  attention: { outputBias: false },
  experts: {
    ...sigmoidExperts,
    intermediateSize: { field: 'moe_intermediate_size', default: 1280 },
    scale: { field: 'routed_scaling_factor', default: 1 },
    groups: { count: { field: 'n_group', default: 1 }, chosen: { field: 'topk_group', default: 1 }, score: 'top-2-sum', enabled: true },
    shared: {
      intermediateSize: { field: 'moe_intermediate_size', default: 1280 },
      count: { field: 'n_shared_experts', default: 1 },
      gated: false,
    },
    firstDense: 0,
    every: 1,
  },
  tokens: { bos: null, eos: [] },
  names: { experts: expertNames },
  ignoredFields: ['mlp_bias', 'scoring_func', 'topk_method', 'first_k_dense_replace', 'use_qk_norm'],
  required: { scoring_func: [null, 'sigmoid'], use_qk_norm: [null, false], first_k_dense_replace: [null, 0] },
})
