// The Llama row: RMS norm before each block, rotary grouped-query attention, SiLU-gated feed-forward. Source: Transformers 5.18 modeling_llama.py.
import type { ArchitectureRow } from './types'

/** Llama 1 to 3.3 and the many families that share its layout. */
export const llama = {
  family: 'Llama',
  modelTypes: ['llama'],
  architectures: ['LlamaForCausalLM'],
  norm: 'rms',
  residual: 'sequential',
  feedForward: 'gated',
  // Without prefix: a checkpoint of the bare LlamaModel, whose head is tied.
  prefixes: ['model.', ''],
  names: {
    embedding: 'embed_tokens',
    finalNorm: 'norm',
    head: 'lm_head',
    layer: 'layers.{i}',
    attentionNorm: 'input_layernorm',
    query: 'self_attn.q_proj',
    key: 'self_attn.k_proj',
    value: 'self_attn.v_proj',
    attentionOutput: 'self_attn.o_proj',
    feedForwardNorm: 'post_attention_layernorm',
    gate: 'mlp.gate_proj',
    up: 'mlp.up_proj',
    down: 'mlp.down_proj',
  },
  // Frequencies were stored as a buffer until Transformers 4.31; they follow from the config.
  ignored: [/\.rotary_emb\.inv_freq$/],
} as const satisfies ArchitectureRow
