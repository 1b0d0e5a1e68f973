// Families that a custom state dict can be mapped onto, as data: names, fused parts, and what must be there. Follows Transformers 5.18 (modeling_*.py of each).
import type { BodyModules, LayerModules, LayerSlot } from './slots'

/** One family as Transformers writes it. Only the first name of a part counts. */
export interface TargetFamily {
  readonly modelType: string
  readonly architecture: string
  readonly body: BodyModules
  readonly bodyPrefix: string
  readonly layer: string
  readonly layers: LayerModules
  /** Matrices lie as [in, out] (Conv1D) instead of [out, in]. */
  readonly conv1d: boolean
  readonly positions: 'rotary' | 'learned'
  /** Groups of parts that have a bias all or none, by the field of config.json that says so; null: always. Other parts have none. `filled` adds zeros. */
  readonly biases: readonly { readonly parts: readonly LayerSlot[]; readonly field: string | null; readonly filled: boolean }[]
  readonly norm: 'rms' | 'layer'
  /** How a fused projection lies, where the family has one. */
  readonly fusedOrder: 'stacked' | 'grouped'
  /** Fields of config.json that are called otherwise here; null: the family has none. */
  readonly fieldNames: Readonly<Record<string, string | null>>
  /** Fields of a mixture of experts; `width` is null where it is intermediate_size. */
  readonly experts: { readonly count: string; readonly width: string | null; readonly normalizes: string | null } | null
  /** Whether 'auto' may choose it: not where other families have the same tensors and another arithmetic. */
  readonly automatic: boolean
}

const ATTENTION: readonly LayerSlot[] = ['query', 'key', 'value', 'attentionOutput']

const LLAMA_ATTENTION = {
  attentionNorm: ['input_layernorm'],
  query: ['self_attn.q_proj'],
  key: ['self_attn.k_proj'],
  value: ['self_attn.v_proj'],
  attentionOutput: ['self_attn.o_proj'],
  feedForwardNorm: ['post_attention_layernorm'],
} as const

const HEAD_NORMS = { queryNorm: ['self_attn.q_norm'], keyNorm: ['self_attn.k_norm'] } as const

const llama: TargetFamily = {
  modelType: 'llama',
  architecture: 'LlamaForCausalLM',
  bodyPrefix: 'model.',
  body: { embedding: ['embed_tokens'], finalNorm: ['norm'], head: ['lm_head'] },
  layer: 'layers.{i}',
  layers: { ...LLAMA_ATTENTION, gate: ['mlp.gate_proj'], up: ['mlp.up_proj'], down: ['mlp.down_proj'] },
  conv1d: false,
  positions: 'rotary',
  biases: [
    { parts: ATTENTION, field: 'attention_bias', filled: false },
    { parts: ['gate', 'up', 'down'], field: 'mlp_bias', filled: false },
  ],
  norm: 'rms',
  fusedOrder: 'stacked',
  fieldNames: {},
  experts: null,
  automatic: true,
}

const mistral: TargetFamily = { ...llama, modelType: 'mistral', architecture: 'MistralForCausalLM', biases: [] }

const qwen2: TargetFamily = {
  ...llama,
  modelType: 'qwen2',
  architecture: 'Qwen2ForCausalLM',
  biases: [{ parts: ['query', 'key', 'value'], field: null, filled: false }],
}

const qwen3: TargetFamily = {
  ...llama,
  modelType: 'qwen3',
  architecture: 'Qwen3ForCausalLM',
  layers: { ...llama.layers, ...HEAD_NORMS },
  biases: [{ parts: ATTENTION, field: 'attention_bias', filled: false }],
}

const phi3: TargetFamily = {
  ...llama,
  modelType: 'phi3',
  architecture: 'Phi3ForCausalLM',
  layers: {
    attentionNorm: ['input_layernorm'],
    queryKeyValue: ['self_attn.qkv_proj'],
    attentionOutput: ['self_attn.o_proj'],
    feedForwardNorm: ['post_attention_layernorm'],
    gateUp: ['mlp.gate_up_proj'],
    down: ['mlp.down_proj'],
  },
  biases: [],
}

const gemma: TargetFamily = {
  ...llama,
  modelType: 'gemma',
  architecture: 'GemmaForCausalLM',
  biases: [],
  automatic: false,
}

