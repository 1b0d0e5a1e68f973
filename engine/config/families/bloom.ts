// Bloom, Falcon and MPT: linear biases over distance or rotary positions, fused projections. Defaults of Transformers 5.18.
import { gptNeox } from './gpt'
import { mergeRows } from './merge-rows'

/** Bloom: linear biases over distance, a norm after the embedding. */
export const bloom = mergeRows(gptNeox, {
  family: 'Bloom',
  modelTypes: ['bloom'],
  architectures: ['BloomForCausalLM'],
  sizes: {
    hiddenSize: { field: ['n_embed', 'hidden_size'] },
    intermediateSize: { field: 'n_inner', default: { times: 4, size: 'hiddenSize' } },
    numHiddenLayers: { field: ['n_layer', 'num_hidden_layers'] },
    numAttentionHeads: { field: ['n_head', 'num_attention_heads'] },
    maxPositionEmbeddings: { field: 'seq_length', default: 2048 },
  },
  norm: { eps: { field: 'layer_norm_epsilon', default: 1e-5 } },
  residual: { kind: 'sequential' },
  rope: null,
  alibi: { maxBias: 8, order: 'doubled-last', rounded: false },
  attention: { qkvBias: true, outputBias: true },
  feedForward: { activation: 'gelu_pytorch_tanh' },
  head: { tied: { field: 'tie_word_embeddings', default: true } },
  tokens: { bos: 1, eos: [2] },
  prefixes: ['transformer.', ''],
  names: {
    embedding: 'word_embeddings',
    embeddingNorm: 'word_embeddings_layernorm',
    finalNorm: 'ln_f',
    head: 'lm_head',
    layer: 'h.{i}',
    queryKeyValue: 'self_attention.query_key_value',
    attentionOutput: 'self_attention.dense',
  },
  ignoredTensors: [],
  ignoredFields: [
    'attention_bias',
    'mlp_bias',
    'skip_bias_add',
    'skip_bias_add_qkv',
    'bias_dropout_fusion',
    'masked_softmax_fusion',
    'unk_token_id',
    'offset_alibi',
  ],
  variants: [{ when: { apply_residual_connection_post_layernorm: [true] }, row: { residual: { takes: 'normed' } } }],
})

/** Falcon 7B (one key head, one norm); the variants are 40B and later (groups, two norms), RW (sequential, linear biases). */
export const falcon = mergeRows(bloom, {
  family: 'Falcon',
  modelTypes: ['falcon', 'RefinedWebModel', 'RefinedWeb'],
  architectures: ['FalconForCausalLM', 'RWForCausalLM'],
  sizes: {
    intermediateSize: { field: 'ffn_hidden_size', default: { times: 4, size: 'hiddenSize' } },
    numKeyValueHeads: 1,
    maxPositionEmbeddings: { field: 'max_position_embeddings', default: 2048 },
  },
  residual: { kind: 'parallel' },
  rope: {
    theta: 10_000,
    thetaFields: 'rope_theta',
    thetaTimes: 1,
    partial: null,
    dim: null,
    interleaved: false,
    layers: 'all',
    windowTheta: null,
    alpha: false,
    queryScaling: false,
    kinds: {},
  },
  alibi: null,
  attention: { projection: 'concatenated', qkvBias: { field: 'bias', default: false }, outputBias: { field: 'bias', default: false } },
  feedForward: {
    activation: { field: 'activation', default: 'gelu' },
    upBias: { field: 'bias', default: false },
    downBias: { field: 'bias', default: false },
  },
  tokens: { bos: 11, eos: [11] },
  names: { embeddingNorm: null, beforeFeedForward: null },
  ignoredTensors: ['.self_attention.rotary_emb.inv_freq'],
  ignoredFields: [
    'attention_bias',
    'mlp_bias',
    'num_kv_heads',
    'n_head_kv',
    'num_ln_in_parallel_attn',
    'apply_residual_connection_post_layernorm',
    'rotary',
  ],
  variants: [
    { when: { multi_query: [false] }, row: { sizes: { numKeyValueHeads: null }, attention: { projection: 'grouped' } } },
    {
      when: { parallel_attn: [false] },
      row: { residual: { kind: 'sequential' }, names: { beforeFeedForward: 'post_attention_layernorm' } },
    },
    {
      when: { new_decoder_architecture: [true] },
      row: {
        sizes: { numKeyValueHeads: { field: ['num_kv_heads', 'n_head_kv'], default: null } },
        residual: { kind: 'parallel' },
        attention: { projection: 'grouped' },
        names: { beforeAttention: 'ln_attn', beforeFeedForward: 'ln_mlp' },
      },
    },
    {
      when: { new_decoder_architecture: [true], num_ln_in_parallel_attn: [1] },
      row: { names: { beforeAttention: 'input_layernorm', beforeFeedForward: null } },
    },
    { when: { alibi: [true] }, row: { rope: null, alibi: { maxBias: 8, order: 'doubled-last', rounded: true } } },
  ],
})

/** MPT: linear biases over distance, no biases elsewhere. */
export const mpt = mergeRows(bloom, {
  family: 'MPT',
  modelTypes: ['mpt'],
  architectures: ['MptForCausalLM', 'MPTForCausalLM'],
  sizes: {
    hiddenSize: { field: ['d_model', 'hidden_size'] },
    intermediateSize: { field: [], default: { times: 4, size: 'hiddenSize' } },
    numHiddenLayers: { field: ['n_layers', 'num_hidden_layers'] },
    numAttentionHeads: { field: ['n_heads', 'num_attention_heads'] },
    maxPositionEmbeddings: { field: ['max_seq_len', 'max_position_embeddings'], default: 2048 },
  },
  norm: { bias: false },
  // Transformers computes the slopes for a largest bias of 8, whatever alibi_bias_max says.
  alibi: { maxBias: 8, order: 'odd-first', rounded: false },
  attention: {
    projection: 'concatenated',
    qkvBias: false,
    outputBias: false,
    scale: { field: 'attn_config.softmax_scale', default: null },
    clip: { field: 'attn_config.clip_qkv', default: null },
  },
  feedForward: { activation: 'gelu', upBias: false, downBias: false },
  tokens: { bos: null, eos: [] },
  names: {
    embedding: 'wte',
    embeddingNorm: null,
    finalNorm: 'norm_f',
    layer: 'blocks.{i}',
    beforeAttention: 'norm_1',
    queryKeyValue: 'attn.Wqkv',
    attentionOutput: 'attn.out_proj',
    beforeFeedForward: 'norm_2',
    up: 'ffn.up_proj',
    down: 'ffn.down_proj',
  },
  ignoredFields: ['learned_pos_emb', 'norm_type', 'init_config', 'fc_type', 'ffn_config', 'expansion_ratio', 'embedding_fraction'],
  required: {
    logit_scale: [null],
    no_bias: [null, true],
    expansion_ratio: [null, 4],
    embedding_fraction: [null, 1],
    'attn_config.alibi': [null, true],
    'attn_config.alibi_bias_max': [null, 8],
    'attn_config.qk_ln': [null, false],
    'attn_config.prefix_lm': [null, false],
    'attn_config.attn_type': [null, 'multihead_attention'],
  },
  variants: [],
})
