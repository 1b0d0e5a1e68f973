// Mixtures of experts. Defaults of Transformers 5.18.
import { mistral, qwen3 } from './llama'
import { mergeRows } from './merge-rows'
import type { ExpertRules } from './types'

const softmaxExperts: ExpertRules = {
  count: { field: ['num_experts', 'num_local_experts'], default: 8 },
  perToken: { field: 'num_experts_per_tok', default: 2 },
  intermediateSize: { field: 'intermediate_size' },
  scoring: 'softmax',
  normalize: true,
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
