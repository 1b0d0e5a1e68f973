// Granite with its multipliers, its mixtures of experts, and HyperCLOVA X. Defaults of Transformers 5.18.
import { softmaxExperts } from './experts'
import { llama } from './llama'
import { mergeRows } from './merge-rows'

/** Granite: Llama with multipliers. */
export const granite = mergeRows(llama, {
  family: 'Granite',
  modelTypes: ['granite'],
  architectures: ['GraniteForCausalLM'],
  residual: { multiplier: { field: 'residual_multiplier', default: 1 } },
  embeddingScale: { field: 'embedding_multiplier', default: 1 },
  attention: { scale: { field: 'attention_multiplier', default: 1 } },
  head: { scale: { field: 'logits_scaling', default: 1, as: 'inverse' } },
})

/** HyperCLOVA X SEED: Granite with norms after the blocks. */
export const hyperclovax = mergeRows(granite, {
  family: 'HyperCLOVA X',
  modelTypes: ['hyperclovax'],
  architectures: ['HyperCLOVAXForCausalLM'],
  attention: { scale: { field: 'attention_multiplier', default: null } },
  head: { scale: { field: 'logits_scaling', default: 1 } },
  names: { afterAttention: 'post_norm1', afterFeedForward: 'post_norm2' },
  variants: [{ when: { use_post_norm: [false] }, row: { names: { afterAttention: null, afterFeedForward: null } } }],
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

/** Granite with experts, one of which sees every token. */
export const graniteMoeShared = mergeRows(graniteMoe, {
  family: 'Granite MoE with a shared expert',
  modelTypes: ['granitemoeshared'],
  architectures: ['GraniteMoeSharedForCausalLM'],
  experts: { shared: { intermediateSize: { field: 'shared_intermediate_size', default: 1024 }, count: 1, gated: false } },
  names: {
    experts: { shared: { gate: '', up: '', gateUp: 'shared_mlp.input_linear', down: 'shared_mlp.output_linear' } },
  },
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
