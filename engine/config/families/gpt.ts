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

/** CodeGen: GPT-J with one projection in four parts. */
export const codegen = mergeRows(gptj, {
  family: 'CodeGen',
  modelTypes: ['codegen'],
  architectures: ['CodeGenForCausalLM'],
  attention: { projection: 'quarters' },
  names: { query: null, key: null, value: null, queryKeyValue: 'attn.qkv_proj' },
  ignoredTensors: ['.attn.causal_mask', '.attn.bias', '.attn.masked_bias'],
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

/** GPT-Neo: windows in every second layer or as listed, scores without a scale. */
export const gptNeo = mergeRows(gpt2, {
  family: 'GPT-Neo',
  modelTypes: ['gpt_neo'],
  architectures: ['GPTNeoForCausalLM'],
  sizes: {
    hiddenSize: { field: 'hidden_size' },
    intermediateSize: { field: 'intermediate_size', default: { times: 4, size: 'hiddenSize' } },
    numHiddenLayers: { field: ['num_layers', 'num_hidden_layers'] },
    numAttentionHeads: { field: ['num_heads', 'num_attention_heads'] },
    maxPositionEmbeddings: { field: 'max_position_embeddings', default: 2048 },
  },
  window: { size: { field: 'window_size', default: 256 }, enabled: true, layers: { listed: 'attention_types' } },
  attention: { projection: 'separate', qkvBias: false, outputBias: true, scale: 1, scaleByLayer: false },
  matrixLayout: 'out-in',
  names: {
    query: 'attn.attention.q_proj',
    key: 'attn.attention.k_proj',
    value: 'attn.attention.v_proj',
    attentionOutput: 'attn.attention.out_proj',
  },
  ignoredTensors: ['.attn.attention.bias', '.attn.attention.masked_bias'],
  ignoredFields: ['attention_bias', 'mlp_bias', 'attention_layers', 'embed_dropout'],
  required: {},
  variants: [],
})

/** The first GPT: norms after the sums, no last norm. */
export const openaiGpt = mergeRows(gpt2, {
  family: 'GPT',
  modelTypes: ['openai-gpt'],
  architectures: ['OpenAIGPTLMHeadModel'],
  sizes: {
    intermediateSize: { field: [], default: { times: 4, size: 'hiddenSize' } },
    maxPositionEmbeddings: { field: ['n_positions', 'max_position_embeddings'], default: 512 },
  },
  attention: { scaleByLayer: false },
  // Its `gelu` is the approximation by tanh.
  feedForward: { activation: 'gelu_new' },
  tokens: { bos: null, eos: [] },
  names: {
    embedding: 'tokens_embed',
    positions: 'positions_embed',
    finalNorm: null,
    beforeAttention: null,
    afterAttentionSum: 'ln_1',
    beforeFeedForward: null,
    afterFeedForwardSum: 'ln_2',
  },
  ignoredFields: ['n_ctx', 'attention_bias', 'mlp_bias', 'predict_special_tokens'],
  required: { afn: [null, 'gelu'] },
  variants: [],
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

/** BioGPT: OPT's layers under other names, with a scaled embedding. */
export const biogpt = mergeRows(opt, {
  family: 'BioGPT',
  modelTypes: ['biogpt'],
  architectures: ['BioGptForCausalLM'],
  sizes: {
    intermediateSize: { field: 'intermediate_size' },
    maxPositionEmbeddings: { field: 'max_position_embeddings', default: 1024 },
    embeddingSize: null,
  },
  norm: { bias: true },
  embeddingScale: 'square-root-of-hidden-size',
  attention: { qkvBias: true, outputBias: true },
  feedForward: { activation: { field: 'hidden_act', default: 'gelu' }, upBias: true, downBias: true },
  tokens: { bos: 0, eos: [2] },
  prefixes: ['biogpt.', ''],
  names: { projectIn: null, projectOut: null, finalNorm: 'layer_norm', head: 'output_projection' },
  ignoredFields: ['attention_bias', 'mlp_bias', 'layer_norm_eps'],
  variants: [{ when: { scale_embedding: [false] }, row: { embeddingScale: 1 } }],
})
