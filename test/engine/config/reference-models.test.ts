// The reference checkpoints of the Llama family open, and their configuration reads as Transformers reads it.
import { describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import { loadGenerationDefaults } from '../../../engine/config/generation-config'
import { loadDecoderConfig } from '../../../engine/config/read-config'
import { hasReference, referencePath } from '../../support/reference'

describe.skipIf(!hasReference)('reference models', () => {
  it('reads the llama configuration', async () => {
    const config = await loadDecoderConfig(referencePath('models/llama'))
    expect(config).toEqual({
      modelType: 'llama',
      vocabSize: 320,
      hiddenSize: 64,
      intermediateSize: 160,
      numHiddenLayers: 3,
      numAttentionHeads: 4,
      numKeyValueHeads: 2,
      headDim: 16,
      maxPositionEmbeddings: 256,
      normEps: 1e-6,
      hiddenAct: 'silu',
      rope: { theta: 10000, dim: 16, scaling: { kind: 'default' } },
      tieWordEmbeddings: false,
      attentionBias: { qkv: false, output: false },
      mlpBias: false,
      bosTokenId: 1,
      eosTokenIds: [2],
      padTokenId: 0,
    })
  })

  it('reads the llama 3 scaling and the tied embeddings', async () => {
    const config = await loadDecoderConfig(referencePath('models/llama3-rope'))
    expect(config.tieWordEmbeddings).toBe(true)
    expect(config.rope).toEqual({
      theta: 500000,
      dim: 16,
      scaling: { kind: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositionEmbeddings: 64 },
    })
  })

  it('reads a mistral without a window', async () => {
    const config = await loadDecoderConfig(referencePath('models/mistral'))
    expect(config).toMatchObject({ modelType: 'mistral', numKeyValueHeads: 2, mlpBias: false })
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
