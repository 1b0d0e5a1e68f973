// Families whose code comes with their checkpoints and has no class in Transformers 5.18. Truth: test/fixtures/make_independent.py.
import { expertNames } from './deepseek'
import { stablelm } from './dense'
import { softmaxExperts } from './experts'
import { llama } from './llama'
import { mergeRows } from './merge-rows'

/** ChatGLM 2 and 3 and GLM-4 in their first form: neighbours rotated in half of each head, a base that is multiplied. Source: their configuration_chatglm.py and modeling_chatglm.py. */
export const chatglm = mergeRows(llama, {
  family: 'ChatGLM',
  modelTypes: ['chatglm'],
  architectures: ['ChatGLMModel', 'ChatGLMForConditionalGeneration'],
  sizes: {
    vocabSize: { field: ['padded_vocab_size', 'vocab_size'], default: 65_024 },
    intermediateSize: { field: 'ffn_hidden_size', default: 13_696 },
    numHiddenLayers: { field: ['num_layers', 'num_hidden_layers'], default: 28 },
    numKeyValueHeads: null,
    headDim: { field: 'kv_channels', default: 128 },
    maxPositionEmbeddings: { field: 'seq_length', default: 2048 },
  },
  norm: { eps: { field: 'layernorm_epsilon', default: 1e-5 } },
  rope: { thetaTimes: { field: 'rope_ratio', default: 1 }, partial: 0.5, interleaved: true },
  attention: {
    projection: 'grouped',
    qkvBias: { field: 'add_qkv_bias', default: false },
    outputBias: { field: 'add_bias_linear', default: false },
  },
  feedForward: {
    joined: true,
    activation: 'silu',
    upBias: { field: 'add_bias_linear', default: false },
    downBias: { field: 'add_bias_linear', default: false },
  },
  head: { tied: false },
  tokens: { bos: null, eos: [] },
  prefixes: ['transformer.', ''],
  names: {
    embedding: 'embedding.word_embeddings',
    finalNorm: 'encoder.final_layernorm',
    head: 'transformer.output_layer',
    layer: 'encoder.layers.{i}',
    queryKeyValue: 'self_attention.query_key_value',
    attentionOutput: 'self_attention.dense',
    gateUp: 'mlp.dense_h_to_4h',
    down: 'mlp.dense_4h_to_h',
  },
  ignoredTensors: ['rotary_pos_emb.inv_freq', 'transformer.vision.'],
  // The scale by layer is undone inside the softmax, and 32-bit residuals are what is computed with here anyway.
  ignoredFields: [
    'attention_bias',
    'mlp_bias',
    'add_qkv_bias',
    'apply_query_key_layer_scaling',
    'bias_dropout_fusion',
    'fp32_residual_connection',
    'multi_query_group_num',
    'prefix_projection',
    'tie_word_embeddings',
    'interleaved_qkv',
    'hidden_act',
  ],
  required: { original_rope: [null, true], pre_seq_len: [null], quantization_bit: [null, 0], position_encoding_2d: [null, false] },
  variants: [
    {
      when: { multi_query_attention: [true] },
      row: { sizes: { numKeyValueHeads: { field: 'multi_query_group_num', default: 1 } }, attention: { projection: 'concatenated' } },
    },
    { when: { add_bias_linear: [true] }, row: { attention: { qkvBias: true } } },
    { when: { rmsnorm: [false] }, row: { norm: { kind: 'layer', bias: true } } },
    { when: { post_layer_norm: [false] }, row: { names: { finalNorm: null } } },
    { when: { apply_residual_connection_post_layernorm: [true] }, row: { residual: { takes: 'normed' } } },
  ],
})

/** Qwen 1: one joined projection with biases; its scaling beyond the trained length is out of reach, since the context ends there. */
export const qwen = mergeRows(llama, {
  family: 'Qwen',
  modelTypes: ['qwen'],
  architectures: ['QWenLMHeadModel'],
  sizes: {
    intermediateSize: { field: 'intermediate_size', as: 'half' },
    numKeyValueHeads: null,
    headDim: { field: 'kv_channels', default: null },
    maxPositionEmbeddings: { field: 'seq_length', default: 2048 },
  },
  norm: { eps: { field: 'layer_norm_epsilon', default: 1e-6 } },
  rope: { thetaFields: 'rotary_emb_base', partial: { field: 'rotary_pct', default: 1 } },
  attention: { projection: 'concatenated', qkvBias: true, outputBias: false },
  feedForward: { activation: 'silu', upBias: false, downBias: false },
  tokens: { bos: null, eos: [] },
  prefixes: ['transformer.', ''],
  names: {
    embedding: 'wte',
    finalNorm: 'ln_f',
    layer: 'h.{i}',
    beforeAttention: 'ln_1',
    queryKeyValue: 'attn.c_attn',
    attentionOutput: 'attn.c_proj',
    beforeFeedForward: 'ln_2',
    gate: 'mlp.w2',
    up: 'mlp.w1',
    down: 'mlp.c_proj',
  },
  ignoredFields: [
    'attention_bias',
    'mlp_bias',
    'max_position_embeddings',
    'use_dynamic_ntk',
    'use_logn_attn',
    'scale_attn_weights',
    'emb_dropout_prob',
    'attn_dropout_prob',
  ],
  required: { no_bias: [null, true], scale_attn_weights: [null, true] },
})