const gpt2: TargetFamily = {
  modelType: 'gpt2',
  architecture: 'GPT2LMHeadModel',
  bodyPrefix: 'transformer.',
  body: { embedding: ['wte'], positions: ['wpe'], finalNorm: ['ln_f'], head: ['lm_head'] },
  layer: 'h.{i}',
  layers: {
    attentionNorm: ['ln_1'],
    queryKeyValue: ['attn.c_attn'],
    attentionOutput: ['attn.c_proj'],
    feedForwardNorm: ['ln_2'],
    up: ['mlp.c_fc'],
    down: ['mlp.c_proj'],
  },
  conv1d: true,
  positions: 'learned',
  biases: [{ parts: ['queryKeyValue', 'attentionOutput', 'up', 'down'], field: null, filled: true }],
  norm: 'layer',
  fusedOrder: 'stacked',
  fieldNames: {
    hidden_size: 'n_embd',
    intermediate_size: 'n_inner',
    num_hidden_layers: 'n_layer',
    num_attention_heads: 'n_head',
    max_position_embeddings: 'n_positions',
    rms_norm_eps: 'layer_norm_epsilon',
    hidden_act: 'activation_function',
    num_key_value_heads: null,
    head_dim: null,
    rope_theta: null,
  },
  experts: null,
  automatic: true,
}

const gptNeox: TargetFamily = {
  modelType: 'gpt_neox',
  architecture: 'GPTNeoXForCausalLM',
  bodyPrefix: 'gpt_neox.',
  body: { embedding: ['embed_in'], finalNorm: ['final_layer_norm'], head: ['embed_out'] },
  layer: 'layers.{i}',
  layers: {
    attentionNorm: ['input_layernorm'],
    queryKeyValue: ['attention.query_key_value'],
    attentionOutput: ['attention.dense'],
    feedForwardNorm: ['post_attention_layernorm'],
    up: ['mlp.dense_h_to_4h'],
    down: ['mlp.dense_4h_to_h'],
  },
  conv1d: false,
  positions: 'rotary',
  biases: [
    { parts: ['queryKeyValue', 'attentionOutput'], field: 'attention_bias', filled: false },
    { parts: ['up', 'down'], field: null, filled: true },
  ],
  norm: 'layer',
  fusedOrder: 'grouped',
  fieldNames: { rms_norm_eps: 'layer_norm_eps', rope_theta: 'rotary_emb_base', num_key_value_heads: null, head_dim: null },
  experts: null,
  automatic: true,
}

const ROUTED = {
  router: ['mlp.gate'],
  expertGate: ['mlp.experts.{e}.gate_proj'],
  expertUp: ['mlp.experts.{e}.up_proj'],
  expertDown: ['mlp.experts.{e}.down_proj'],
} as const

const qwen3Moe: TargetFamily = {
  ...qwen3,
  modelType: 'qwen3_moe',
  architecture: 'Qwen3MoeForCausalLM',
  layers: { ...LLAMA_ATTENTION, ...HEAD_NORMS, ...ROUTED },
  experts: { count: 'num_experts', width: 'moe_intermediate_size', normalizes: 'norm_topk_prob' },
}

const mixtral: TargetFamily = {
  ...mistral,
  modelType: 'mixtral',
  architecture: 'MixtralForCausalLM',
  layers: {
    ...LLAMA_ATTENTION,
    router: ['block_sparse_moe.gate'],
    expertGate: ['block_sparse_moe.experts.{e}.w1'],
    expertUp: ['block_sparse_moe.experts.{e}.w3'],
    expertDown: ['block_sparse_moe.experts.{e}.w2'],
  },
  experts: { count: 'num_local_experts', width: null, normalizes: null },
}

/** Its shared expert is weighed by a sigmoid; one that is not gets a weight of zeros, whose half is made up for in `down`. */
const qwen2Moe: TargetFamily = {
  ...llama,
  modelType: 'qwen2_moe',
  architecture: 'Qwen2MoeForCausalLM',
  layers: {
    ...LLAMA_ATTENTION,
    ...ROUTED,
    sharedGate: ['mlp.shared_expert.gate_proj'],
    sharedUp: ['mlp.shared_expert.up_proj'],
    sharedDown: ['mlp.shared_expert.down_proj'],
    sharedWeight: ['mlp.shared_expert_gate'],
  },
  biases: [{ parts: ['query', 'key', 'value'], field: 'qkv_bias', filled: false }],
  experts: { count: 'num_experts', width: 'moe_intermediate_size', normalizes: 'norm_topk_prob' },
}

/** Every family that can be written, those with the fewest demands last among equals. */
export const TARGET_FAMILIES: readonly TargetFamily[] = [
  gpt2,
  gptNeox,
  qwen3,
  qwen2,
  llama,
  mistral,
  phi3,
  gemma,
  qwen3Moe,
  qwen2Moe,
  mixtral,
]

/** Names that `--family` takes. */
export const FAMILY_NAMES: readonly string[] = TARGET_FAMILIES.map(({ modelType }) => modelType)
