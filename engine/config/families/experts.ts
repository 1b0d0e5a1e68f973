// Mixtures of experts. Defaults of Transformers 5.18.
import { olmo } from './dense'
import { granite, llama, mistral, qwen2, qwen3 } from './llama'
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

const qwenExperts = {
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

/** OLMoE: norms over whole query and key projections. */
export const olmoe = mergeRows(olmo, {
  family: 'OLMoE',
  modelTypes: ['olmoe'],
  architectures: ['OlmoeForCausalLM'],
  sizes: { maxPositionEmbeddings: { field: 'max_position_embeddings', default: 4096 } },
  norm: { kind: 'rms', weight: true, eps: { field: 'rms_norm_eps', default: 1e-5 } },
  attention: { queryKeyNorm: { enabled: true, scope: 'projection', norm: 'own', bias: false, afterRope: false } },
  experts: {
    ...qwenExperts.experts,
    count: { field: 'num_experts', default: 64 },
    intermediateSize: { field: 'intermediate_size' },
    every: 1,
    exceptField: null,
  },
  names: { queryNorm: 'self_attn.q_norm', keyNorm: 'self_attn.k_norm', experts: qwenExperts.names.experts },
  ignoredFields: ['mlp_bias'],
})

/** Granite with experts, stored as one tensor for all. */
export const graniteMoe = mergeRows(granite, {
  family: 'Granite MoE',
  modelTypes: ['granitemoe'],
  architectures: ['GraniteMoeForCausalLM'],
  feedForward: { upBias: false, downBias: false },
  experts: {
    ...softmaxExperts,
    count: { field: 'num_local_experts', default: 8 },
    scoring: 'softmax-of-chosen',
    normalize: false,
    storage: 'stacked',
  },
  names: {
    experts: {
      router: 'block_sparse_moe.router.layer',
      gateUp: 'block_sparse_moe.input_linear.weight',
      down: 'block_sparse_moe.output_linear.weight',
    },
  },
  ignoredFields: ['mlp_bias'],
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
