// Hunyuan, dense and as a mixture of experts. Defaults of Transformers 5.18.
import { llama } from './llama'
import { mergeRows } from './merge-rows'

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

/** Hunyuan with experts, one of which sees every token. */
export const hunyuanMoe = mergeRows(hunyuanDense, {
  family: 'Hunyuan MoE',
  modelTypes: ['hunyuan_v1_moe'],
  architectures: ['HunYuanMoEV1ForCausalLM'],
  experts: {
    count: { field: 'num_experts', default: 1 },
    perToken: { field: ['moe_topk', 'num_experts_per_tok'], default: 1 },
    intermediateSize: { field: 'intermediate_size' },
    scoring: 'softmax',
    normalize: true,
    smallestSum: 0,
    scale: 1,
    correction: false,
    groups: null,
    storage: 'separate',
    routerBias: false,
    shared: { intermediateSize: { field: 'intermediate_size' }, count: 1, gated: false },
    firstDense: 0,
    every: 1,
    exceptField: null,
  },
  names: {
    experts: {
      router: 'mlp.gate.wg',
      gate: 'mlp.experts.{e}.gate_proj',
      up: 'mlp.experts.{e}.up_proj',
      down: 'mlp.experts.{e}.down_proj',
      shared: { gate: 'mlp.shared_mlp.gate_proj', up: 'mlp.shared_mlp.up_proj', down: 'mlp.shared_mlp.down_proj' },
    },
  },
  ignoredFields: [
    ...hunyuanDense.ignoredFields,
    'use_mixed_mlp_moe',
    'num_shared_expert',
    'moe_intermediate_size',
    'moe_layer_num_skipped',
  ],
  required: { use_cla: [null, false], moe_layer_num_skipped: [null, 0] },
})
