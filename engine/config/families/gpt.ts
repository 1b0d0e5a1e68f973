// GPT-2 and its descendants: layer norms, plain feed-forward, learned or rotary positions. Defaults of Transformers 5.18.
import { llama } from './llama'
import { mergeRows } from './merge-rows'

/** GPT-2: learned positions, matrices stored as [in, out]. */
export const gpt2 = mergeRows(llama, {
  family: 'GPT-2',
  modelTypes: ['gpt2'],
  architectures: ['GPT2LMHeadModel'],
  sizes: {
    hiddenSize: { field: ['n_embd', 'hidden_size'] },
    intermediateSize: { field: 'n_inner', default: { times: 4, size: 'hiddenSize' } },
    numHiddenLayers: { field: ['n_layer', 'num_hidden_layers'] },
    numAttentionHeads: { field: ['n_head', 'num_attention_heads'] },
    numKeyValueHeads: null,
    headDim: null,
    maxPositionEmbeddings: { field: ['n_positions', 'max_position_embeddings'], default: 1024 },
  },
  norm: { kind: 'layer', bias: true, eps: { field: 'layer_norm_epsilon', default: 1e-5 } },
  rope: null,
  learnedPositions: { offset: 0 },
  attention: {
    projection: 'concatenated',
    qkvBias: true,
    outputBias: true,
    scaleByLayer: { field: 'scale_attn_by_inverse_layer_idx', default: false },
  },
  feedForward: { kind: 'plain', activation: { field: 'activation_function', default: 'gelu_new' }, upBias: true, downBias: true },
  head: { tied: { field: 'tie_word_embeddings', default: true } },
  tokens: { bos: 50_256, eos: [50_256] },
  matrixLayout: 'in-out',
  prefixes: ['transformer.', ''],
  names: {
    embedding: 'wte',
    positions: 'wpe',
    finalNorm: 'ln_f',
    layer: 'h.{i}',
    beforeAttention: 'ln_1',
    queryKeyValue: 'attn.c_attn',
    attentionOutput: 'attn.c_proj',
    beforeFeedForward: 'ln_2',
    up: 'mlp.c_fc',
    down: 'mlp.c_proj',
  },
  ignoredTensors: ['.attn.bias', '.attn.masked_bias'],
  ignoredFields: ['n_ctx', 'attention_bias', 'mlp_bias'],
  required: { add_cross_attention: [null, false] },
  variants: [{ when: { scale_attn_weights: [false] }, row: { attention: { scale: 1 } } }],
})

/** GPT-BigCode (StarCoder 1): GPT-2 with one key and value head, or with heads' queries, keys and values side by side. */
export const gptBigcode = mergeRows(gpt2, {
  family: 'GPT-BigCode',
  modelTypes: ['gpt_bigcode'],
  architectures: ['GPTBigCodeForCausalLM'],
  sizes: { numKeyValueHeads: 1 },
  attention: { scaleByLayer: false },
  feedForward: { activation: { field: 'activation_function', default: 'gelu_pytorch_tanh' } },
  matrixLayout: 'out-in',
  ignoredFields: [
    'n_ctx',
    'num_key_value_heads',
    'inference_runner',
    'max_sequence_length',
    'pre_allocate_kv_cache',
    'validate_runner_input',
  ],
  variants: [
    { when: { scale_attn_weights: [false] }, row: { attention: { scale: 1 } } },
    { when: { multi_query: [false] }, row: { sizes: { numKeyValueHeads: null }, attention: { projection: 'grouped' } } },
  ],
})

/** GPT-J: attention and feed-forward side by side, neighbours rotated. */
export const gptj = mergeRows(gpt2, {
  family: 'GPT-J',
  modelTypes: ['gptj'],
  architectures: ['GPTJForCausalLM'],
  sizes: { maxPositionEmbeddings: { field: ['n_positions', 'max_position_embeddings'], default: 2048 } },
  residual: { kind: 'parallel' },
  rope: {
    theta: 10_000,
    thetaFields: [],
    thetaTimes: 1,
    partial: null,
    dim: { field: 'rotary_dim', default: 64 },
    interleaved: true,
    layers: 'all',
    windowTheta: null,
    alpha: false,
    queryScaling: false,
    kinds: {},
  },
  learnedPositions: null,
  attention: { projection: 'separate', qkvBias: false, outputBias: false, scaleByLayer: false },
  head: { bias: true, tied: { field: 'tie_word_embeddings', default: false } },
  matrixLayout: 'out-in',
  names: {
    query: 'attn.q_proj',
    key: 'attn.k_proj',
    value: 'attn.v_proj',
    attentionOutput: 'attn.out_proj',
    beforeFeedForward: null,
    up: 'mlp.fc_in',
    down: 'mlp.fc_out',
  },
  ignoredFields: ['n_ctx', 'rotary', 'scale_attn_weights', 'use_rotary'],
  variants: [],
})

