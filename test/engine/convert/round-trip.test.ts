// What goes through another format and comes back must be what it was.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import { isNumpyDtype } from '../../../engine/checkpoint/writers/npz-layout'
import { isTorchDtype } from '../../../engine/checkpoint/writers/torch-pickle'
import { convert } from '../../../engine/convert/convert'
import { DTYPE_BITS, isDtype } from '../../../engine/tensor/dtype'
import { tensorDigests } from '../../support/expected-tensors'
import { hasReference, referencePath } from '../../support/reference'
import { safetensorsFile } from '../../support/safetensors-writer'
import { temporaryFolder } from '../../support/temporary-folder'
import { noiseTensor, libraryFile, variedTensors } from './some-checkpoint'

const dtypes = Object.keys(DTYPE_BITS).filter(isDtype)

async function digests(path: string): Promise<Readonly<Record<string, string>>> {
  using checkpoint = await openCheckpoint(path)
  return await tensorDigests(checkpoint)
}

describe('round trips', () => {
  it.each([
    ['safetensors', () => true],
    ['torch', isTorchDtype],
    ['pth', isTorchDtype],
    ['npz', isNumpyDtype],
  ] as const)('through %s give the same file, byte for byte', async (to, holds) => {
    using folder = temporaryFolder()
    const file = libraryFile(variedTensors(dtypes.filter(holds)))
    const source = folder.write('source.safetensors', file)
    const middle = join(folder.path, 'middle')
    const there = await convert({ source, to, out: middle })
    expect(there.totals).toMatchObject({ identicalTensors: there.totals.tensors, maxAbsError: 0 })
    const back = join(folder.path, 'back.safetensors')
    await convert({ source: middle, to: 'safetensors', out: back })
    expect(Buffer.compare(readFileSync(back), file)).toBe(0)
  })

  it('through shards keep every tensor, and the index says how large they are', async () => {
    using folder = temporaryFolder()
    const tensors = Array.from({ length: 9 }, (_, index) => noiseTensor(`layer.${index}`, 'F32', [10 + index, 10]))
    const source = folder.write('source.safetensors', safetensorsFile(tensors))
    for (const [to, index] of [
      ['safetensors', 'model.safetensors.index.json'],
      ['torch', 'pytorch_model.bin.index.json'],
    ] as const) {
      const out = join(folder.path, to)
      const report = await convert({ source, to, out, maxShardBytes: 1300 })
      expect(report.files.length).toBeGreaterThan(3)
      const totalBytes = tensors.reduce((sum, { bytes }) => sum + bytes.length, 0)
      expect(JSON.parse(readFileSync(join(out, index), 'utf8'))).toMatchObject({
        metadata: { total_size: totalBytes, total_parameters: totalBytes / 4 },
      })
      expect(await digests(out)).toEqual(await digests(source))
    }
  })

  it('keep the metadata of a safetensors file', async () => {
    using folder = temporaryFolder()
    const source = folder.write('a.safetensors', safetensorsFile([noiseTensor('w', 'F32', [2])], { format: 'mlx', author: 'me' }))
    const out = join(folder.path, 'b.safetensors')
    await convert({ source, to: 'safetensors', out })
    using written = await openCheckpoint(out)
    expect(written.metadata).toEqual({ format: 'mlx', author: 'me' })
  })

  it('keep tied names tied', async () => {
    using folder = temporaryFolder()
    const tensors = [noiseTensor('embed.weight', 'F32', [8, 4]), noiseTensor('norm.weight', 'F32', [4])]
    const file = libraryFile(tensors, { format: 'pt', 'lm_head.weight': 'embed.weight' })
    const source = folder.write('tied.safetensors', file)
    const middle = join(folder.path, 'tied.bin')
    const { tied } = await convert({ source, to: 'torch', out: middle })
    expect(tied).toEqual([['embed.weight', 'lm_head.weight']])
    using torch = await openCheckpoint(middle)
    const places = ['embed.weight', 'lm_head.weight'].map((name) => torch.tensors.get(name))
    expect(places[1]).toMatchObject({ ...places[0], name: 'lm_head.weight' })
    const back = join(folder.path, 'back.safetensors')
    await convert({ source: middle, to: 'safetensors', out: back })
    expect(Buffer.compare(readFileSync(back), file)).toBe(0)
  })

  it('write tied names as copies where config.json says they are not tied, and where the format cannot share', async () => {
    using folder = temporaryFolder()
    const file = safetensorsFile([noiseTensor('embed.weight', 'F32', [8, 4])], { 'lm_head.weight': 'embed.weight' })
    folder.write('model/model.safetensors', file)
    folder.write('model/config.json', '{"tie_word_embeddings": false}')
    for (const to of ['safetensors', 'npz'] as const) {
      const out = join(folder.path, to)
      const report = await convert({ source: join(folder.path, 'model'), to, out })
      expect(report.notes.map(({ text }) => text).join(' ')).toContain('copies')
      const found = await digests(out)
      expect(Object.keys(found)).toEqual(['embed.weight', 'lm_head.weight'])
      expect(found['lm_head.weight']).toBe(found['embed.weight'])
    }
  })
})

describe.skipIf(!hasReference)('files of the real libraries', () => {
  it.each([
    'dtypes.bin',
    'tied.bin',
    'views.pt',
    'legacy.pt',
    'plain.pth',
    'nested.pt',
    'arrays.npz',
    'quantized.gguf',
    'keras.h5',
    'flax_model.msgpack',
  ])('%s become safetensors with the tensors those libraries read', async (name) => {
    using folder = temporaryFolder()
    const out = join(folder.path, 'out.pth')
    await convert({ source: referencePath('checkpoints', name), to: 'pth', out })
    const expected = await digests(referencePath('checkpoints', `${name}.expected.safetensors`))
    const found = await digests(out)
    if (name.endsWith('.gguf')) expect(Object.keys(found)).toEqual(Object.keys(expected))
    else expect(found).toEqual(expected)
  })
})