/** EXAONE 3: Llama under GPT's names. */
export const exaone = mergeRows(llama, {
  family: 'EXAONE',
  modelTypes: ['exaone'],
  architectures: ['ExaoneForCausalLM'],
  sizes: {
    intermediateSize: { field: 'intermediate_size', default: { times: 4, size: 'hiddenSize' } },
    numHiddenLayers: { field: ['num_layers', 'num_hidden_layers'], default: 32 },
  },
  norm: { eps: { field: ['layer_norm_epsilon', 'layer_norm_eps'], default: 1e-5 } },
  attention: { qkvBias: false, outputBias: false },
  feedForward: { activation: { field: ['activation_function', 'hidden_act'], default: 'silu' }, upBias: false, downBias: false },
  tokens: { bos: 0, eos: [2] },
  prefixes: ['transformer.', ''],
  names: {
    embedding: 'wte',
    finalNorm: 'ln_f',
    layer: 'h.{i}',
    beforeAttention: 'ln_1',
    query: 'attn.attention.q_proj',
    key: 'attn.attention.k_proj',
    value: 'attn.attention.v_proj',
    attentionOutput: 'attn.attention.out_proj',
    beforeFeedForward: 'ln_2',
    gate: 'mlp.c_fc_0',
    up: 'mlp.c_fc_1',
    down: 'mlp.c_proj',
  },
  ignoredTensors: ['.rotary.inv_freq', '.rotary_emb.inv_freq'],
  ignoredFields: ['attention_bias', 'mlp_bias', 'embed_dropout'],
})

/** MiniCPM 1 and 2: Llama with embeddings, residuals and hidden states scaled as for a model of another width. */
export const minicpm = mergeRows(llama, {
  family: 'MiniCPM',
  modelTypes: ['minicpm'],
  architectures: ['MiniCPMForCausalLM'],
  residual: { multiplier: { field: 'scale_depth', default: 1, overRootOf: 'numHiddenLayers' } },
  embeddingScale: { field: 'scale_emb', default: 1 },
  head: { scale: { field: 'dim_model_base', default: 1, over: 'hiddenSize' }, tied: { field: 'tie_word_embeddings', default: true } },
  feedForward: { upBias: false, downBias: false },
  ignoredFields: ['mlp_bias'],
  required: { num_experts: [null, 0], sparse_config: [null] },
})

/** Orion: Llama with layer norms. */
export const orion = mergeRows(llama, {
  family: 'Orion',
  modelTypes: ['orion'],
  architectures: ['OrionForCausalLM'],
  norm: { kind: 'layer', bias: true, eps: { field: 'rms_norm_eps', default: 1e-5 } },
  attention: { qkvBias: false, outputBias: false },
  feedForward: { upBias: false, downBias: false },
  ignoredFields: ['attention_bias', 'mlp_bias', 'pretraining_tp'],
})

/** InternLM 1: Llama with biases in attention. */
export const internlm = mergeRows(llama, {
  family: 'InternLM',
  modelTypes: ['internlm'],
  architectures: ['InternLMForCausalLM'],
  sizes: { numKeyValueHeads: null, headDim: null },
  attention: { qkvBias: { field: 'bias', default: true }, outputBias: { field: 'bias', default: true } },
  feedForward: { upBias: false, downBias: false },
  ignoredFields: ['attention_bias', 'mlp_bias', 'rotary'],
})

/** Baichuan: Llama with one joined projection. */
export const baichuan = mergeRows(llama, {
  family: 'Baichuan',
  modelTypes: ['baichuan'],
  architectures: ['BaichuanForCausalLM', 'BaiChuanForCausalLM'],
  sizes: {
    numKeyValueHeads: null,
    headDim: null,
    maxPositionEmbeddings: { field: ['model_max_length', 'max_position_embeddings'], default: 4096 },
  },
  attention: { projection: 'concatenated', qkvBias: false, outputBias: false },
  feedForward: { upBias: false, downBias: false },
  names: { queryKeyValue: 'self_attn.W_pack' },
  ignoredFields: ['num_key_value_heads', 'attention_bias', 'mlp_bias', '_from_model_config'],
  variants: [
    // Baichuan 2 normalizes the rows of its head while it loads, which a mapped file cannot do; its vocabulary tells it apart.
    { when: { vocab_size: [125_696] }, row: { required: { vocab_size: [64_000] } } },
    // 13B has 40 heads and 40 layers, and biases over distance instead of rotation.
    {
      when: { num_attention_heads: [40], num_hidden_layers: [40] },
      row: { rope: null, alibi: { maxBias: 8, order: 'doubled-last', rounded: false } },
    },
  ],
})

