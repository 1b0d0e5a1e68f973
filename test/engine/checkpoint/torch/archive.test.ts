import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../../../engine/checkpoint/open'
import { engineCode } from '../../../support/engine-code'
import { f32Tensor, safetensorsFile } from '../../../support/safetensors-writer'
import { temporaryFolder } from '../../../support/temporary-folder'
import { torchArchive, type SavedSource, type ViewSource } from '../../../support/torch-writer'

const VALUES = Float32Array.from({ length: 24 }, (_, index) => index)
const STORAGES = { '0': new Uint8Array(VALUES.buffer) }

function view(shape: readonly number[], strides: readonly number[], offset = 0): ViewSource {
  return { storage: '0', offset, shape, strides, elements: 24 }
}

function floats(bytes: Uint8Array): readonly number[] {
  return [...new Float32Array(Uint8Array.from(bytes).buffer)]
}

const MATRIX = view([4, 6], [6, 1])

/** Reads tensor `w` of an archive. */
async function read(bytes: Uint8Array): Promise<{ readonly values: readonly number[]; readonly computation: string }> {
  using folder = temporaryFolder()
  using checkpoint = await openCheckpoint(folder.write('a.pt', bytes))
  const tensor = checkpoint.tensors.get('w')
  return { values: floats(await checkpoint.read('w')), computation: tensor?.storage === 'computed' ? tensor.computation : 'none' }
}

async function codeOf(source: SavedSource, storages: Readonly<Record<string, Uint8Array>> = STORAGES): Promise<string> {
  using folder = temporaryFolder()
  return await engineCode(() => openCheckpoint(folder.write('a.pt', torchArchive(source, { storages }))))
}

describe('views', () => {
  it.each([
    ['a slice', view([2, 6], [6, 1], 6), [6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17], 'none'],
    ['a transposed view', view([2, 3], [1, 6]), [0, 6, 12, 1, 7, 13], 'strided'],
    ['a view with steps', view([2, 2], [12, 2], 1), [1, 3, 13, 15], 'strided'],
    ['an expanded view', view([3, 2], [0, 1], 4), [4, 5, 4, 5, 4, 5], 'strided'],
    ['a scalar', view([], [], 7), [7], 'none'],
    ['an empty view', view([0, 6], [6, 1]), [], 'none'],
    ['dimensions of one element, whatever their strides', view([1, 3, 1], [99, 1, 7]), [0, 1, 2], 'none'],
  ])('reads %s', async (_, source, values, computation) => {
    expect(await read(torchArchive({ w: source }, { storages: STORAGES }))).toEqual({ values, computation })
  })

  it('gives any part of a strided view', async () => {
    using folder = temporaryFolder()
    using checkpoint = await openCheckpoint(folder.write('a.pt', torchArchive({ w: view([2, 3, 4], [1, 8, 2]) }, { storages: STORAGES })))
    const whole = await checkpoint.read('w')
    for (let start = 0; start <= whole.length; start += 3) {
      for (let end = start; end <= whole.length; end += 5) {
        const part = await checkpoint.readRange({ name: 'w', offsetBytes: start, sizeBytes: end - start })
        expect(Buffer.compare(part, whole.subarray(start, end))).toBe(0)
      }
    }
  })

  it('leaves a contiguous tensor where it lies', async () => {
    using folder = temporaryFolder()
    const bytes = torchArchive({ w: view([6], [1], 12) }, { storages: STORAGES })
    using checkpoint = await openCheckpoint(folder.write('a.pt', bytes))
    const tensor = checkpoint.tensors.get('w')
    if (!tensor || tensor.storage === 'computed') throw new Error('the tensor is not plain')
    expect(floats(bytes.subarray(tensor.offsetBytes, tensor.offsetBytes + tensor.sizeBytes))).toEqual([12, 13, 14, 15, 16, 17])
  })

  it('reads compressed archives and big-endian ones', async () => {
    expect(await read(torchArchive({ w: view([6], [1], 12) }, { storages: STORAGES, deflate: true }))).toEqual({
      values: [12, 13, 14, 15, 16, 17],
      computation: 'compressed',
    })
    const swapped = { '0': Uint8Array.from(Buffer.from(VALUES.buffer.slice(0)).swap32()) }
    const records = [{ name: 'archive/byteorder', bytes: Buffer.from('big') }]
    expect(await read(torchArchive({ w: view([3], [1], 2) }, { storages: swapped, records }))).toEqual({
      values: [2, 3, 4],
      computation: 'big-endian',
    })
  })

  it.each([
    ['a view beyond its storage', { w: view([5, 6], [6, 1]) }, 'checkpoint/view-outside-storage'],
    ['an offset beyond its storage', { w: view([1], [1], 24) }, 'checkpoint/view-outside-storage'],
    ['a stride beyond its storage', { w: view([2], [24]) }, 'checkpoint/view-outside-storage'],
    ['a negative offset', { w: view([2], [1], -1) }, 'checkpoint/malformed-tensor'],
    ['a negative stride', { w: view([2], [-1], 5) }, 'checkpoint/malformed-tensor'],
    ['fewer strides than dimensions', { w: view([2, 2], [1]) }, 'checkpoint/malformed-tensor'],
    ['a product beyond 2^53', { w: view([2 ** 30, 2 ** 30], [0, 0]) }, 'checkpoint/shape-overflow'],
    ['an expanded view that no memory holds', { w: view([2 ** 20, 2 ** 12], [0, 0]) }, 'checkpoint/tensor-too-large'],
    ['too many dimensions', { w: view(new Array<number>(65).fill(1), new Array<number>(65).fill(1)) }, 'checkpoint/malformed-tensor'],
    ['a storage that is not there', { w: { ...MATRIX, storage: '9' } }, 'checkpoint/storage-missing'],
    ['a storage that is too short', { w: { ...MATRIX, elements: 25 } }, 'checkpoint/storage-too-short'],
    ['no tensors at all', { epoch: 3 }, 'checkpoint/no-tensors'],
    ['two tensors of one name', { 'a.b': MATRIX, a: { b: MATRIX } }, 'checkpoint/duplicate-tensor'],
  ])('refuses %s', async (_, source, code) => {
    expect(await codeOf(source)).toBe(code)
  })
})

