// GLM 4 of Transformers. Its mixtures of experts stand with DeepSeek's. Defaults of Transformers 5.18.
import { llama } from './llama'
import { mergeRows } from './merge-rows'

/** GLM-4 9B: neighbours rotated in half of each head, gate and up joined. */
export const glm = mergeRows(llama, {
  family: 'GLM',
  modelTypes: ['glm'],
  architectures: ['GlmForCausalLM'],
  sizes: {
    numKeyValueHeads: { field: 'num_key_value_heads', default: 2 },
    headDim: { field: 'head_dim', default: 128 },
    maxPositionEmbeddings: { field: 'max_position_embeddings', default: 131_072 },
  },
  norm: { eps: { field: 'rms_norm_eps', default: 1.5625e-7 } },
  rope: { partial: { field: 'partial_rotary_factor', default: 0.5 }, interleaved: true },
  attention: { qkvBias: { field: 'attention_bias', default: true }, outputBias: false },
  feedForward: { joined: true, upBias: false, downBias: false },
  tokens: { bos: null, eos: [151_329, 151_336, 151_338] },
  names: { gateUp: 'mlp.gate_up_proj' },
  ignoredFields: ['mlp_bias'],
})

/** GLM-4 of April 2025: norms after the blocks too. */
export const glm4 = mergeRows(glm, {
  family: 'GLM-4',
  modelTypes: ['glm4'],
  architectures: ['Glm4ForCausalLM'],
  names: { afterAttention: 'post_self_attn_layernorm', afterFeedForward: 'post_mlp_layernorm' },
})
