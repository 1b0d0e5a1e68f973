// The reference checkpoints of the Llama family open, and their configuration reads as Transformers reads it.
import { describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import { loadGenerationDefaults } from '../../../engine/config/generation-config'
import { loadDecoderConfig } from '../../../engine/config/read-config'
import { hasReference, referencePath } from '../../support/reference'

describe.skipIf(!hasReference)('reference models', () => {
  it('reads the llama configuration', async () => {
    const config = await loadDecoderConfig(referencePath('models/llama'))
    expect(config).toMatchObject({
      modelType: 'llama',
      vocabSize: 320,
      hiddenSize: 64,
      intermediateSize: 160,
      numHiddenLayers: 3,
      numAttentionHeads: 4,
      numKeyValueHeads: 2,
      headDim: 16,
      maxPositionEmbeddings: 256,
      norm: { kind: 'rms', plusOne: false, weight: true, bias: false, eps: 1e-6 },
      residual: { kind: 'sequential', takes: 'input', multiplier: 1 },
      ropes: [{ theta: 10000, dim: 16, interleaved: false, scaling: { kind: 'default' } }],
      attention: { projection: 'separate', bias: { qkv: false, output: false }, softCap: null, queryKeyNorm: null, alibi: null },
      feedForward: { kind: 'gated', joined: false, activation: 'silu', bias: { up: false, down: false } },
      tieWordEmbeddings: false,
      bosTokenId: 1,
      eosTokenIds: [2],
      padTokenId: 0,
    })
  })

  it('reads the llama 3 scaling and the tied embeddings', async () => {
    const config = await loadDecoderConfig(referencePath('models/llama3-rope'))
    expect(config.tieWordEmbeddings).toBe(true)
    expect(config.ropes[0]).toEqual({
      theta: 500000,
      dim: 16,
      interleaved: false,
      scaling: { kind: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositionEmbeddings: 64 },
    })
  })

  it('reads a mistral without a window', async () => {
    const config = await loadDecoderConfig(referencePath('models/mistral'))
    expect(config).toMatchObject({ modelType: 'mistral', numKeyValueHeads: 2, feedForward: { bias: { up: false, down: false } } })
  })

  it('reads generation defaults', async () => {
    const directory = referencePath('models/llama')
    const defaults = await loadGenerationDefaults(directory, { fallback: await loadDecoderConfig(directory) })
    expect(defaults).toEqual({
      doSample: null,
      temperature: null,
      topK: null,
      topP: null,
      minP: null,
      repetitionPenalty: null,
      maxNewTokens: null,
      eosTokenIds: [2],
      bosTokenId: 1,
      padTokenId: 0,
    })
  })

  it('opens the weights and reads a tensor', async () => {
    using checkpoint = await openCheckpoint(referencePath('models/llama'))
    const norm = checkpoint.tensors.get('model.norm.weight')
    expect(norm).toMatchObject({ dtype: 'F32', shape: [64], sizeBytes: 256 })
    const bytes = await checkpoint.read('model.norm.weight')
    expect(bytes.byteLength).toBe(256)
  })
})
