// Names of GGUF tensors by Transformers' names, and what has to change on the way. Follows llama.cpp (gguf-py/gguf/tensor_mapping.py, convert_hf_to_gguf.py).

/** How a family's weights become those of llama.cpp. Patterns are without `.weight` and `.bias`; {i} is a layer. */
export interface GgufFamily {
  /** general.architecture. */
  readonly architecture: string
  readonly names: Readonly<Record<string, string>>
  /** Rotary pairs of queries and keys are neighbours in llama.cpp instead of halves. */
  readonly interleaves: boolean
  /** It has sliding windows. */
  readonly windows: boolean
  /** Norm weights have one added. */
  readonly normPlusOne: boolean
  /** Matrices that lie as [in, out] and are turned. */
  readonly transposed: readonly string[]
}

const llamaNames = {
  'model.embed_tokens': 'token_embd',
  'model.norm': 'output_norm',
  lm_head: 'output',
  'model.layers.{i}.input_layernorm': 'blk.{i}.attn_norm',
  'model.layers.{i}.self_attn.q_proj': 'blk.{i}.attn_q',
  'model.layers.{i}.self_attn.k_proj': 'blk.{i}.attn_k',
  'model.layers.{i}.self_attn.v_proj': 'blk.{i}.attn_v',
  'model.layers.{i}.self_attn.o_proj': 'blk.{i}.attn_output',
  'model.layers.{i}.post_attention_layernorm': 'blk.{i}.ffn_norm',
  'model.layers.{i}.mlp.gate_proj': 'blk.{i}.ffn_gate',
  'model.layers.{i}.mlp.up_proj': 'blk.{i}.ffn_up',
  'model.layers.{i}.mlp.down_proj': 'blk.{i}.ffn_down',
} as const

const plain = (architecture: string, names: Readonly<Record<string, string>>): GgufFamily => ({
  architecture,
  names,
  interleaves: false,
  windows: false,
  normPlusOne: false,
  transposed: [],
})

const llama: GgufFamily = { ...plain('llama', llamaNames), interleaves: true }

/** Families by model_type. */
export const GGUF_FAMILIES: Readonly<Record<string, GgufFamily>> = {
  llama,
  mistral: llama,
  qwen2: plain('qwen2', llamaNames),
  qwen3: plain('qwen3', {
    ...llamaNames,
    'model.layers.{i}.self_attn.q_norm': 'blk.{i}.attn_q_norm',
    'model.layers.{i}.self_attn.k_norm': 'blk.{i}.attn_k_norm',
  }),
  gemma: { ...plain('gemma', llamaNames), normPlusOne: true },
  gemma2: {
    ...plain('gemma2', {
      ...llamaNames,
      'model.layers.{i}.post_attention_layernorm': 'blk.{i}.post_attention_norm',
      'model.layers.{i}.pre_feedforward_layernorm': 'blk.{i}.ffn_norm',
      'model.layers.{i}.post_feedforward_layernorm': 'blk.{i}.post_ffw_norm',
    }),
    normPlusOne: true,
    windows: true,
  },
  phi3: {
    ...plain('phi3', {
      ...llamaNames,
      'model.layers.{i}.self_attn.qkv_proj': 'blk.{i}.attn_qkv',
      'model.layers.{i}.mlp.gate_up_proj': 'blk.{i}.ffn_up',
    }),
    windows: true,
  },
  gpt2: {
    ...plain('gpt2', {
      'transformer.wte': 'token_embd',
      'transformer.wpe': 'position_embd',
      'transformer.ln_f': 'output_norm',
      lm_head: 'output',
      'transformer.h.{i}.ln_1': 'blk.{i}.attn_norm',
      'transformer.h.{i}.attn.c_attn': 'blk.{i}.attn_qkv',
      'transformer.h.{i}.attn.c_proj': 'blk.{i}.attn_output',
      'transformer.h.{i}.ln_2': 'blk.{i}.ffn_norm',
      'transformer.h.{i}.mlp.c_fc': 'blk.{i}.ffn_up',
      'transformer.h.{i}.mlp.c_proj': 'blk.{i}.ffn_down',
    }),
    transposed: ['attn.c_attn', 'attn.c_proj', 'mlp.c_fc', 'mlp.c_proj'],
  },
}

/** Tables and masks that older checkpoints carry and llama.cpp makes itself. */
export const GGUF_DROPPED = /(rotary_emb\.inv_freq|\.attn\.(bias|masked_bias))$/

/** The GGUF name of a tensor, or null. Bare bodies are found without their prefix too. */
export function ggufName(name: string, family: GgufFamily): string | null {
  const [, module = '', parameter = ''] = /^(.+)\.(weight|bias)$/.exec(name) ?? []
  const layer = /\.(\d+)\./.exec(`.${module}.`)?.[1]
  const pattern = layer === undefined ? module : `.${module}.`.replace(`.${layer}.`, '.{i}.').slice(1, -1)
  const found = family.names[pattern] ?? family.names[`model.${pattern}`] ?? family.names[`transformer.${pattern}`]
  return found === undefined ? null : `${found.replace('{i}', layer ?? '')}.${parameter}`
}
