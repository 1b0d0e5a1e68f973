// Fields that the published models of a family carry in config.json and that nothing computes with: Transformers 5.18's configuration class does not know them,
// or its modules do not read them. Listed by `model_type`, since the same name can be a switch elsewhere. Source: the config.json of each model.

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

const PUBLISHED: Readonly<Record<string, readonly string[]>> = {
  // Falcon 3; SmolLM 2.
  llama: words('activation rope_interleaved'),
  gemma2: words('sliding_window_size'),
  // Command R7B: the same facts as its architecture, spelled out.
  cohere2:
    words(`layer_switch order_of_interleaved_layers position_embedding_type rotary_pct use_embedding_sharing use_gated_activation use_parallel_block
    use_parallel_embedding`),
  // The dense models carry the switches of the family's mixtures of experts, with a single expert.
  hunyuan_v1_dense:
    words(`num_experts moe_drop_tokens moe_intermediate_size moe_layer_num_skipped moe_random_routing_dropped_token moe_topk num_shared_expert
    use_mixed_mlp_moe norm_topk_prob routed_scaling_factor group_limited_greedy n_group topk_group enable_lm_head_fp32 add_classification_head`),
  // Phi-4 mini.
  phi3: words('full_attn_mod lm_head_bias'),
  smollm3: words('max_window_layers'),
  starcoder2: words('activation_function layer_norm_epsilon scale_attn_weights'),
  stablelm: words('num_heads rotary_scaling_factor'),
  // Qwen3 Coder: what every Qwen3 does.
  qwen3_moe: words('qkv_bias use_qk_norm shared_expert_intermediate_size'),
}

/** Fields of a family's published models that change nothing. */
export function publishedFields(modelTypes: readonly string[]): readonly string[] {
  return modelTypes.flatMap((modelType) => PUBLISHED[modelType] ?? [])
}
