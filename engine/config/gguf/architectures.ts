// The architectures of GGUF files as rows of the table of families, with what llama.cpp's converter (convert_hf_to_gguf.py, 2026-05) does to weights undone by the row: no weight is moved.
import { bloom, falcon, mpt } from '../families/bloom'
import { cohere, cohere2 } from '../families/cohere'
import { stablelm, starcoder2 } from '../families/dense'
import { olmo, olmo2 } from '../families/olmo'
import { mixtral, qwen3Moe } from '../families/experts'
import { gemma, gemma2, gemma3Text } from '../families/gemma'
import { gpt2, gptj, gptNeox } from '../families/gpt'
import { granite } from '../families/granite'
import { llama, qwen2, qwen3, smollm3 } from '../families/llama'
import { mergeRows } from '../families/merge-rows'
import { phi, phi3 } from '../families/phi'
import type { FamilyRow, RowChange } from '../families/types'

/** What a GGUF architecture is to the table of families. */
export interface GgufArchitecture {
  readonly row: FamilyRow
  /** Fields of config.json by the metadata key behind the architecture's name that holds them. */
  readonly fields?: Readonly<Record<string, string>>
  /** Fields that the format does not store because llama.cpp has them in its code. */
  readonly fixed?: Readonly<Record<string, number | boolean | string>>
  /** Other places for tensors than the usual ones, by tensor name. */
  readonly names?: Readonly<Record<string, string>>
  /** The scale of the scores, where llama.cpp's code decides it from the sizes. */
  readonly queryScale?: 'gemma'
}

/** Query and key rows are reordered so that rotation pairs neighbours (`LlamaModel.permute`): rotating neighbours undoes it. */
const NEIGHBOURS: RowChange = { rope: { interleaved: true } }
/** One is added to the norm weights (`norm.weight + 1`). */
const WHOLE_NORMS: RowChange = { norm: { plusOne: false } }
/** Queries, keys and values that lay side by side for each head are sorted into one block of each. */
const SORTED_PROJECTION: RowChange = { attention: { projection: 'concatenated' } }

const MOE_FIELDS = { num_experts: 'expert_count', num_experts_per_tok: 'expert_used_count' } as const
const SOFT_CAPS = { attn_logit_softcapping: 'attn_logit_softcapping', final_logit_softcapping: 'final_logit_softcapping' } as const

/** Llama files may hold experts: that is how Mixtral is stored. */
export const GGUF_MIXTRAL: GgufArchitecture = { row: mergeRows(mixtral, NEIGHBOURS), fields: MOE_FIELDS }

/** By `general.architecture`. */
export const GGUF_ARCHITECTURES: ReadonlyMap<string, GgufArchitecture> = new Map<string, GgufArchitecture>([
  ['llama', { row: mergeRows(llama, { ...NEIGHBOURS, attention: { outputBias: { field: 'gguf_output_bias', default: false } } }) }],
  ['qwen2', { row: qwen2 }],
  ['qwen3', { row: qwen3 }],
  [
    'qwen3moe',
    { row: qwen3Moe, fields: { ...MOE_FIELDS, moe_intermediate_size: 'expert_feed_forward_length' }, fixed: { norm_topk_prob: true } },
  ],
  ['gemma', { row: mergeRows(gemma, WHOLE_NORMS) }],
  [
    'gemma2',
    { row: mergeRows(gemma2, WHOLE_NORMS), fields: { ...SOFT_CAPS, sliding_window: 'attention.sliding_window' }, queryScale: 'gemma' },
  ],
  [
    'gemma3',
    {
      row: mergeRows(gemma3Text, WHOLE_NORMS),
      fields: {
        final_logit_softcapping: 'final_logit_softcapping',
        sliding_window: 'attention.sliding_window',
        rope_local_base_freq: 'rope.freq_base_swa',
      },
      queryScale: 'gemma',
    },
  ],
  ['phi2', { row: phi }],
  [
    'phi3',
    {
      row: phi3,
      fields: { original_max_position_embeddings: 'rope.scaling.original_context_length', sliding_window: 'attention.sliding_window' },
    },
  ],
  // Conv1D matrices are transposed.
  ['gpt2', { row: mergeRows(gpt2, { matrixLayout: 'out-in' }) }],
  ['gptj', { row: gptj }],
  ['gptneox', { row: mergeRows(gptNeox, SORTED_PROJECTION), fields: { use_parallel_residual: 'use_parallel_residual' } }],
  ['bloom', { row: mergeRows(bloom, SORTED_PROJECTION) }],
  [
    'falcon',
    {
      row: mergeRows(falcon, { ...SORTED_PROJECTION, sizes: { numKeyValueHeads: { field: 'num_kv_heads', default: 1 } }, variants: [] }),
    },
  ],
  [
    'mpt',
    { row: mpt, fields: { 'attn_config.alibi_bias_max': 'attention.max_alibi_bias', 'attn_config.clip_qkv': 'attention.clamp_kqv' } },
  ],
  ['starcoder2', { row: starcoder2 }],
  ['stablelm', { row: stablelm }],
  ['olmo', { row: mergeRows(olmo, NEIGHBOURS), fields: { clip_qkv: 'attention.clamp_kqv' } }],
  ['olmo2', { row: olmo2 }],
  [
    'granite',
    {
      row: mergeRows(granite, NEIGHBOURS),
      fields: {
        attention_multiplier: 'attention.scale',
        embedding_multiplier: 'embedding_scale',
        residual_multiplier: 'residual_scale',
        logits_scaling: 'logit_scale',
      },
    },
  ],
  ['command-r', { row: cohere, fields: { logit_scale: 'logit_scale' } }],
  ['cohere2', { row: cohere2, fields: { logit_scale: 'logit_scale', sliding_window: 'attention.sliding_window' } }],
  ['smollm3', { row: mergeRows(smollm3, NEIGHBOURS) }],
])

/** Falcon with groups of key heads has two norms before its two parallel blocks. */
export const FALCON_TWO_NORMS: RowChange = { names: { beforeAttention: 'ln_attn', beforeFeedForward: 'ln_mlp' } }
