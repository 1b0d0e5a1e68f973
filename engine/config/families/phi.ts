// Phi 1 to 2 and Phi 3. Defaults of Transformers 5.18.
import { llama } from './llama'
import { mergeRows } from './merge-rows'

/** Phi 1, 1.5 and 2: layer norms, attention and feed-forward side by side. */
export const phi = mergeRows(llama, {
  family: 'Phi',
  modelTypes: ['phi'],
  architectures: ['PhiForCausalLM'],
  norm: { kind: 'layer', bias: true, eps: { field: 'layer_norm_eps', default: 1e-5 } },
  residual: { kind: 'parallel' },
  rope: { partial: { field: 'partial_rotary_factor', default: 0.5 } },
  attention: {
    qkvBias: true,
    outputBias: true,
    queryKeyNorm: { enabled: { field: 'qk_layernorm', default: false }, scope: 'head', norm: 'layer', bias: true, afterRope: false },
  },
  feedForward: { kind: 'plain', activation: { field: 'hidden_act', default: 'gelu_new' }, upBias: true, downBias: true },
  head: { bias: true },
  names: {
    finalNorm: 'final_layernorm',
    attentionOutput: 'self_attn.dense',
    queryNorm: 'self_attn.q_layernorm',
    keyNorm: 'self_attn.k_layernorm',
    beforeFeedForward: null,
    up: 'mlp.fc1',
    down: 'mlp.fc2',
  },
  ignoredFields: ['attention_bias', 'mlp_bias'],
})

/** Phi 3 and 3.5: joined projections, long rope. */
export const phi3 = mergeRows(llama, {
  family: 'Phi-3',
  modelTypes: ['phi3'],
  architectures: ['Phi3ForCausalLM'],
  sizes: { maxPositionEmbeddings: { field: 'max_position_embeddings', default: 4096 } },
  norm: { eps: { field: 'rms_norm_eps', default: 1e-5 } },
  rope: { partial: { field: 'partial_rotary_factor', default: 1 }, kinds: { su: 'longrope', yarn: 'longrope' } },
  window: { size: { field: 'sliding_window', default: null }, enabled: true, layers: 'all' },
  attention: { projection: 'concatenated', qkvBias: false, outputBias: false },
  feedForward: { joined: true, upBias: false, downBias: false },
  tokens: { bos: 1, eos: [32_000] },
  names: { queryKeyValue: 'self_attn.qkv_proj', gateUp: 'mlp.gate_up_proj' },
  ignoredFields: ['attention_bias', 'mlp_bias', 'original_max_position_embeddings'],
})