/** InternLM 2: queries, key and value of each key head side by side. */
export const internlm2 = mergeRows(llama, {
  family: 'InternLM2',
  modelTypes: ['internlm2'],
  architectures: ['InternLM2ForCausalLM'],
  attention: { projection: 'grouped', qkvBias: { field: 'bias', default: false }, outputBias: { field: 'bias', default: false } },
  feedForward: { upBias: false, downBias: false },
  names: {
    embedding: 'tok_embeddings',
    head: 'output',
    beforeAttention: 'attention_norm',
    queryKeyValue: 'attention.wqkv',
    attentionOutput: 'attention.wo',
    beforeFeedForward: 'ffn_norm',
    gate: 'feed_forward.w1',
    up: 'feed_forward.w3',
    down: 'feed_forward.w2',
  },
  ignoredFields: ['attention_bias', 'mlp_bias'],
})

/** MiniMind: Llama's layout, dense or with experts of before 2026 and one that sees every token. */
export const minimind = mergeRows(llama, {
  family: 'MiniMind',
  modelTypes: ['minimind'],
  architectures: ['MiniMindForCausalLM', 'MiniMindLM'],
  sizes: {
    numKeyValueHeads: { field: 'num_key_value_heads', default: 2 },
    headDim: null,
    intermediateSize: { field: 'intermediate_size' },
    maxPositionEmbeddings: { field: ['max_position_embeddings', 'max_seq_len'], default: 32_768 },
  },
  norm: { eps: { field: ['rms_norm_eps', 'norm_eps'], default: 1e-5 } },
  rope: { theta: 1_000_000 },
  attention: { qkvBias: false, outputBias: false },
  feedForward: { upBias: false, downBias: false },
  head: { tied: { field: 'tie_word_embeddings', default: true } },
  ignoredFields: [
    'flash_attn',
    'n_routed_experts',
    'n_shared_experts',
    'num_experts_per_tok',
    'num_experts',
    'scoring_func',
    'aux_loss_alpha',
    'norm_topk_prob',
    'inference_rope_scaling',
    'moe_intermediate_size',
    'use_moe',
  ],
  ignoredTensors: ['freqs_cos', 'freqs_sin'],
  required: { inference_rope_scaling: [null, false] },
  variants: [
    {
      when: { use_moe: [true] },
      row: {
        experts: {
          ...softmaxExperts,
          count: { field: 'n_routed_experts', default: 4 },
          normalize: { field: 'norm_topk_prob', default: true },
          smallestSum: 1e-20,
          shared: { intermediateSize: { field: 'intermediate_size' }, count: 1, gated: false },
        },
        names: {
          experts: {
            ...expertNames,
            correction: null,
            shared: { gate: 'mlp.shared_experts.0.gate_proj', up: 'mlp.shared_experts.0.up_proj', down: 'mlp.shared_experts.0.down_proj' },
          },
        },
        required: { n_shared_experts: [null, 1], scoring_func: [null, 'softmax'], num_experts: [null], moe_intermediate_size: [null] },
      },
    },
  ],
})

/** InternLM 3: Llama with switches of its own for biases. */
export const internlm3 = mergeRows(llama, {
  family: 'InternLM3',
  modelTypes: ['internlm3'],
  architectures: ['InternLM3ForCausalLM'],
  sizes: { maxPositionEmbeddings: { field: 'max_position_embeddings', default: 32_768 } },
  attention: { qkvBias: { field: 'qkv_bias', default: false }, outputBias: { field: 'bias', default: false } },
  feedForward: { upBias: { field: 'bias', default: false }, downBias: { field: 'bias', default: false } },
  ignoredFields: ['attention_bias', 'mlp_bias'],
})

/** StableLM as it was published before Transformers knew it. */
export const stablelmEpoch = mergeRows(stablelm, {
  family: 'StableLM Epoch',
  modelTypes: ['stablelm_epoch'],
  architectures: ['StableLMEpochForCausalLM'],
  norm: { eps: { field: 'norm_eps', default: 1e-5 } },
  rope: { partial: { field: 'rope_pct', default: 1 } },
  ignoredFields: ['attention_bias', 'mlp_bias', 'layer_norm_eps', 'rotary_scaling_factor'],
})

/** DeepSeek MoE, the first one: Llama's attention, softmax routing, experts that see every token. */
export const deepseek = mergeRows(llama, {
  family: 'DeepSeek MoE',
  modelTypes: ['deepseek'],
  architectures: ['DeepseekForCausalLM'],
  feedForward: { upBias: false, downBias: false },
  experts: {
    ...softmaxExperts,
    count: { field: 'n_routed_experts', default: null },
    perToken: { field: 'num_experts_per_tok', default: 2 },
    intermediateSize: { field: 'moe_intermediate_size', default: 1407 },
    normalize: { field: 'norm_topk_prob', default: false },
    smallestSum: 1e-20,
    shared: {
      intermediateSize: { field: 'moe_intermediate_size', default: 1407 },
      count: { field: 'n_shared_experts', default: null },
      gated: false,
    },
    firstDense: { field: 'first_k_dense_replace', default: 0 },
  },
  tokens: { bos: 100_000, eos: [100_001] },
  names: { experts: { ...expertNames, correction: null } },
  ignoredFields: ['mlp_bias', 'scoring_func'],
  required: { moe_layer_freq: [null, 1], scoring_func: [null, 'softmax'] },
})
