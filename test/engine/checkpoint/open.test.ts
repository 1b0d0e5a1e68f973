import { mkdirSync, symlinkSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { chooseWeights, safetensorsAreTheModel } from '../../../engine/checkpoint/choose-weights'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import { engineCode } from '../../support/engine-code'
import { f32Tensor, rawSafetensors, safetensorsFile } from '../../support/safetensors-writer'
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder'

const FIRST = 'model-00001-of-00002.safetensors'
const SECOND = 'model-00002-of-00002.safetensors'
const INDEX = 'model.safetensors.index.json'

function writeShards(
  folder: TemporaryFolder,
  options: { readonly weightMap?: Readonly<Record<string, string>>; readonly totalSize?: number } = {},
): void {
  folder.write(FIRST, safetensorsFile([f32Tensor('a', [1, 2])], { format: 'pt' }))
  folder.write(SECOND, safetensorsFile([f32Tensor('b', [3])], { format: 'pt' }))
  const weight_map = options.weightMap ?? { a: FIRST, b: SECOND }
  folder.write(INDEX, JSON.stringify({ metadata: { total_size: options.totalSize ?? 12 }, weight_map }))
}

describe('sharded checkpoint', () => {
  it('opens through its index and reads from both shards', async () => {
    using folder = temporaryFolder()
    writeShards(folder)
    using checkpoint = await openCheckpoint(folder.path)
    expect([...checkpoint.tensors.keys()]).toEqual(['a', 'b'])
    expect(checkpoint.files.map(({ path }) => path)).toEqual([join(folder.path, FIRST), join(folder.path, SECOND)])
    expect(new Float32Array((await checkpoint.read('b')).buffer)).toEqual(Float32Array.of(3))
    expect(checkpoint.notes).toEqual([])
  })

  it('opens from the path of the index itself', async () => {
    using folder = temporaryFolder()
    writeShards(folder)
    using checkpoint = await openCheckpoint(join(folder.path, INDEX))
    expect(checkpoint.tensors.size).toBe(2)
  })

  it('opens only files that the index names', async () => {
    using folder = temporaryFolder()
    writeShards(folder)
    folder.write('model-00003-of-00003.safetensors', 'not a checkpoint at all')
    using checkpoint = await openCheckpoint(folder.path)
    expect(checkpoint.files).toHaveLength(2)
  })

  it('refuses a missing shard by name', async () => {
    using folder = temporaryFolder()
    writeShards(folder, { weightMap: { a: FIRST, b: 'model-00009-of-00009.safetensors' } })
    await expect(openCheckpoint(folder.path)).rejects.toMatchObject({
      code: 'checkpoint/missing-shard',
      details: { shard: 'model-00009-of-00009.safetensors', directory: folder.path },
    })
  })

  it('refuses a truncated shard and names the tensor, its end and the size', async () => {
    using folder = temporaryFolder()
    writeShards(folder)
    const shard = safetensorsFile([f32Tensor('b', [3])], { format: 'pt' })
    truncateSync(join(folder.path, SECOND), shard.length - 1)
    await expect(openCheckpoint(folder.path)).rejects.toMatchObject({
      code: 'checkpoint/truncated-file',
      details: { path: join(folder.path, SECOND), tensor: 'b', endBytes: shard.length, fileSizeBytes: shard.length - 1 },
    })
  })

  it.each([
    ['../outside.safetensors'],
    ['a/../../outside.safetensors'],
    ['/etc/passwd'],
    ['C:\\model.safetensors'],
    ['..\\outside.safetensors'],
    ['a//b'],
    ['./a'],
    [''],
    ['a\0b'],
  ])('refuses the shard name %j', async (shard) => {
    using folder = temporaryFolder()
    writeShards(folder, { weightMap: { a: FIRST, b: shard } })
    expect(await engineCode(() => openCheckpoint(folder.path))).toBe('checkpoint/unsafe-shard-path')
  })

  it('opens shards in a folder below the index', async () => {
    using folder = temporaryFolder()
    folder.write('weights/one.safetensors', safetensorsFile([f32Tensor('a', [1])]))
    folder.write(INDEX, JSON.stringify({ weight_map: { a: 'weights/one.safetensors' } }))
    using checkpoint = await openCheckpoint(folder.path)
    expect(checkpoint.tensors.size).toBe(1)
  })

  it('refuses a tensor that two shards hold', async () => {
    using folder = temporaryFolder()
    writeShards(folder)
    folder.write(SECOND, safetensorsFile([f32Tensor('a', [9, 9]), f32Tensor('b', [3])]))
    await expect(openCheckpoint(folder.path)).rejects.toMatchObject({
      code: 'checkpoint/tensor-in-two-shards',
      details: { tensor: 'a', shards: [FIRST, SECOND] },
    })
  })

  it('refuses a tensor that the index lists and no shard holds', async () => {
    using folder = temporaryFolder()
    writeShards(folder, { weightMap: { a: FIRST, b: SECOND, c: SECOND } })
    expect(await engineCode(() => openCheckpoint(folder.path))).toBe('checkpoint/tensor-not-in-shard')
  })

  it('refuses a tensor that the index lists twice', async () => {
    using folder = temporaryFolder()
    writeShards(folder)
    folder.write(INDEX, `{"weight_map":{"a":"${FIRST}","b":"${SECOND}","a":"${SECOND}"}}`)
    expect(await engineCode(() => openCheckpoint(folder.path))).toBe('bytes/json-duplicate-key')
  })

  it('notes a wrong total, a wrong shard and a tensor that is not listed', async () => {
    using folder = temporaryFolder()
    writeShards(folder, { weightMap: { a: SECOND, b: SECOND }, totalSize: 99 })
    folder.write(FIRST, safetensorsFile([f32Tensor('a', [1, 2]), f32Tensor('extra', [0])]))
    folder.write(INDEX, JSON.stringify({ metadata: { total_size: 99 }, weight_map: { a: SECOND, b: FIRST } }))
    using checkpoint = await openCheckpoint(folder.path)
    expect(checkpoint.notes.map(({ text }) => text)).toEqual([
      'The index names the wrong shard for 2 tensors; they were found in other shards.',
      'The shards hold 1 tensors that the index does not list, the first of them extra.',
      'The index states 99 bytes of tensors; the shards hold 16.',
    ])
  })

  it.each([
    ['a list', '[]', 'checkpoint/malformed-index'],
    ['no weight_map', '{"metadata":{}}', 'checkpoint/malformed-index'],
    ['an empty weight_map', '{"weight_map":{}}', 'checkpoint/malformed-index'],
    ['a shard that is a number', '{"weight_map":{"a":1}}', 'checkpoint/malformed-index'],
    ['text that is no JSON', '{"weight_map"', 'bytes/invalid-json'],
  ])('refuses an index that is %s', async (_, text, code) => {
    using folder = temporaryFolder()
    folder.write(INDEX, text)
    expect(await engineCode(() => openCheckpoint(folder.path))).toBe(code)
  })
})

describe('openCheckpoint', () => {
  it('opens a snapshot of the Hugging Face cache through its symlinks', async () => {
    using folder = temporaryFolder()
    const blob = folder.write('models--org--name/blobs/0123abcd', safetensorsFile([f32Tensor('a', [1])]))
    const snapshot = join(folder.path, 'models--org--name/snapshots/c0ffee')
    mkdirSync(snapshot, { recursive: true })
    symlinkSync('../../blobs/0123abcd', join(snapshot, 'model.safetensors'))
    using checkpoint = await openCheckpoint(snapshot)
    expect(checkpoint.tensors.get('a')?.file).toBe(blob)
    expect(await checkpoint.read('a')).toEqual(new Uint8Array(Float32Array.of(1).buffer))
  })

  it('takes safetensors where other formats lie beside them', async () => {
    using folder = temporaryFolder()
    folder.write('model.safetensors', safetensorsFile([f32Tensor('a', [1])]))
    folder.write('pytorch_model.bin', 'PK\x03\x04')
    using checkpoint = await openCheckpoint(folder.path)
    expect(checkpoint.format).toBe('safetensors')
  })

  it('takes model.safetensors before an index, as Transformers does, and says what it left', async () => {
    using folder = temporaryFolder()
    writeShards(folder)
    folder.write('model.safetensors', safetensorsFile([f32Tensor('single', [1])]))
    using checkpoint = await openCheckpoint(folder.path)
    expect([...checkpoint.tensors.keys()]).toEqual(['single'])
    expect(checkpoint.notes).toHaveLength(1)
  })

  it('opens the only .safetensors file whatever its name', async () => {
    using folder = temporaryFolder()
    folder.write('weights.safetensors', safetensorsFile([f32Tensor('a', [1])]))
    using checkpoint = await openCheckpoint(folder.path)
    expect(checkpoint.tensors.size).toBe(1)
  })

  it.each(['pytorch_model.bin', 'flax_model.msgpack'])(
    'takes %s before safetensors that bear no standard name, as Transformers does',
    async (name) => {
      using folder = temporaryFolder()
      folder.write('config.json', '{}')
      folder.write('golden.safetensors', safetensorsFile([f32Tensor('expected', [7])], {}))
      folder.write(name, '')
      const choice = await chooseWeights(folder.path, ['config.json', 'golden.safetensors', name])
      expect(choice).toMatchObject({ kind: 'file', name })
    },
  )

  it('takes a lone GGUF file before safetensors of no standard name', () => {
    expect(safetensorsAreTheModel(['golden.safetensors', 'tiny.gguf'])).toBe(false)
    expect(safetensorsAreTheModel(['golden.safetensors', 'tiny.gguf', 'model.safetensors'])).toBe(true)
    expect(safetensorsAreTheModel(['weights.safetensors', 'config.json'])).toBe(true)
  })

  it('puts complete shards without an index together, and names the missing one of an incomplete set', async () => {
    using folder = temporaryFolder()
    folder.write(FIRST, safetensorsFile([f32Tensor('a', [1])]))
    expect(await engineCode(() => openCheckpoint(folder.path))).toBe('checkpoint/missing-shard')
    folder.write(SECOND, safetensorsFile([f32Tensor('b', [1])]))
    using checkpoint = await openCheckpoint(folder.path)
    expect([...checkpoint.tensors.keys()]).toEqual(['a', 'b'])
    expect(checkpoint.notes).toHaveLength(1)
  })

  it('does not follow a shard name that claims a hundred thousand files', async () => {
    using folder = temporaryFolder()
    folder.write('model-00001-of-99999.safetensors', safetensorsFile([f32Tensor('a', [1])]))
    expect(await engineCode(() => openCheckpoint(folder.path))).toBe('checkpoint/missing-shard')
  })

  it('refuses several weight files that nothing ties together', async () => {
    using folder = temporaryFolder()
    folder.write('one.safetensors', safetensorsFile([f32Tensor('a', [1])]))
    folder.write('two.safetensors', safetensorsFile([f32Tensor('a', [1])]))
    expect(await engineCode(() => openCheckpoint(folder.path))).toBe('checkpoint/ambiguous-weights')
  })

  it('names the format of a folder that it cannot open yet', async () => {
    using folder = temporaryFolder()
    folder.write('ggml-model-q4_0.bin', 'lmgg\x03\0\0\0')
    folder.write('readme.md', 'PK\x03\x04')
    await expect(openCheckpoint(folder.path)).rejects.toMatchObject({
      code: 'checkpoint/unsupported-format',
      details: { found: [{ file: 'ggml-model-q4_0.bin', format: 'GGML' }] },
    })
  })

  it('refuses a folder without weights and a path that is not there', async () => {
    using folder = temporaryFolder()
    folder.write('config.json', '{}')
    expect(await engineCode(() => openCheckpoint(folder.path))).toBe('checkpoint/no-weights')
    expect(await engineCode(() => openCheckpoint(join(folder.path, 'none')))).toBe('bytes/not-found')
  })

  it('detects the format by content, not by name', async () => {
    using folder = temporaryFolder()
    using checkpoint = await openCheckpoint(folder.write('weights.bin', safetensorsFile([f32Tensor('a', [1])])))
    expect(checkpoint.format).toBe('safetensors')
    expect(await engineCode(() => openCheckpoint(folder.write('a.safetensors', 'PK\x03\x04')))).toBe('bytes/zip-truncated')
    expect(await engineCode(() => openCheckpoint(folder.write('a.txt', 'hello, reader')))).toBe('checkpoint/unknown-format')
    expect(await engineCode(() => openCheckpoint(folder.write('b.bin', '<html></html>')))).toBe('checkpoint/html-page')
  })

  it.each([
    ['gzip', '\x1f\x8b\x08\0'],
    ['bzip2', 'BZh91AY'],
    ['xz', '\xfd7zXZ\0'],
    ['7z', '7z\xbc\xaf\x27\x1c'],
    ['RAR', 'Rar!\x1a\x07\x01\0'],
    ['Zstandard', '\x28\xb5\x2f\xfd'],
    ['LZ4', '\x04\x22\x4d\x18'],
  ])('says that a %s archive in the place of weights has to be unpacked', async (_, magic) => {
    using folder = temporaryFolder()
    const content = Buffer.concat([Buffer.from(magic, 'latin1'), Buffer.alloc(300, 7)])
    for (const name of ['model.safetensors', 'pytorch_model.bin', 'model.gguf', 'model.pth'])
      expect(await engineCode(() => openCheckpoint(folder.write(`${name}/${name}`, content)))).toBe('checkpoint/compressed-archive')
    expect(await engineCode(() => openCheckpoint(join(folder.path, 'pytorch_model.bin')))).toBe('checkpoint/compressed-archive')
  })

  it('knows safetensors even when the header length looks like a pickle', async () => {
    using folder = temporaryFolder()
    const header = JSON.stringify({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }).padEnd(0x0280, ' ')
    using checkpoint = await openCheckpoint(folder.write('a.safetensors', rawSafetensors(header, new Uint8Array(4))))
    expect(checkpoint.tensors.size).toBe(1)
  })

  it('says which shard a single file is', async () => {
    using folder = temporaryFolder()
    writeShards(folder)
    using checkpoint = await openCheckpoint(join(folder.path, SECOND))
    expect([...checkpoint.tensors.keys()]).toEqual(['b'])
    expect(checkpoint.notes.map(({ text }) => text)).toEqual(['This is shard 2 of 2; open the folder to see all tensors.'])
  })

  it('stops when cancelled', async () => {
    using folder = temporaryFolder()
    writeShards(folder)
    expect(await engineCode(() => openCheckpoint(folder.path, { signal: AbortSignal.abort() }))).toBe('runtime/aborted')
  })
})
