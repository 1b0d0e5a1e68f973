import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { inspectCheckpoint } from '../../../engine/inspect/inspect-checkpoint'
import { engineCode } from '../../support/engine-code'
import { f32Tensor, safetensorsFile } from '../../support/safetensors-writer'
import { temporaryFolder } from '../../support/temporary-folder'

const config = {
  model_type: 'llama',
  vocab_size: 320,
  hidden_size: 64,
  intermediate_size: 160,
  num_hidden_layers: 2,
  num_attention_heads: 4,
}
const weights = safetensorsFile([f32Tensor('a', [1, 2, 3]), f32Tensor('b', [4], [])], { format: 'pt' })

describe('inspection', () => {
  it('reports format, files, configuration, tokenizer files, metadata and tensors of a folder', async () => {
    using folder = temporaryFolder()
    const path = folder.write('model.safetensors', weights)
    folder.write('config.json', JSON.stringify(config))
    folder.write('tokenizer.model', '')
    folder.write('tokenizer_config.json', '{}')
    const found = await inspectCheckpoint(folder.path)
    expect(found).toMatchObject({
      format: 'safetensors',
      files: [{ path, sizeBytes: weights.length }],
      config,
      decoder: { modelType: 'llama', headDim: 16 },
      tokenizer: { files: ['tokenizer.model', 'tokenizer_config.json'], complete: true },
      metadata: { format: 'pt' },
      parameterCount: 4,
      weightBytes: 16,
      dtype: 'F32',
      notes: [],
    })
    expect(found.tensors.map(({ name, shape, sizeBytes }) => [name, shape, sizeBytes])).toEqual([
      ['a', [3], 12],
      ['b', [], 4],
    ])
  })

  it('reports a single file without configuration', async () => {
    using folder = temporaryFolder()
    folder.write('config.json', JSON.stringify(config))
    const found = await inspectCheckpoint(folder.write('model.safetensors', weights))
    expect(found).not.toHaveProperty('config')
    expect(found).not.toHaveProperty('tokenizer')
  })

  it('shows the tensors of an unknown family and says what is not supported', async () => {
    using folder = temporaryFolder()
    folder.write('model.safetensors', weights)
    folder.write('config.json', '{"model_type":"rwkv"}')
    const found = await inspectCheckpoint(folder.path)
    expect(found.config).toEqual({ model_type: 'rwkv' })
    expect(found).not.toHaveProperty('decoder')
    expect(found.notes.map(({ text }) => text)).toEqual([expect.stringContaining('"rwkv" is not supported')])
  })

  it('fails for broken weights', async () => {
    using folder = temporaryFolder()
    folder.write('model.safetensors', weights.slice(0, -1))
    expect(await engineCode(() => inspectCheckpoint(folder.path))).toBe('checkpoint/truncated-file')
    expect(await engineCode(() => inspectCheckpoint(join(folder.path, 'none')))).toBe('bytes/not-found')
  })
})
