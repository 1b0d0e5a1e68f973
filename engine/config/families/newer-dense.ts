// Dense families that follow others with small changes, and latent attention without experts. Defaults of Transformers 5.18.
import { deepseekV3 } from './deepseek'
import { gemma2 } from './gemma'
import { gpt2, gptj, opt } from './gpt'
import { granite, llama } from './llama'
import { mergeRows } from './merge-rows'

/** VaultGemma: Gemma 2 without the norms after the blocks. */
export const vaultGemma = mergeRows(gemma2, {
  family: 'VaultGemma',
  modelTypes: ['vaultgemma'],
  architectures: ['VaultGemmaForCausalLM'],
  names: { afterAttention: null, beforeFeedForward: 'pre_feedforward_layernorm', afterFeedForward: null },
})

/** BitNet: norms before the last matrix of each block. */
export const bitnet = mergeRows(llama, {
  family: 'BitNet',
  modelTypes: ['bitnet'],
  architectures: ['BitNetForCausalLM'],
  sizes: { headDim: { field: 'head_dim', default: null } },
  norm: { eps: { field: 'rms_norm_eps', default: 1e-5 } },
  feedForward: { activation: { field: 'hidden_act', default: 'relu2' }, upBias: false, downBias: false },
  tokens: { bos: 128_000, eos: [128_001] },
  names: { beforeOutput: 'self_attn.attn_sub_norm', beforeDown: 'mlp.ffn_sub_norm' },
  ignoredFields: ['mlp_bias'],
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

/** HyperCLOVA X SEED: Granite with norms after the blocks. */
export const hyperclovax = mergeRows(granite, {
  family: 'HyperCLOVA X',
  modelTypes: ['hyperclovax'],
  architectures: ['HyperCLOVAXForCausalLM'],
  attention: { scale: { field: 'attention_multiplier', default: null } },
  head: { scale: { field: 'logits_scaling', default: 1 } },
  names: { afterAttention: 'post_norm1', afterFeedForward: 'post_norm2' },
  variants: [{ when: { use_post_norm: [false] }, row: { names: { afterAttention: null, afterFeedForward: null } } }],
})

/** Youtu: latent attention without experts. */
export const youtu = mergeRows(deepseekV3, {
  family: 'Youtu',
  modelTypes: ['youtu'],
  architectures: ['YoutuForCausalLM'],
  sizes: { maxPositionEmbeddings: { field: 'max_position_embeddings', default: 131_072 } },
  experts: null,
  head: { tied: { field: 'tie_word_embeddings', default: true } },
  tokens: { bos: 128_000, eos: [128_001] },
  ignoredFields: [...deepseekV3.ignoredFields, 'embedding_initializer_range'],
  required: {},
})

/** MiniCPM 3: latent attention without experts, halves rotated, scaled as MiniCPM. */
export const minicpm3 = mergeRows(youtu, {
  family: 'MiniCPM 3',
  modelTypes: ['minicpm3'],
  architectures: ['MiniCPM3ForCausalLM'],
  sizes: { maxPositionEmbeddings: { field: 'max_position_embeddings', default: 32_768 } },
  norm: { eps: { field: 'rms_norm_eps', default: 1e-5 } },
  rope: { dim: { field: 'qk_rope_head_dim', default: 32 }, interleaved: false },
  residual: { multiplier: { field: 'scale_depth', default: 1.4, overRootOf: 'numHiddenLayers' } },
  embeddingScale: { field: 'scale_emb', default: 12 },
  latent: {
    queryRank: { field: 'q_lora_rank', default: 768 },
    keyValueRank: { field: 'kv_lora_rank', default: 256 },
    plainDim: { field: 'qk_nope_head_dim', default: 64 },
    // The share of a plain head.
    valueDim: { field: 'v_head_dim', default: { times: 1, size: 'headDim' } },
  },
  feedForward: { upBias: { field: 'mlp_bias', default: false }, downBias: { field: 'mlp_bias', default: false } },
  head: { scale: { field: 'dim_model_base', default: 256, over: 'hiddenSize' } },
  tokens: { bos: 1, eos: [2] },
  ignoredFields: ['num_key_value_heads', 'qk_head_dim', 'head_dim'],
})

/** GLM-4.7 Flash: DeepSeek-V3's layers. */
export const glm4MoeLite = mergeRows(deepseekV3, {
  family: 'GLM-4.7 Flash',
  modelTypes: ['glm4_moe_lite'],
  architectures: ['Glm4MoeLiteForCausalLM'],
  sizes: { maxPositionEmbeddings: { field: 'max_position_embeddings', default: 202_752 } },
  norm: { eps: { field: 'rms_norm_eps', default: 1e-5 } },
  latent: {
    queryRank: { field: 'q_lora_rank', default: 768 },
    plainDim: { field: 'qk_nope_head_dim', default: 192 },
    valueDim: { field: 'v_head_dim', default: 256 },
  },
  experts: {
    perToken: { field: 'num_experts_per_tok', default: 4 },
    intermediateSize: { field: 'moe_intermediate_size', default: 1536 },
    scale: { field: 'routed_scaling_factor', default: 1.8 },
    groups: { count: { field: 'n_group', default: 1 }, chosen: { field: 'topk_group', default: 1 } },
    shared: { intermediateSize: { field: 'moe_intermediate_size', default: 1536 } },
    firstDense: { field: 'first_k_dense_replace', default: 1 },
    typesField: 'mlp_layer_types',
  },
})
