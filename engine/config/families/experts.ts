// Mixtures of experts over the attention of Mistral and Qwen, and GPT-OSS. Defaults of Transformers 5.18.
import { llama, mistral, qwen2, qwen3 } from './llama'
import { mergeRows } from './merge-rows'
import type { ExpertRules } from './types'

/** Plain routing: softmax of all scores, divided by the sum of those chosen. */
export const softmaxExperts: ExpertRules = {
  count: { field: ['num_experts', 'num_local_experts'], default: 8 },
  perToken: { field: 'num_experts_per_tok', default: 2 },
  intermediateSize: { field: 'intermediate_size' },
  scoring: 'softmax',
  normalize: true,
  smallestSum: 0,
  scale: 1,
  correction: false,
  groups: null,
  storage: 'separate',
  routerBias: false,
  shared: null,
  firstDense: 0,
  every: 1,
  exceptField: null,
}

/** Mixtral. */
export const mixtral = mergeRows(mistral, {
  family: 'Mixtral',
  modelTypes: ['mixtral'],
  architectures: ['MixtralForCausalLM'],
  sizes: { headDim: { field: 'head_dim', default: null } },
  norm: { eps: { field: 'rms_norm_eps', default: 1e-5 } },
  rope: { theta: 1_000_000 },
  window: { size: { field: 'sliding_window', default: null }, enabled: true, layers: 'all' },
  experts: softmaxExperts,
  names: {
    experts: {
      router: 'block_sparse_moe.gate',
      gate: 'block_sparse_moe.experts.{e}.w1',
      up: 'block_sparse_moe.experts.{e}.w3',
      down: 'block_sparse_moe.experts.{e}.w2',
    },
  },
})

/** Phi-3.5 MoE: layer norms, two experts by sparse mixing, long rotation with written magnitudes. */
export const phimoe = mergeRows(mixtral, {
  family: 'Phi-3.5 MoE',
  modelTypes: ['phimoe'],
  architectures: ['PhimoeForCausalLM', 'PhiMoEForCausalLM'],
  norm: { kind: 'layer', bias: true },
  rope: { mscales: true },
  attention: { qkvBias: { field: 'attention_bias', default: false }, outputBias: { field: 'attention_bias', default: false } },
  experts: {
    count: { field: 'num_local_experts', default: 16 },
    scoring: 'sparse-mixer',
    jitter: { field: 'router_jitter_noise', default: 0.01 },
    normalize: false,
  },
  ignoredFields: ['mlp_bias', 'use_sliding_window', 'max_window_layers', 'layer_types', 'input_jitter_noise'],
  required: { num_experts_per_tok: [null, 2] },
  variants: [{ when: { lm_head_bias: [true] }, row: { head: { bias: true } } }],
})

/** MiniMax M2: norms over whole projections, sigmoid scores with a correction. */
export const minimaxM2 = mergeRows(mixtral, {
  family: 'MiniMax M2',
  modelTypes: ['minimax_m2'],
  architectures: ['MiniMaxM2ForCausalLM'],
  sizes: {
    headDim: { field: 'head_dim', default: 128 },
    maxPositionEmbeddings: { field: 'max_position_embeddings', default: 196_608 },
  },
  norm: { eps: { field: 'rms_norm_eps', default: 1e-6 } },
  rope: { theta: 5_000_000, partial: { field: 'partial_rotary_factor', default: 1 }, dim: { field: 'rotary_dim', default: null } },
  window: null,
  attention: { queryKeyNorm: { enabled: true, scope: 'projection', norm: 'own', bias: false, afterRope: false } },
  experts: {
    count: { field: 'num_local_experts', default: 256 },
    perToken: { field: 'num_experts_per_tok', default: 8 },
    scoring: 'sigmoid',
    correction: true,
  },
  tokens: { bos: 200_034, eos: [200_020] },
  names: {
    queryNorm: 'self_attn.q_norm',
    keyNorm: 'self_attn.k_norm',
    experts: { correction: 'block_sparse_moe.e_score_correction_bias' },
  },
  ignoredFields: [
    ...mixtral.ignoredFields,
    'sliding_window',
    'attn_type_list',
    'layernorm_full_attention_beta',
    'layernorm_linear_attention_beta',
    'layernorm_mlp_beta',
    'mlp_intermediate_size',
    'shared_moe_mode',
    'mtp_transformer_layers',
    'use_routing_bias',
    'qk_norm_type',
    'use_qk_norm',
  ],
  required: { scoring_func: [null, 'sigmoid'], use_qk_norm: [null, true], shared_intermediate_size: [null, 0] },
})

/** How Qwen 2 and 3 MoE, and OLMoE after them, say and name their experts. */
export const qwenExperts = {
  experts: {
    ...softmaxExperts,
    count: { field: ['num_experts', 'num_local_experts'], default: 128 },
    perToken: { field: 'num_experts_per_tok', default: 8 },
    intermediateSize: { field: 'moe_intermediate_size', default: 768 },
    normalize: { field: 'norm_topk_prob', default: false },
    every: { field: 'decoder_sparse_step', default: 1 },
    exceptField: 'mlp_only_layers',
  },
  names: {
    experts: {
      router: 'mlp.gate',
      gate: 'mlp.experts.{e}.gate_proj',
      up: 'mlp.experts.{e}.up_proj',
      down: 'mlp.experts.{e}.down_proj',
    },
  },
} as const

