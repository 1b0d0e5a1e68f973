// EXAONE 4 and K-EXAONE. The first ones stand with the families whose code comes with their checkpoints. Defaults of Transformers 5.18.
import { expertNames, sigmoidExperts } from './deepseek'
import { llama } from './llama'
import { mergeRows } from './merge-rows'

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
