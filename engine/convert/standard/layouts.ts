// How custom decoders name their tensors, as data. Names are facts of the public repositories: jingyaogong/minimind, meta-llama/llama, karpathy/nanoGPT and llama2.c, Lightning-AI/litgpt and lit-llama, EleutherAI/gpt-neox as Transformers has it.
import type { BodyModules, LayerModules } from './slots'

/** One naming. Module names are relative to the body, or to the folder of a layer; several are alternatives. */
export interface SourceLayout {
  readonly name: string
  readonly body: BodyModules
  /** The folder of a layer, with {i} for its number. */
  readonly layer: string
  readonly layers: LayerModules
  /** Rotated pairs of a head: its two halves, or neighbours. */
  readonly rotary: 'half-split' | 'interleaved' | 'none'
  /** A fused projection: all queries, then keys, then values; or group by group, as each key's queries follow each other. */
  readonly fusedOrder: (module: string) => 'stacked' | 'grouped'
  /** What no converted model needs, by its name in the body. */
  readonly dropped: readonly RegExp[]
}

const stacked = (): 'stacked' => 'stacked'

/** Tables of rotation and masks, which follow from the configuration. */
const TABLES: readonly RegExp[] = [
  /(^|\.)rotary_emb\.(inv_freq|cos_cached|sin_cached|original_inv_freq)$/,
  /^(freqs_cos|freqs_sin|freqs_cis|pos_cis|rope\.freqs|rope_cache|cos|sin|mask|mask_cache|cos_cached|sin_cached)$/,
  /(^|\.)(attention|attn|self_attn)\.(mask|causal_mask)$/,
]

/** Names of Transformers, which MiniMind's model_minimind.py has too. */
const huggingFace: SourceLayout = {
  name: 'huggingface',
  body: { embedding: ['embed_tokens'], finalNorm: ['norm'], head: ['lm_head'] },
  layer: 'layers.{i}',
  layers: {
    attentionNorm: ['input_layernorm'],
    query: ['self_attn.q_proj'],
    key: ['self_attn.k_proj'],
    value: ['self_attn.v_proj'],
    queryKeyValue: ['self_attn.qkv_proj'],
    attentionOutput: ['self_attn.o_proj'],
    queryNorm: ['self_attn.q_norm'],
    keyNorm: ['self_attn.k_norm'],
    feedForwardNorm: ['post_attention_layernorm'],
    gate: ['mlp.gate_proj'],
    up: ['mlp.up_proj'],
    gateUp: ['mlp.gate_up_proj'],
    down: ['mlp.down_proj'],
    router: ['mlp.gate', 'block_sparse_moe.gate'],
    expertGate: ['mlp.experts.{e}.gate_proj', 'block_sparse_moe.experts.{e}.w1'],
    expertUp: ['mlp.experts.{e}.up_proj', 'block_sparse_moe.experts.{e}.w3'],
    expertDown: ['mlp.experts.{e}.down_proj', 'block_sparse_moe.experts.{e}.w2'],
    sharedGate: ['mlp.shared_experts.{e}.gate_proj', 'mlp.shared_expert.gate_proj'],
    sharedUp: ['mlp.shared_experts.{e}.up_proj', 'mlp.shared_expert.up_proj'],
    sharedDown: ['mlp.shared_experts.{e}.down_proj', 'mlp.shared_expert.down_proj'],
    sharedWeight: ['mlp.shared_expert_gate'],
  },
  rotary: 'half-split',
  fusedOrder: stacked,
  dropped: TABLES,
}

/** Meta's consolidated.*.pth, llama2.c's checkpoints, and MiniMind before 2025. */
const meta: SourceLayout = {
  name: 'meta',
  body: { embedding: ['tok_embeddings'], finalNorm: ['norm'], head: ['output'] },
  layer: 'layers.{i}',
  layers: {
    attentionNorm: ['attention_norm'],
    query: ['attention.wq'],
    key: ['attention.wk'],
    value: ['attention.wv'],
    queryKeyValue: ['attention.wqkv'],
    attentionOutput: ['attention.wo'],
    feedForwardNorm: ['ffn_norm'],
    gate: ['feed_forward.w1'],
    up: ['feed_forward.w3'],
    down: ['feed_forward.w2'],
    router: ['feed_forward.gate'],
    expertGate: ['feed_forward.experts.{e}.w1'],
    expertUp: ['feed_forward.experts.{e}.w3'],
    expertDown: ['feed_forward.experts.{e}.w2'],
    sharedGate: ['feed_forward.shared_experts.w1'],
    sharedUp: ['feed_forward.shared_experts.w3'],
    sharedDown: ['feed_forward.shared_experts.w2'],
  },
  rotary: 'interleaved',
  fusedOrder: stacked,
  dropped: TABLES,
}