/** Qwen3 with experts. */
export const qwen3Moe = mergeRows(qwen3, {
  family: 'Qwen3 MoE',
  modelTypes: ['qwen3_moe'],
  architectures: ['Qwen3MoeForCausalLM'],
  sizes: { numKeyValueHeads: { field: 'num_key_value_heads', default: 4 }, headDim: { field: 'head_dim', default: null } },
  window: { size: { field: 'sliding_window', default: 4096 }, enabled: { field: 'use_sliding_window', default: false }, layers: 'all' },
  layerTypes: false,
  ...qwenExperts,
  ignoredFields: ['mlp_bias', 'max_window_layers', 'layer_types'],
})

/** Mellum 2: Qwen3's experts, windows by layer, a rotary base for each kind of layer. */
export const mellum = mergeRows(qwen3Moe, {
  family: 'Mellum',
  modelTypes: ['mellum'],
  architectures: ['MellumForCausalLM'],
  sizes: { headDim: { field: 'head_dim', default: 128 }, maxPositionEmbeddings: { field: 'max_position_embeddings', default: 131_072 } },
  rope: { theta: 500_000, windowTheta: 10_000 },
  // Without layer_types no layer has a window.
  window: { size: { field: 'sliding_window', default: 1024 }, enabled: true, layers: { from: 1024 } },
  layerTypes: true,
  experts: {
    count: { field: ['num_experts', 'num_local_experts'], default: 64 },
    intermediateSize: { field: 'moe_intermediate_size', default: 896 },
    normalize: { field: 'norm_topk_prob', default: true },
    every: 1,
    exceptField: null,
    typesField: 'mlp_layer_types',
  },
  ignoredFields: ['mlp_bias', 'max_window_layers'],
})

/** Qwen1.5 and Qwen2 with experts, one of which sees every token behind a gate. */
export const qwen2Moe = mergeRows(qwen2, {
  family: 'Qwen2 MoE',
  modelTypes: ['qwen2_moe'],
  architectures: ['Qwen2MoeForCausalLM'],
  sizes: { numKeyValueHeads: { field: 'num_key_value_heads', default: 16 } },
  attention: { qkvBias: { field: 'qkv_bias', default: true } },
  experts: {
    ...qwenExperts.experts,
    count: { field: ['num_experts', 'num_local_experts'], default: 60 },
    perToken: { field: 'num_experts_per_tok', default: 4 },
    intermediateSize: { field: 'moe_intermediate_size', default: 1408 },
    shared: { intermediateSize: { field: 'shared_expert_intermediate_size', default: 5632 }, count: 1, gated: true },
  },
  names: {
    experts: {
      ...qwenExperts.names.experts,
      shared: {
        gate: 'mlp.shared_expert.gate_proj',
        up: 'mlp.shared_expert.up_proj',
        down: 'mlp.shared_expert.down_proj',
        weight: 'mlp.shared_expert_gate',
      },
    },
  },
})

/** GPT-OSS: sinks, windows in every second layer, experts with biases and clipped gates. */
export const gptOss = mergeRows(llama, {
  family: 'GPT-OSS',
  modelTypes: ['gpt_oss'],
  architectures: ['GptOssForCausalLM'],
  sizes: {
    numKeyValueHeads: { field: 'num_key_value_heads', default: 8 },
    headDim: { field: 'head_dim', default: 64 },
    maxPositionEmbeddings: { field: 'max_position_embeddings', default: 131_072 },
  },
  norm: { eps: { field: 'rms_norm_eps', default: 1e-5 } },
  rope: { theta: 150_000 },
  window: { size: { field: 'sliding_window', default: 128 }, enabled: true, layers: { fullEvery: 2 } },
  layerTypes: true,
  attention: {
    qkvBias: { field: 'attention_bias', default: true },
    outputBias: { field: 'attention_bias', default: true },
    sinks: true,
  },
  experts: {
    ...softmaxExperts,
    count: { field: 'num_local_experts', default: 128 },
    perToken: { field: ['num_experts_per_tok', 'experts_per_token'], default: 4 },
    scoring: 'softmax-of-chosen',
    normalize: false,
    storage: 'interleaved',
    routerBias: true,
  },
  tokens: { bos: null, eos: [] },
  names: {
    sinks: 'self_attn.sinks',
    experts: { router: 'mlp.router', gateUp: 'mlp.experts.gate_up_proj', down: 'mlp.experts.down_proj' },
  },
  ignoredFields: ['mlp_bias', 'initial_context_length', 'swiglu_limit', 'experts_per_token'],
  required: { swiglu_limit: [null, 7] },
})
