// ERNIE 4.5, dense and as a mixture of experts. Defaults of Transformers 5.18.
import { expertNames } from './deepseek'
import { softmaxExperts } from './experts'
import { llama } from './llama'
import { mergeRows } from './merge-rows'

/** ERNIE 4.5. */
export const ernie45 = mergeRows(llama, {
  family: 'ERNIE 4.5',
  modelTypes: ['ernie4_5'],
  architectures: ['Ernie4_5ForCausalLM'],
  sizes: {
    numKeyValueHeads: { field: 'num_key_value_heads', default: 2 },
    headDim: { field: 'head_dim', default: 128 },
    maxPositionEmbeddings: { field: 'max_position_embeddings', default: 131_072 },
  },
  norm: { eps: { field: 'rms_norm_eps', default: 1e-5 } },
  rope: { theta: 500_000, interleaved: true },
  attention: { qkvBias: { field: 'use_bias', default: false }, outputBias: { field: 'use_bias', default: false } },
  feedForward: { upBias: { field: 'use_bias', default: false }, downBias: { field: 'use_bias', default: false } },
  head: { tied: { field: 'tie_word_embeddings', default: true } },
  ignoredFields: ['attention_bias', 'mlp_bias'],
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
