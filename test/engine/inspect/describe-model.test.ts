import { mkdirSync, rmSync, symlinkSync, truncateSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeModelDirectory } from '../../../engine/inspect/describe-model'
import { engineCode } from '../../support/engine-code'
import { hasReference, referencePath } from '../../support/reference'
import { f32Tensor, safetensorsFile } from '../../support/safetensors-writer'
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder'

const config = {
  model_type: 'llama',
  vocab_size: 320,
  hidden_size: 64,
  intermediate_size: 160,
  num_hidden_layers: 2,
  num_attention_heads: 4,
}
const weights = safetensorsFile([
  { name: 'model.embed_tokens.weight', dtype: 'BF16', shape: [3, 4], bytes: new Uint8Array(24) },
  f32Tensor('model.norm.weight', [1, 2]),
])

function writeModel(folder: TemporaryFolder): void {
  folder.write('config.json', JSON.stringify(config))
  folder.write('model.safetensors', weights)
  folder.write('tokenizer.model', 'vocabulary')
}

async function stateAfter(change: (folder: TemporaryFolder) => void) {
  using folder = temporaryFolder()
  writeModel(folder)
  change(folder)
  const { state, error } = await describeModelDirectory(folder.path)
  return [state, error?.code ?? null]
}

describe('model summary', () => {
  it('describes a complete model from its headers', async () => {
    using folder = temporaryFolder()
    writeModel(folder)
    expect(await describeModelDirectory(folder.path)).toEqual({
      path: folder.path,
      name: basename(folder.path),
      modelType: 'llama',
      dtype: 'BF16',
      parameterCount: 14,
      weightBytes: 32,
      contextLength: 2048,
      state: 'ready',
      error: null,
    })
  })

  it('names a snapshot of the Hugging Face cache by its repository', async () => {
    using folder = temporaryFolder()
    const blob = folder.write('hub/models--meta-llama--Llama-3.2-1B/blobs/weights', weights)
    const snapshot = join(folder.path, 'hub/models--meta-llama--Llama-3.2-1B/snapshots/abc')
    mkdirSync(snapshot, { recursive: true })
    symlinkSync(blob, join(snapshot, 'model.safetensors'))
    folder.write('hub/models--meta-llama--Llama-3.2-1B/snapshots/abc/config.json', JSON.stringify(config))
    folder.write('hub/models--meta-llama--Llama-3.2-1B/snapshots/abc/tokenizer.json', '{}')
    expect(await describeModelDirectory(snapshot)).toMatchObject({ name: 'meta-llama/Llama-3.2-1B', state: 'ready' })
  })

  it.each<[string, (folder: TemporaryFolder) => void, string, string]>([
    ['without config.json', (f) => rmSync(join(f.path, 'config.json')), 'incomplete', 'config/missing'],
    ['without weights', (f) => rmSync(join(f.path, 'model.safetensors')), 'incomplete', 'checkpoint/no-weights'],
    ['without a tokenizer', (f) => rmSync(join(f.path, 'tokenizer.model')), 'incomplete', 'tokenizer/missing'],
    [
      'with cut weights',
      (f) => truncateSync(join(f.path, 'model.safetensors'), weights.length - 1),
      'incomplete',
      'checkpoint/truncated-file',
    ],
    ['with a link to a blob that is not there', danglingWeights, 'incomplete', 'bytes/not-found'],
    ['of another family', (f) => f.write('config.json', '{"model_type":"rwkv"}'), 'unsupported', 'config/unknown-model-type'],
    ['in another format', otherFormat, 'unsupported', 'checkpoint/unsupported-format'],
    ['whose PyTorch file is cut off', cutOffArchive, 'incomplete', 'bytes/zip-truncated'],
    ['with 8-bit weights', byteWeights, 'unsupported', 'checkpoint/unsupported-weight-dtype'],
    ['with a broken config.json', (f) => f.write('config.json', '{'), 'broken', 'bytes/invalid-json'],
    [
      'with impossible numbers',
      (f) => f.write('config.json', JSON.stringify({ ...config, hidden_size: 0 })),
      'broken',
      'config/out-of-range',
    ],
    ['with bytes that belong to no tensor', trailingBytes, 'broken', 'checkpoint/trailing-bytes'],
  ])('says what is wrong with a model %s', async (_, change, state, code) => {
    expect(await stateAfter(change)).toEqual([state, code])
  })

  it('keeps what it could read of an unsupported family', async () => {
    using folder = temporaryFolder()
    writeModel(folder)
    folder.write('config.json', '{"model_type":"rwkv"}')
    expect(await describeModelDirectory(folder.path)).toMatchObject({
      modelType: 'rwkv',
      dtype: 'BF16',
      weightBytes: 32,
      contextLength: null,
    })
  })

  it('throws for a folder that is not there and when cancelled', async () => {
    using folder = temporaryFolder()
    writeModel(folder)
    expect(await engineCode(() => describeModelDirectory(join(folder.path, 'none')))).toBe('bytes/not-found')
    expect(await engineCode(() => describeModelDirectory(folder.path, { signal: AbortSignal.abort() }))).toBe('runtime/aborted')
  })

  it.skipIf(!hasReference)('tells supported and other families of the reference models apart', async () => {
    const llama = await describeModelDirectory(referencePath('models/llama'))
    // The reference models come without tokenizers.
    expect(llama).toMatchObject({ modelType: 'llama', dtype: 'F32', contextLength: 256, state: 'incomplete' })
    expect(llama.error?.code).toBe('tokenizer/missing')
    expect(await describeModelDirectory(referencePath('models/bloom'), { supportedModelTypes: ['llama'] })).toMatchObject({
      modelType: 'bloom',
      state: 'unsupported',
    })
  })
})

function danglingWeights(folder: TemporaryFolder): void {
  rmSync(join(folder.path, 'model.safetensors'))
  symlinkSync('../../blobs/none', join(folder.path, 'model.safetensors'))
}

function cutOffArchive(folder: TemporaryFolder): void {
  rmSync(join(folder.path, 'model.safetensors'))
  folder.write('pytorch_model.bin', 'PK\x03\x04')
}

function otherFormat(folder: TemporaryFolder): void {
  rmSync(join(folder.path, 'model.safetensors'))
  folder.write('ggml-model-q4_0.bin', 'lmgg\x03\0\0\0')
}

function byteWeights(folder: TemporaryFolder): void {
  folder.write('model.safetensors', safetensorsFile([{ name: 'a', dtype: 'F8_E4M3', shape: [8], bytes: new Uint8Array(8) }]))
}

function trailingBytes(folder: TemporaryFolder): void {
  folder.write('model.safetensors', Uint8Array.from([...weights, 0]))
}