/** litgpt. Its first releases fused the projections group by group (`attn.attn`), later ones stack them (`attn.qkv`). */
const litgpt: SourceLayout = {
  name: 'litgpt',
  body: { embedding: ['wte'], finalNorm: ['ln_f'], head: ['lm_head'] },
  layer: 'h.{i}',
  layers: {
    attentionNorm: ['norm_1'],
    queryKeyValue: ['attn.qkv', 'attn.attn'],
    attentionOutput: ['attn.proj'],
    queryNorm: ['attn.norm_q'],
    keyNorm: ['attn.norm_k'],
    feedForwardNorm: ['norm_2'],
    gate: ['mlp.fc_1'],
    up: ['mlp.fc_2', 'mlp.fc'],
    down: ['mlp.proj'],
  },
  rotary: 'half-split',
  fusedOrder: (module) => (module === 'attn.attn' ? 'grouped' : 'stacked'),
  dropped: TABLES,
}

/** lit-llama, litgpt's forerunner. */
const litLlama: SourceLayout = {
  name: 'lit-llama',
  body: { embedding: ['wte'], finalNorm: ['ln_f'], head: ['lm_head'] },
  layer: 'h.{i}',
  layers: {
    attentionNorm: ['rms_1'],
    queryKeyValue: ['attn.c_attn'],
    attentionOutput: ['attn.c_proj'],
    feedForwardNorm: ['rms_2'],
    gate: ['mlp.c_fc1'],
    up: ['mlp.c_fc2'],
    down: ['mlp.c_proj'],
  },
  rotary: 'interleaved',
  fusedOrder: stacked,
  dropped: TABLES,
}

/** GPT-NeoX and Pythia in Transformers. */
const gptNeox: SourceLayout = {
  name: 'gpt_neox',
  body: { embedding: ['embed_in'], finalNorm: ['final_layer_norm'], head: ['embed_out', 'lm_head'] },
  layer: 'layers.{i}',
  layers: {
    attentionNorm: ['input_layernorm'],
    queryKeyValue: ['attention.query_key_value'],
    attentionOutput: ['attention.dense'],
    feedForwardNorm: ['post_attention_layernorm'],
    up: ['mlp.dense_h_to_4h'],
    down: ['mlp.dense_4h_to_h'],
  },
  rotary: 'half-split',
  fusedOrder: () => 'grouped',
  dropped: [/^layers\.\d+\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)$/],
}

/** GPT-2 in Transformers and nanoGPT: the same names; which way the matrices lie is seen from their shapes. */
const gpt2: SourceLayout = {
  name: 'gpt2',
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
  rotary: 'none',
  fusedOrder: stacked,
  dropped: [...TABLES, /^h\.\d+\.attn\.(bias|masked_bias)$/],
}

/** llama.cpp's names. */
const gguf: SourceLayout = {
  name: 'gguf',
  body: { embedding: ['token_embd'], positions: ['position_embd'], finalNorm: ['output_norm'], head: ['output'] },
  layer: 'blk.{i}',
  layers: {
    attentionNorm: ['attn_norm'],
    query: ['attn_q'],
    key: ['attn_k'],
    value: ['attn_v'],
    queryKeyValue: ['attn_qkv'],
    attentionOutput: ['attn_output'],
    queryNorm: ['attn_q_norm'],
    keyNorm: ['attn_k_norm'],
    feedForwardNorm: ['ffn_norm'],
    gate: ['ffn_gate'],
    up: ['ffn_up'],
    down: ['ffn_down'],
  },
  rotary: 'interleaved',
  fusedOrder: stacked,
  dropped: [/^rope_freqs\.weight$/],
}

/** Every naming that is recognised. */
export const SOURCE_LAYOUTS: readonly SourceLayout[] = [huggingFace, meta, litgpt, litLlama, gptNeox, gpt2, gguf]
