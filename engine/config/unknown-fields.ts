// Fields of config.json that nothing looked at: known to change nothing, or refused by name when they look like a switch that is on.
import type { JsonValue } from '../bytes/json'
import { engineError } from '../errors'
import type { ConfigFields } from './config-fields'
import type { FamilyRow } from './families/types'
import { publishedFields } from './published-fields'
import { valueAt } from './row-rules'

/** Fields that no decoder's result depends on: training, bookkeeping, other heads, hints for other programs. Source: PreTrainedConfig and the configuration classes of Transformers 5.18. */
const HARMLESS: ReadonlySet<string> = new Set(
  `_attn_implementation _attn_implementation_autoset _attn_implementation_internal _commit_hash _experts_implementation _flash_attn_2_enabled _name_or_path _num_labels
  add_bos_token add_cross_attention add_eos_token architectures attention_dropout attention_probs_dropout_prob attention_softmax_in_fp32 attn_pdrop auto_map aux_loss_alpha
  begin_suppress_tokens bos_token_id bad_words_ids cache_implementation chunk_size_feed_forward classifier_dropout classifier_dropout_prob cross_attention_hidden_size
  decoder_start_token_id diversity_penalty do_sample dtype early_stopping embd_pdrop embedding_dropout emb_pdrop encoder_no_repeat_ngram_size eos_token_id eod_token_id ep_size
  exponential_decay_length_penalty ffn_dropout finetuning_task forced_bos_token_id forced_eos_token_id fuse_cross_entropy gradient_checkpointing
  hidden_dropout hidden_dropout_prob id2label init_device init_std initializer_factor initializer_range initializer_cutoff_factor is_decoder is_encoder_decoder is_llama_config
  keys_to_ignore_at_inference label2id layerdrop length_penalty max_length max_new_tokens min_length model_type model_max_length mup_enabled n_positions name no_repeat_ngram_size
  num_beam_groups num_beams num_labels num_nextn_predict_layers num_return_sequences offload_folder output_attentions output_hidden_states output_router_logits output_scores
  pad_token_id prefix pretraining_tp problem_type pruned_heads quantization_config remove_invalid_values reorder_and_upcast_attn repetition_penalty resid_dropout resid_pdrop residual_dropout
  return_dict return_dict_in_generate rope_scaling_type router_aux_loss_coef router_jitter_noise router_z_loss_coef routed_dropout scale_attention_softmax_in_fp32 seq_aux seq_length sep_token_id slow_but_exact
  suppress_tokens summary_activation summary_first_dropout summary_proj_to_labels summary_type summary_use_proj task_specific_params temperature test tf_legacy_loss tie_encoder_decoder
  tokenizer_class tokenizer_name top_k top_p torch_dtype torchscript transformers_version transformers.js_config typical_p unk_token_id unsloth_fixed unsloth_version use_bfloat16 use_cache use_cache_quantization
  use_cache_kernel use_flash_attn use_logn_attn_training use_mamba_kernels use_sdpa verbose vocab_size_original attn_implementation attn_impl _sliding_window_pattern boi_token_index eoi_token_index image_token_index
  mm_tokens_per_image vision_config text_config draft_vocab_size mask_token_id z_loss_weight rms_norm_fused`
    .split(/\s+/)
    .filter((name) => name !== ''),
)

/** Fields that are read for some kinds of positions only; what they mean for the others is nothing. */
const POSITIONS = ['rope_parameters', 'rope_scaling', 'rope_theta', 'partial_rotary_factor', 'original_max_position_embeddings']

/** Words of a field's name that speak of computing; a field with none of them is bookkeeping of somebody. */
const TELLING =
  /(^|_)(attn|attention|rope|rotary|norm|layernorm|ln|scale|scaling|multiplier|bias|residual|window|softcap|softcapping|cap|clip|alibi|position|positions|embedding|embeddings|emb|expert|experts|moe|router|head|heads|activation|act|parallel|qk|qkv|mlp|ffn|logit|logits|layer|layers|interval|sparse|lora|rank|group|conv|mamba|ssm|recurrent|tie|causal|bidirectional|gate|gated|sink|sinks)(_|$)/

/** Every field that a rule of the row names, whether or not this file's switches made it count. */
function namedFields(part: unknown, names: Set<string>): Set<string> {
  if (typeof part !== 'object' || part === null) return names
  const entries: readonly (readonly [string, unknown])[] = Object.entries(part)
  for (const [key, value] of entries) {
    if ((key === 'required' || key === 'when') && typeof value === 'object')
      for (const name of Object.keys(value ?? {})) names.add(topLevel(name))
    else if (key === 'field' || key === 'thetaFields') for (const name of [value].flat()) names.add(topLevel(String(name)))
    else if ((key === 'exceptField' || key === 'typesField' || key === 'attentionLayers' || key === 'listed') && typeof value === 'string')
      names.add(value)
    else namedFields(value, names)
  }
  return names
}

function topLevel(name: string): string {
  return name.split('.', 1)[0] ?? name
}

/** Whether a field says anything: neither absent nor null, off, zero or empty. */
export function isOn(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return false
  return !(Array.isArray(value) && value.length === 0)
}

/** Throws "config/unsupported-switch" for a field that the row does not know, that is on, and whose name speaks of computing. */
export function refuseUnknownFields(config: ConfigFields, row: FamilyRow): void {
  const ignored = namedFields(row, new Set([...POSITIONS, ...row.ignoredFields, ...publishedFields(row.modelTypes)]))
  for (const [name, value] of Object.entries(config.json)) {
    if (config.seen?.has(name) === true || HARMLESS.has(name) || ignored.has(name)) continue
    if (!isOn(value) || !TELLING.test(name)) continue
    throw engineError('config/unsupported-switch', {
      path: config.path,
      field: config.prefix + name,
      found: value,
      supported: `a ${row.family} configuration without it`,
    })
  }
}

/** Throws "config/unsupported-switch" where a field has a value for which the row does not hold. */
export function requireValues(config: ConfigFields, row: FamilyRow): void {
  for (const [name, allowed] of Object.entries(row.required)) {
    const found = valueAt(config, name)
    if (allowed.some((one) => one === found)) continue
    throw engineError('config/unsupported-switch', {
      path: config.path,
      field: config.prefix + name,
      found,
      supported: allowed.map((one) => JSON.stringify(one)).join(', '),
    })
  }
}

/** Whether a file has the values that a variant of a row asks for. */
export function matchesAll(config: ConfigFields, when: FamilyRow['required']): boolean {
  // Every field is looked at, so that all count as known.
  return Object.entries(when)
    .map(([name, allowed]) => allowed.some((one) => one === valueAt(config, name)))
    .every((match) => match)
}
