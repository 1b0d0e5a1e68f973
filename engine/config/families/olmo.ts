// OLMo 1 to 3 and its mixtures of experts. Defaults of Transformers 5.18.
import { qwenExperts, softmaxExperts } from './experts'
import { llama } from './llama'
import { mergeRows } from './merge-rows'

/** OLMo 1: layer norms without weights, clipped projections. */
export const olmo = mergeRows(llama, {
  family: 'OLMo',
  modelTypes: ['olmo'],
  architectures: ['OlmoForCausalLM'],
  norm: { kind: 'layer', weight: false, eps: 1e-5 },
  attention: { clip: { field: 'clip_qkv', default: null } },
  feedForward: { upBias: false, downBias: false },
  tokens: { bos: null, eos: [50_279] },
  ignoredFields: ['mlp_bias', 'rms_norm_eps'],
})

/** OLMo 2: norms after the blocks, and over whole query and key projections. */
export const olmo2 = mergeRows(llama, {
  family: 'OLMo 2',
  modelTypes: ['olmo2'],
  architectures: ['Olmo2ForCausalLM'],
  norm: { eps: { field: 'rms_norm_eps', default: 1e-5 } },
  attention: { queryKeyNorm: { enabled: true, scope: 'projection', norm: 'own', bias: false, afterRope: false } },
  feedForward: { upBias: false, downBias: false },
  tokens: { bos: null, eos: [50_279] },
  names: {
    beforeAttention: null,
    afterAttention: 'post_attention_layernorm',
    beforeFeedForward: null,
    afterFeedForward: 'post_feedforward_layernorm',
    queryNorm: 'self_attn.q_norm',
    keyNorm: 'self_attn.k_norm',
  },
  ignoredFields: ['mlp_bias'],
})

/** OLMo 3: OLMo 2 with windows. */
export const olmo3 = mergeRows(olmo2, {
  family: 'OLMo 3',
  modelTypes: ['olmo3'],
  architectures: ['Olmo3ForCausalLM'],
  // Rotary scaling belongs to the layers without a window; those with one keep the plain frequencies.
  rope: { windowTheta: { field: 'rope_theta', default: 10_000 } },
  window: { size: { field: 'sliding_window', default: 4096 }, enabled: true, layers: { fullEvery: 4 } },
  layerTypes: true,
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
