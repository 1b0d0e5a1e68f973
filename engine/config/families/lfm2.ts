// LFM2: short convolutions, and attention in some layers. Defaults of Transformers 5.18.
import { llama } from './llama'
import { mergeRows } from './merge-rows'

/** LFM2, dense. */
export const lfm2 = mergeRows(llama, {
  family: 'LFM2',
  modelTypes: ['lfm2'],
  architectures: ['Lfm2ForCausalLM'],
  sizes: {
    numKeyValueHeads: { field: 'num_key_value_heads', default: 8 },
    // Files of before Transformers 4.54 call it block_ff_dim, which wins.
    intermediateSize: { field: ['block_ff_dim', 'intermediate_size'] },
    maxPositionEmbeddings: { field: 'max_position_embeddings', default: 128_000 },
    adjustedWidth: {
      enabled: { field: 'block_auto_adjust_ff_dim', default: true },
      multiplier: { field: 'block_ffn_dim_multiplier', default: 1 },
      multipleOf: { field: 'block_multiple_of', default: 256 },
    },
  },
  norm: { eps: { field: 'norm_eps', default: 1e-5 } },
  rope: { theta: 1_000_000 },
  attention: {
    qkvBias: false,
    outputBias: false,
    queryKeyNorm: { enabled: true, scope: 'head', norm: 'own', bias: false, afterRope: false },
  },
  layerTypes: true,
  convolution: {
    kernel: { field: 'conv_L_cache', default: 3 },
    bias: { field: 'conv_bias', default: false },
    attentionLayers: 'full_attn_idxs',
  },
  feedForward: { activation: 'silu', upBias: false, downBias: false },
  head: { tied: { field: ['tie_embedding', 'tie_word_embeddings'], default: true } },
  names: {
    finalNorm: 'embedding_norm',
    beforeAttention: 'operator_norm',
    attentionOutput: 'self_attn.out_proj',
    queryNorm: 'self_attn.q_layernorm',
    keyNorm: 'self_attn.k_layernorm',
    convolution: { input: 'conv.in_proj', kernel: 'conv.conv', output: 'conv.out_proj' },
    beforeFeedForward: 'ffn_norm',
    gate: 'feed_forward.w1',
    up: 'feed_forward.w3',
    down: 'feed_forward.w2',
  },
  ignoredFields: [
    'attention_bias',
    'mlp_bias',
    'block_dim',
    'block_norm_eps',
    'block_mlp_init_scale',
    'block_out_init_scale',
    'block_use_swiglu',
    'block_use_xavier_init',
    'conv_dim',
    'conv_dim_out',
    'conv_use_xavier_init',
    'num_heads',
    'use_pos_enc',
  ],
  required: { block_use_swiglu: [null, true], use_pos_enc: [null, true] },
})

/** LFM2 with experts behind the first layers. */
export const lfm2Moe = mergeRows(lfm2, {
  family: 'LFM2 MoE',
  modelTypes: ['lfm2_moe'],
  architectures: ['Lfm2MoeForCausalLM'],
  sizes: { intermediateSize: { field: 'intermediate_size' }, adjustedWidth: null },
  experts: {
    count: { field: 'num_experts', default: 32 },
    perToken: { field: 'num_experts_per_tok', default: 4 },
    intermediateSize: { field: 'moe_intermediate_size', default: 1792 },
    scoring: 'sigmoid',
    normalize: { field: 'norm_topk_prob', default: true },
    smallestSum: 1e-6,
    scale: { field: 'routed_scaling_factor', default: 1 },
    correction: true,
    groups: null,
    storage: 'separate',
    routerBias: false,
    shared: null,
    firstDense: { field: 'num_dense_layers', default: 2 },
    every: 1,
    exceptField: null,
  },
  names: {
    experts: {
      router: 'feed_forward.gate',
      correction: 'feed_forward.expert_bias',
      gate: 'feed_forward.experts.{e}.w1',
      up: 'feed_forward.experts.{e}.w3',
      down: 'feed_forward.experts.{e}.w2',
    },
  },
  variants: [{ when: { use_expert_bias: [false] }, row: { experts: { correction: false } } }],
})
