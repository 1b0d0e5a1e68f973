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
  /** Whether 'auto' may choose it: not where other families have the same tensors and another arithmetic. */
  readonly automatic: boolean
}

const ATTENTION: readonly LayerSlot[] = ['query', 'key', 'value', 'attentionOutput']

const llama: TargetFamily = {
  modelType: 'llama',
  architecture: 'LlamaForCausalLM',
  bodyPrefix: 'model.',
  body: { embedding: ['embed_tokens'], finalNorm: ['norm'], head: ['lm_head'] },
  layer: 'layers.{i}',
  layers: {
    attentionNorm: ['input_layernorm'],
    query: ['self_attn.q_proj'],
    key: ['self_attn.k_proj'],
    value: ['self_attn.v_proj'],
    attentionOutput: ['self_attn.o_proj'],
    feedForwardNorm: ['post_attention_layernorm'],
    gate: ['mlp.gate_proj'],
    up: ['mlp.up_proj'],
    down: ['mlp.down_proj'],
  },
  conv1d: false,
  positions: 'rotary',
  biases: [
    { parts: ATTENTION, field: 'attention_bias', filled: false },
    { parts: ['gate', 'up', 'down'], field: 'mlp_bias', filled: false },
  ],
  norm: 'rms',
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
  layers: { ...llama.layers, queryNorm: ['self_attn.q_norm'], keyNorm: ['self_attn.k_norm'] },
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
  automatic: true,
}

/** Every family that can be written, those with the fewest demands last among equals. */
export const TARGET_FAMILIES: readonly TargetFamily[] = [gpt2, qwen3, qwen2, llama, mistral, phi3, gemma]

/** Names that `--family` takes. */
export const FAMILY_NAMES: readonly string[] = TARGET_FAMILIES.map(({ modelType }) => modelType)
