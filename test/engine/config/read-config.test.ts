import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from '../../../engine/bytes/json'
import { CONFIG_LIMITS } from '../../../engine/config/limits'
import { loadDecoderConfig, readDecoderConfig } from '../../../engine/config/read-config'
import { EngineError } from '../../../engine/errors'
import { engineCode } from '../../support/engine-code'
import { temporaryFolder } from '../../support/temporary-folder'

const llama = {
  model_type: 'llama',
  vocab_size: 320,
  hidden_size: 64,
  intermediate_size: 160,
  num_hidden_layers: 2,
  num_attention_heads: 4,
} satisfies JsonObject
const mistral = { ...llama, model_type: 'mistral', num_key_value_heads: 2, sliding_window: null }
const gemma2 = { ...llama, model_type: 'gemma2', num_key_value_heads: 2 }
const read = (fields: JsonObject) => readDecoderConfig({ ...llama, ...fields })
const codeOf = (fields: JsonObject) => engineCode(() => read(fields))

describe('config.json', () => {
  it('fills absent fields as LlamaConfig does', () => {
    expect(readDecoderConfig(llama)).toMatchObject({
      modelType: 'llama',
      vocabSize: 320,
      hiddenSize: 64,
      intermediateSize: 160,
      numHiddenLayers: 2,
      numAttentionHeads: 4,
      numKeyValueHeads: 4,
      headDim: 16,
      maxPositionEmbeddings: 2048,
      norm: { kind: 'rms', plusOne: false, weight: true, bias: false, eps: 1e-6 },
      residual: { kind: 'sequential', takes: 'input', multiplier: 1 },
      ropes: [{ theta: 10000, dim: 16, interleaved: false, scaling: { kind: 'default' } }],
      attention: { projection: 'separate', bias: { qkv: false, output: false }, softCap: null, queryKeyNorm: null, alibi: null },
      feedForward: { kind: 'gated', joined: false, activation: 'silu', bias: { up: false, down: false } },
      tieWordEmbeddings: false,
      bosTokenId: 1,
      eosTokenIds: [2],
      padTokenId: null,
    })
  })

  it('fills absent fields as MistralConfig does', () => {
    const { num_key_value_heads: _, ...absent } = { ...mistral, num_attention_heads: 16 }
    expect(readDecoderConfig(absent)).toMatchObject({ numKeyValueHeads: 8, maxPositionEmbeddings: 131072 })
    expect(readDecoderConfig({ ...absent, num_key_value_heads: null })).toMatchObject({ numKeyValueHeads: 16 })
  })

  it('reads shared, single and explicit heads', () => {
    expect(read({ num_key_value_heads: 1 })).toMatchObject({ numKeyValueHeads: 1, headDim: 16 })
    expect(read({ head_dim: 128 })).toMatchObject({ headDim: 128, ropes: [{ dim: 128 }] })
    expect(read({ num_key_value_heads: null, head_dim: null })).toMatchObject({ numKeyValueHeads: 4, headDim: 16 })
  })

  it('reads biases', () => {
    expect(read({ attention_bias: true, mlp_bias: true })).toMatchObject({
      attention: { bias: { qkv: true, output: true } },
      feedForward: { bias: { up: true, down: true } },
    })
    expect(readDecoderConfig({ ...mistral, attention_bias: true })).toMatchObject({
      attention: { bias: { qkv: false, output: false } },
    })
  })

  it('reads token ids that are one, many, null or negative', () => {
    expect(read({ eos_token_id: [128001, 128008, 128001] }).eosTokenIds).toEqual([128001, 128008])
    expect(read({ eos_token_id: null, bos_token_id: null })).toMatchObject({ eosTokenIds: [], bosTokenId: null })
    expect(read({ pad_token_id: -1 }).padTokenId).toBe(null)
  })

  it.each([
    ['silu', 'silu'],
    ['swish', 'silu'],
    ['gelu', 'gelu'],
    ['gelu_new', 'gelu_pytorch_tanh'],
    ['gelu_pytorch_tanh', 'gelu_pytorch_tanh'],
    ['relu', 'relu'],
  ])('reads the activation %s as %s', (name, activation) => {
    expect(read({ hidden_act: name }).feedForward.activation).toBe(activation)
  })

  it('ignores switches that do not change the result', () => {
    expect(read({ pretraining_tp: 2, use_cache: false, attention_dropout: 0.1, sliding_window: 16, quantization_config: null })).toEqual(
      read({}),
    )
  })

  it('gives every layer of a mistral its window', () => {
    expect(readDecoderConfig({ ...mistral, sliding_window: 16 }).layers.map(({ window }) => window)).toEqual([16, 16])
    const { sliding_window: _, ...absent } = mistral
    expect(readDecoderConfig(absent).layers.map(({ window }) => window)).toEqual([4096, 4096])
    expect(readDecoderConfig(mistral).layers.map(({ window }) => window)).toEqual([null, null])
  })

  it('finds the family by its architectures where model_type is unknown', () => {
    expect(read({ model_type: 'mine', architectures: ['LlamaForCausalLM'] })).toMatchObject({ modelType: 'mine', family: 'Llama' })
  })

  it('ignores fields that nobody knows unless their name speaks of computing', () => {
    expect(read({ my_note: 'hello', trained_by: 7, attention_sparsity: false, extra_layers: [] })).toEqual(read({}))
  })

  it.each<[string, JsonObject, string]>([
    ['a switch of attention that llama does not have', { attn_logit_softcapping: 50 }, 'config/unsupported-switch'],
    ['an unknown multiplier', { residual_multiplier: 0.5 }, 'config/unsupported-switch'],
    ['two kinds of attention at once', { ...gemma2, use_bidirectional_attention: true }, 'config/unsupported-switch'],
    ['an unknown layer type', { ...gemma2, layer_types: ['linear_attention', 'full_attention'] }, 'config/unsupported-switch'],
    ['fewer layer types than layers', { ...gemma2, layer_types: ['full_attention'] }, 'config/inconsistent'],
    ['an unknown activation', { hidden_act: 'gelu_10' }, 'config/unsupported-switch'],
    ['an activation named like a method', { hidden_act: 'constructor' }, 'config/unsupported-switch'],
    ['quantized weights', { quantization_config: { quant_method: 'gptq' } }, 'config/unsupported-switch'],
    ['a classifier', { architectures: ['LlamaForSequenceClassification'] }, 'config/unsupported-switch'],
    ['no hidden_size', { hidden_size: null }, 'config/missing-field'],
    ['heads that do not divide the hidden size', { num_attention_heads: 3 }, 'config/inconsistent'],
    ['heads that cannot share keys', { num_key_value_heads: 3 }, 'config/inconsistent'],
    ['more key heads than heads', { num_key_value_heads: 8 }, 'config/inconsistent'],
    ['a zero', { num_hidden_layers: 0 }, 'config/out-of-range'],
    ['a negative number', { vocab_size: -1 }, 'config/out-of-range'],
    ['a huge number', { hidden_size: 1e15 }, 'config/out-of-range'],
    ['a fraction', { num_hidden_layers: 2.5 }, 'config/wrong-type'],
    ['text for a number', { hidden_size: '64' }, 'config/wrong-type'],
    ['NaN', { rms_norm_eps: NaN }, 'config/wrong-type'],
    ['infinity', { vocab_size: Infinity }, 'config/wrong-type'],
    ['an epsilon of zero', { rms_norm_eps: 0 }, 'config/out-of-range'],
    ['a list for a number', { vocab_size: [320] }, 'config/wrong-type'],
    ['a number for a boolean', { tie_word_embeddings: 1 }, 'config/wrong-type'],
    ['text for a boolean', { attention_bias: 'true' }, 'config/wrong-type'],
    ['a number for the activation', { hidden_act: 1 }, 'config/wrong-type'],
    ['a token id that is text', { eos_token_id: '</s>' }, 'config/wrong-type'],
    ['a list of token ids with text', { eos_token_id: [2, '</s>'] }, 'config/wrong-type'],
    ['a family that is a number', { model_type: 7 }, 'config/wrong-type'],
    ['no family', { model_type: null }, 'config/missing-model-type'],
    ['a family named like a method', { model_type: 'toString' }, 'config/unknown-model-type'],
    ['a family named __proto__', { model_type: '__proto__' }, 'config/unknown-model-type'],
  ])('refuses %s', async (_, fields, code) => {
    expect(await codeOf(fields)).toBe(code)
  })

  it('names the field, what was found and what is allowed', () => {
    expect(() => read({ hidden_size: 0 })).toThrow(/hidden_size is 0; 1 to 131072 is allowed/)
  })

  it('lists the supported families when it meets another', () => {
    const details = { path: 'config.json', modelType: 'rwkv', supported: ['llama'], count: 1 }
    expect(() => readDecoderConfig({ ...llama, model_type: 'rwkv' }, { supportedModelTypes: ['llama'] })).toThrow(
      expect.objectContaining({ code: 'config/unknown-model-type', details }),
    )
    expect(() => readDecoderConfig(mistral, { supportedModelTypes: ['llama'] })).toThrow(/mistral/)
  })

  it('refuses every number outside its limit', () => {
    const fields = {
      vocab_size: CONFIG_LIMITS.vocabSize,
      hidden_size: CONFIG_LIMITS.hiddenSize,
      intermediate_size: CONFIG_LIMITS.intermediateSize,
      num_hidden_layers: CONFIG_LIMITS.layers,
      num_attention_heads: CONFIG_LIMITS.heads,
      num_key_value_heads: CONFIG_LIMITS.heads,
      head_dim: CONFIG_LIMITS.headDim,
      max_position_embeddings: CONFIG_LIMITS.contextLength,
    }
    for (const [field, { min, max }] of Object.entries(fields)) {
      for (const value of [min - 1, max + 1]) {
        expect(() => read({ [field]: value }), `${field}=${value}`).toThrow(expect.objectContaining({ code: 'config/out-of-range' }))
      }
    }
  })

  it('ends with a complete configuration or its own error, whatever the fields hold', () => {
    const names = [...Object.keys(llama), 'head_dim', 'num_key_value_heads', 'rope_parameters', 'rope_scaling', 'eos_token_id', '__proto__']
    const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.double(), fc.constantFrom(0, -1, 1e300, 2 ** 53))
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 4 }), (changes) => {
        const json: JsonValue = { ...llama, ...(Object.fromEntries(changes) as JsonObject) }
        try {
          const config = readDecoderConfig(json)
          expect(config.headDim * config.numAttentionHeads).toBeGreaterThan(0)
        } catch (error) {
          expect(error).toBeInstanceOf(EngineError)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('the file of a model folder', () => {
  it('is read', async () => {
    using folder = temporaryFolder()
    folder.write('config.json', JSON.stringify(llama))
    expect(await loadDecoderConfig(folder.path)).toMatchObject({ modelType: 'llama' })
  })

  it.each([
    ['missing', null, 'config/missing'],
    ['not JSON', '{"a":', 'bytes/invalid-json'],
    ['NaN, which JSON does not have', '{"rms_norm_eps": NaN}', 'bytes/invalid-json'],
    ['a list', '[]', 'config/not-an-object'],
    ['a field twice', '{"model_type":"llama","model_type":"mistral"}', 'bytes/json-duplicate-key'],
    ['nested too deep', '['.repeat(100_000), 'bytes/json-too-deep'],
    ['a __proto__ with the fields', `{"__proto__":${JSON.stringify(llama)}}`, 'config/missing-model-type'],
  ])('is refused when it is %s', async (_, text, code) => {
    using folder = temporaryFolder()
    if (text !== null) folder.write('config.json', text)
    expect(await engineCode(() => loadDecoderConfig(folder.path))).toBe(code)
  })
})