describe('what is taken for the model', () => {
  async function namesOf(source: SavedSource): Promise<readonly string[]> {
    using folder = temporaryFolder()
    using checkpoint = await openCheckpoint(folder.write('a.pt', torchArchive(source, { storages: STORAGES })))
    return [...checkpoint.tensors.keys()]
  }

  it('is the state dict of a training checkpoint, not its optimizer', async () => {
    const optimizer = { state: { '0': { exp_avg: MATRIX } } }
    for (const key of ['model_state_dict', 'state_dict', 'model', 'module']) {
      expect(await namesOf({ epoch: 3, [key]: { w: MATRIX }, optimizer })).toEqual(['w'])
    }
    expect(await namesOf({ state_dict: { model_state_dict: { w: MATRIX } } })).toEqual(['w'])
  })

  it('is everything where parts of a model lie side by side', async () => {
    expect(await namesOf({ model: { w: MATRIX }, head: { b: MATRIX } })).toEqual(['model.w', 'head.b'])
    expect(await namesOf({ 'model.w': MATRIX, model: 'llama' })).toEqual(['model.w'])
  })
})

describe('folders of PyTorch files', () => {
  const FIRST = 'pytorch_model-00001-of-00002.bin'
  const SECOND = 'pytorch_model-00002-of-00002.bin'
  const archive = (name: string) => torchArchive({ [name]: MATRIX }, { storages: STORAGES })

  it('opens shards through their index, and leaves the optimizer alone', async () => {
    using folder = temporaryFolder()
    folder.write(FIRST, archive('a'))
    folder.write(SECOND, archive('b'))
    folder.write('optimizer.pt', archive('state'))
    folder.write('pytorch_model.bin.index.json', JSON.stringify({ metadata: { total_size: 192 }, weight_map: { a: FIRST, b: SECOND } }))
    using checkpoint = await openCheckpoint(folder.path)
    expect(checkpoint.format).toBe('pytorch')
    expect(checkpoint.files.map(({ path }) => path)).toEqual([join(folder.path, FIRST), join(folder.path, SECOND)])
    expect(floats(await checkpoint.read('b'))).toEqual([...VALUES])
    expect(checkpoint.notes).toEqual([])
  })

  it('puts complete shards without an index together', async () => {
    using folder = temporaryFolder()
    folder.write(FIRST, archive('a'))
    expect(await engineCode(() => openCheckpoint(folder.path))).toBe('checkpoint/missing-shard')
    folder.write(SECOND, archive('b'))
    using checkpoint = await openCheckpoint(folder.path)
    expect([...checkpoint.tensors.keys()]).toEqual(['a', 'b'])
  })

  it('takes the safetensors set where both are there', async () => {
    using folder = temporaryFolder()
    folder.write('pytorch_model.bin', archive('a'))
    folder.write('model.safetensors', safetensorsFile([f32Tensor('a', [1])]))
    using checkpoint = await openCheckpoint(folder.path)
    expect(checkpoint.format).toBe('safetensors')
  })

  it('refuses several files that nothing ties together', async () => {
    using folder = temporaryFolder()
    folder.write('one.pth', archive('a'))
    folder.write('two.pth', archive('a'))
    expect(await engineCode(() => openCheckpoint(folder.path))).toBe('checkpoint/ambiguous-weights')
  })

  it('says what lies in the place of the weights', async () => {
    using folder = temporaryFolder()
    folder.write('pytorch_model.bin', 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 123\n')
    expect(await engineCode(() => openCheckpoint(folder.path))).toBe('checkpoint/lfs-pointer')
  })
})
