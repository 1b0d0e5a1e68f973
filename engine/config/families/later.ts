// Families that followed others with small changes. Defaults of Transformers 5.18.
import { graniteMoe } from './experts'
import { gpt2 } from './gpt'
import { llama, mistral } from './llama'
import { mergeRows } from './merge-rows'
import { hunyuanDense } from './more-dense'

/** Ministral of October 2024: windows by layer. */
export const ministral = mergeRows(mistral, {
  family: 'Ministral',
  modelTypes: ['ministral'],
  architectures: ['MinistralForCausalLM'],
  layerTypes: true,
  ignoredFields: ['attention_bias', 'mlp_bias', 'use_sliding_window', 'max_window_layers'],
})

/** Ministral 3: queries grow with the logarithm of their position. */
export const ministral3 = mergeRows(mistral, {
  family: 'Ministral 3',
  modelTypes: ['ministral3'],
  architectures: ['Ministral3ForCausalLM'],
  sizes: { maxPositionEmbeddings: { field: 'max_position_embeddings', default: 262_144 } },
  norm: { eps: { field: 'rms_norm_eps', default: 1e-5 } },
  rope: { theta: 1_000_000, queryScaling: true },
  window: { size: { field: 'sliding_window', default: null }, enabled: true, layers: 'all' },
})

/** Jais 2: layer norms, plain feed-forward, biases everywhere. */
export const jais2 = mergeRows(llama, {
  family: 'Jais 2',
  modelTypes: ['jais2'],
  architectures: ['Jais2ForCausalLM'],
  sizes: { maxPositionEmbeddings: { field: 'max_position_embeddings', default: 8192 } },
  norm: { kind: 'layer', bias: true, eps: { field: 'layer_norm_eps', default: 1e-5 } },
  attention: { qkvBias: { field: 'attention_bias', default: true }, outputBias: { field: 'attention_bias', default: true } },
  feedForward: {
    kind: 'plain',
    activation: { field: 'hidden_act', default: 'relu2' },
    upBias: { field: 'mlp_bias', default: true },
    downBias: { field: 'mlp_bias', default: true },
  },
  tokens: { bos: 0, eos: [150_024] },
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

/** Granite with experts, one of which sees every token. */
export const graniteMoeShared = mergeRows(graniteMoe, {
  family: 'Granite MoE with a shared expert',
  modelTypes: ['granitemoeshared'],
  architectures: ['GraniteMoeSharedForCausalLM'],
  experts: { shared: { intermediateSize: { field: 'shared_intermediate_size', default: 1024 }, count: 1, gated: false } },
  names: {
    experts: { shared: { gate: '', up: '', gateUp: 'shared_mlp.input_linear', down: 'shared_mlp.output_linear' } },
  },
})

/** Hunyuan with experts, one of which sees every token. */
export const hunyuanMoe = mergeRows(hunyuanDense, {
  family: 'Hunyuan MoE',
  modelTypes: ['hunyuan_v1_moe'],
  architectures: ['HunYuanMoEV1ForCausalLM'],
  experts: {
    count: { field: 'num_experts', default: 1 },
    perToken: { field: ['moe_topk', 'num_experts_per_tok'], default: 1 },
    intermediateSize: { field: 'intermediate_size' },
    scoring: 'softmax',
    normalize: true,
    smallestSum: 0,
    scale: 1,
    correction: false,
    groups: null,
    storage: 'separate',
    routerBias: false,
    shared: { intermediateSize: { field: 'intermediate_size' }, count: 1, gated: false },
    firstDense: 0,
    every: 1,
    exceptField: null,
  },
  names: {
    experts: {
      router: 'mlp.gate.wg',
      gate: 'mlp.experts.{e}.gate_proj',
      up: 'mlp.experts.{e}.up_proj',
      down: 'mlp.experts.{e}.down_proj',
      shared: { gate: 'mlp.shared_mlp.gate_proj', up: 'mlp.shared_mlp.up_proj', down: 'mlp.shared_mlp.down_proj' },
    },
  },
  ignoredFields: [
    ...hunyuanDense.ignoredFields,
    'use_mixed_mlp_moe',
    'num_shared_expert',
    'moe_intermediate_size',
    'moe_layer_num_skipped',
  ],
  required: { use_cla: [null, false], moe_layer_num_skipped: [null, 0] },
})
