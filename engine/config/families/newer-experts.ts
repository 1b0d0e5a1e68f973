// Mixtures of experts of 2024 to 2026 that follow others with small changes. Defaults of Transformers 5.18.
import { olmo2 } from './dense'
import { expertNames, sigmoidExperts } from './deepseek'
import { mixtral, olmoe, qwen3Moe, softmaxExperts } from './experts'
import { graniteMoeShared } from './later'
import { llama } from './llama'
import { mergeRows } from './merge-rows'
import { ernie45, exaone4 } from './more-dense'

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

/** ERNIE 4.5 with experts. */
export const ernie45Moe = mergeRows(ernie45, {
  family: 'ERNIE 4.5 MoE',
  modelTypes: ['ernie4_5_moe'],
  architectures: ['Ernie4_5_MoeForCausalLM', 'Ernie4_5_MoeModel'],
  sizes: { numKeyValueHeads: { field: 'num_key_value_heads', default: 4 }, headDim: { field: 'head_dim', default: null } },
  experts: {
    ...softmaxExperts,
    count: { field: ['moe_num_experts', 'num_experts'], default: 64 },
    perToken: { field: ['moe_k', 'num_experts_per_tok'], default: 6 },
    intermediateSize: { field: 'moe_intermediate_size', default: 1536 },
    correction: true,
    shared: {
      intermediateSize: { field: 'moe_intermediate_size', default: 1536 },
      count: { field: 'moe_num_shared_experts', default: 2 },
      gated: false,
    },
    firstDense: { field: 'moe_layer_start_index', default: 1 },
    lastSparse: { field: 'moe_layer_end_index', default: -1 },
    every: { field: 'moe_layer_interval', default: 1 },
  },
  names: { experts: { ...expertNames, correction: 'mlp.moe_statics.e_score_correction_bias' } },
  ignoredTensors: [...ernie45.ignoredTensors, 'mtp_'],
  ignoredFields: [
    ...ernie45.ignoredFields,
    'moe_norm_min',
    'moe_capacity',
    'moe_gate',
    'moe_use_aux_free',
    'moe_group',
    'num_nextn_predict_layers',
  ],
  required: { use_bias: [null, false] },
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

/** FlexOlmo: OLMo 2 with OLMoE's experts. */
export const flexOlmo = mergeRows(olmo2, {
  family: 'FlexOlmo',
  modelTypes: ['flex_olmo'],
  architectures: ['FlexOlmoForCausalLM'],
  sizes: { maxPositionEmbeddings: { field: 'max_position_embeddings', default: 4096 } },
  norm: { eps: { field: 'rms_norm_eps', default: 1e-6 } },
  rope: { theta: 500_000 },
  experts: {
    ...softmaxExperts,
    count: { field: ['num_experts', 'num_local_experts'], default: 7 },
    perToken: { field: 'num_experts_per_tok', default: 5 },
    normalize: { field: 'norm_topk_prob', default: false },
  },
  tokens: { bos: null, eos: [100_257] },
  names: olmoe.names.experts === undefined ? {} : { experts: olmoe.names.experts },
})

/** K-EXAONE: EXAONE 4's attention behind norms, DeepSeek's experts. */
export const exaoneMoe = mergeRows(exaone4, {
  family: 'EXAONE MoE',
  modelTypes: ['exaone_moe'],
  architectures: ['ExaoneMoeForCausalLM'],
  experts: {
    ...sigmoidExperts,
    count: { field: 'num_experts', default: 64 },
    intermediateSize: { field: 'moe_intermediate_size', default: 1024 },
    groups: { count: { field: 'n_group', default: 1 }, chosen: { field: 'topk_group', default: 1 }, score: 'top-2-sum', enabled: true },
    shared: {
      intermediateSize: { field: 'moe_intermediate_size', default: 1024 },
      count: { field: 'num_shared_experts', default: 1 },
      gated: false,
    },
    firstDense: { field: 'first_k_dense_replace', default: 1 },
    every: 1,
    typesField: 'mlp_layer_types',
  },
  tokens: { bos: 1, eos: [53] },
  names: {
    beforeAttention: 'input_layernorm',
    afterAttention: null,
    beforeFeedForward: 'post_attention_layernorm',
    afterFeedForward: null,
    experts: { ...expertNames, correction: 'mlp.e_score_correction_bias' },
  },
  ignoredTensors: [...exaone4.ignoredTensors, 'mtp.'],
  ignoredFields: [...exaone4.ignoredFields, 'scoring_func', 'topk_method', 'moe_layer_freq'],
  required: { scoring_func: [null, 'sigmoid'], topk_method: [null, 'noaux_tc'] },
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

/** Granite 4: attention with or without rotation, a shared feed-forward beside experts or alone. Its state-space layers are refused by their type. */
export const graniteHybrid = mergeRows(graniteMoeShared, {
  family: 'Granite 4',
  modelTypes: ['granitemoehybrid'],
  architectures: ['GraniteMoeHybridForCausalLM'],
  rope: null,
  layerTypes: 'required',
  ignoredFields: [
    ...graniteMoeShared.ignoredFields,
    'mamba_chunk_size',
    'mamba_conv_bias',
    'mamba_d_conv',
    'mamba_d_head',
    'mamba_d_state',
    'mamba_expand',
    'mamba_n_groups',
    'mamba_n_heads',
    'mamba_proj_bias',
    'normalization_function',
  ],
  required: { position_embedding_type: [null, 'rope', 'nope'], normalization_function: [null, 'rmsnorm'] },
  variants: [
    { when: { position_embedding_type: ['rope'] }, row: { rope: llama.rope } },
    {
      when: { num_local_experts: [0] },
      row: {
        sizes: { intermediateSize: { field: 'shared_intermediate_size', default: 1024 } },
        experts: null,
        feedForward: { joined: true },
        names: { gateUp: 'shared_mlp.input_linear', down: 'shared_mlp.output_linear' },
      },
    },
  ],
})