/** GPT-NeoX and Pythia. */
export const gptNeox = mergeRows(llama, {
  family: 'GPT-NeoX',
  modelTypes: ['gpt_neox'],
  architectures: ['GPTNeoXForCausalLM'],
  sizes: { numKeyValueHeads: null, headDim: null },
  norm: { kind: 'layer', bias: true, eps: { field: 'layer_norm_eps', default: 1e-5 } },
  residual: { kind: 'parallel' },
  rope: { thetaFields: ['rotary_emb_base', 'rope_theta'], partial: { field: ['rotary_pct', 'partial_rotary_factor'], default: 0.25 } },
  attention: {
    projection: 'grouped',
    qkvBias: { field: 'attention_bias', default: true },
    outputBias: { field: 'attention_bias', default: true },
  },
  feedForward: { kind: 'plain', activation: { field: 'hidden_act', default: 'gelu' }, upBias: true, downBias: true },
  tokens: { bos: 0, eos: [2] },
  prefixes: ['gpt_neox.', ''],
  names: {
    embedding: 'embed_in',
    finalNorm: 'final_layer_norm',
    head: 'embed_out',
    queryKeyValue: 'attention.query_key_value',
    attentionOutput: 'attention.dense',
    up: 'mlp.dense_h_to_4h',
    down: 'mlp.dense_4h_to_h',
  },
  ignoredTensors: ['.rotary_emb.inv_freq', '.attention.bias', '.attention.masked_bias'],
  ignoredFields: ['mlp_bias'],
  variants: [{ when: { use_parallel_residual: [false] }, row: { residual: { kind: 'sequential' } } }],
})

/** OPT: learned positions from row 2, norms before or after the sums. */
export const opt = mergeRows(llama, {
  family: 'OPT',
  modelTypes: ['opt'],
  architectures: ['OPTForCausalLM'],
  sizes: {
    intermediateSize: { field: 'ffn_dim' },
    numKeyValueHeads: null,
    headDim: null,
    embeddingSize: { field: 'word_embed_proj_dim', default: null },
  },
  norm: { kind: 'layer', bias: { field: 'layer_norm_elementwise_affine', default: true }, eps: 1e-5 },
  rope: null,
  learnedPositions: { offset: 2 },
  attention: { qkvBias: { field: 'enable_bias', default: true }, outputBias: { field: 'enable_bias', default: true } },
  feedForward: {
    kind: 'plain',
    activation: { field: 'activation_function', default: 'relu' },
    upBias: { field: 'enable_bias', default: true },
    downBias: { field: 'enable_bias', default: true },
  },
  head: { tied: { field: 'tie_word_embeddings', default: true } },
  tokens: { bos: 2, eos: [2] },
  prefixes: ['model.decoder.', 'decoder.', ''],
  names: {
    positions: 'embed_positions',
    projectIn: 'project_in',
    projectOut: 'project_out',
    finalNorm: 'final_layer_norm',
    beforeAttention: 'self_attn_layer_norm',
    attentionOutput: 'self_attn.out_proj',
    beforeFeedForward: 'final_layer_norm',
    up: 'fc1',
    down: 'fc2',
  },
  ignoredFields: ['attention_bias', 'mlp_bias', 'output_projection'],
  variants: [
    { when: { layer_norm_elementwise_affine: [false] }, row: { norm: { weight: false, bias: false } } },
    { when: { _remove_final_layer_norm: [true] }, row: { names: { finalNorm: null } } },
    {
      when: { do_layer_norm_before: [false] },
      row: {
        names: {
          finalNorm: null,
          beforeAttention: null,
          afterAttentionSum: 'self_attn_layer_norm',
          beforeFeedForward: null,
          afterFeedForwardSum: 'final_layer_norm',
        },
      },
    },
  ],
})
