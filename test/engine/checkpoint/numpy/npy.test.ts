// .npy headers of all versions and orders, and the ones that must be refused.
import { describe, expect, test } from 'vitest'
import { MAX_HEADER_BYTES } from '../../../../engine/checkpoint/numpy/header'
import { openNpy, openNpz } from '../../../../engine/checkpoint/numpy/numpy'
import { expectedDigests, tensorDigests } from '../../../support/expected-tensors'
import { hasReference, referencePath } from '../../../support/reference'
import { temporaryFolder } from '../../../support/temporary-folder'

interface NpyOptions {
  readonly version?: number
  readonly headerBytes?: number
}

function npy(header: string, data: Uint8Array, { version = 1, headerBytes }: NpyOptions = {}): Uint8Array {
  const text = new TextEncoder().encode(header)
  const head = new Uint8Array(version === 1 ? 10 : 12)
  head.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0])
  const view = new DataView(head.buffer)
  if (version === 1) view.setUint16(8, headerBytes ?? text.length, true)
  else view.setUint32(8, headerBytes ?? text.length, true)
  return new Uint8Array(Buffer.concat([head, text, data]))
}

const header = (descr: string, shape: string, order = 'False'): string =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape}), }\n`
const float32 = (...values: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer)

async function read(bytes: Uint8Array) {
  using folder = temporaryFolder()
  using checkpoint = await openNpy(folder.write('w.npy', bytes))
  const tensor = checkpoint.tensors.get('w')
  return { tensor, notes: checkpoint.notes.map(({ text }) => text), values: tensor && [...(await checkpoint.read('w'))] }
}

describe('NumPy arrays', () => {
  test.skipIf(!hasReference)('arrays.npz equals what NumPy reads', async () => {
    using checkpoint = await openNpz(referencePath('checkpoints', 'arrays.npz'))
    expect(await tensorDigests(checkpoint)).toEqual(await expectedDigests(referencePath('checkpoints', 'arrays.npz.expected.safetensors')))
  })

  test.for([1, 2, 3])('reads format version %i', async (version) => {
    const { tensor, values } = await read(npy(header('<f4', '2,'), float32(1, 2), { version }))
    expect(tensor).toMatchObject({ dtype: 'F32', shape: [2] })
    expect(values).toEqual([...float32(1, 2)])
  })

  test('puts column-major elements into row-major order', async () => {
    const { tensor, values } = await read(npy(header('|u1', '2, 3', 'True'), Uint8Array.of(1, 4, 2, 5, 3, 6)))
    expect(values).toEqual([1, 2, 3, 4, 5, 6])
    expect(tensor).toMatchObject({ storage: 'computed', computation: 'strided' })
  })

  test('swaps the bytes of big-endian elements', async () => {
    const { tensor, values } = await read(npy(header('>i2', '2,'), Uint8Array.of(0, 1, 1, 0)))
    expect(values).toEqual([1, 0, 0, 1])
    expect(tensor).toMatchObject({ computation: 'big-endian' })
  })

  test('takes a scalar, an empty array and keys in another order', async () => {
    expect((await read(npy(header('<f4', ''), float32(5)))).tensor?.shape).toEqual([])
    expect((await read(npy(header('<f4', '0, 3'), new Uint8Array()))).tensor).toMatchObject({ shape: [0, 3], sizeBytes: 0 })
    expect((await read(npy(`{"shape": (1L,), "fortran_order": False, "descr": "<f4"}`, float32(5)))).tensor?.shape).toEqual([1])
  })

  test('takes V2 for bfloat16 and says so', async () => {
    const { tensor, notes } = await read(npy(header('|V2', '1,'), Uint8Array.of(0x80, 0x3f)))
    expect(tensor?.dtype).toBe('BF16')
    expect(notes).toEqual([expect.stringContaining('bfloat16')])
  })

  test('leaves out texts with a note', async () => {
    const { tensor, notes } = await read(npy(header('<U3', '1,'), new Uint8Array(12)))
    expect(tensor).toBeUndefined()
    expect(notes).toEqual([expect.stringContaining('<U3')])
  })

  test.for([
    ['Python objects', npy(header('|O', '1,'), Uint8Array.of(0x80, 4)), 'checkpoint/numpy-object-array'],
    ['records', npy(`{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }`, float32(1)), 'checkpoint/numpy-record-array'],
    ['data that is cut off', npy(header('<f4', '3,'), float32(1, 2)), 'checkpoint/truncated-file'],
    ['a header that is cut off', npy(header('<f4', '1,'), float32(1), { headerBytes: 4000 }), 'checkpoint/numpy-malformed'],
    [
      'a header above the limit',
      npy(header('<f4', '1,'), float32(1), { version: 2, headerBytes: MAX_HEADER_BYTES + 1 }),
      'checkpoint/numpy-header-too-large',
    ],
    ['an unknown version', npy(header('<f4', '1,'), float32(1), { version: 9 }), 'checkpoint/numpy-malformed'],
    ['a shape beyond all files', npy(header('<f4', '9007199254740991, 9'), float32(1)), 'checkpoint/shape-overflow'],
    ['a negative dimension', npy(header('<f4', '-1,'), float32(1)), 'checkpoint/numpy-malformed'],
    ['more dimensions than any library', npy(header('<f4', '1,'.repeat(65)), float32(1)), 'checkpoint/numpy-malformed'],
    [
      'a key twice',
      npy(`{'shape': (1,), 'shape': (2,), 'descr': '<f4', 'fortran_order': False}`, float32(1)),
      'checkpoint/numpy-malformed',
    ],
    [
      'a call in the header',
      npy(`{'descr': __import__('os'), 'fortran_order': False, 'shape': (1,)}`, float32(1)),
      'checkpoint/numpy-malformed',
    ],
    ['no dictionary', npy('[]', float32(1)), 'checkpoint/numpy-malformed'],
    ['a type with a text of any length', npy(header('<f4' + 'x'.repeat(60), '1,'), float32(1)), 'checkpoint/numpy-malformed'],
  ] as const)('refuses %s', async ([, bytes, code]) => {
    await expect(read(bytes)).rejects.toMatchObject({ code })
  })

  test('refuses the file cut off at every byte', async () => {
    const bytes = npy(header('<f4', '2,'), float32(1, 2))
    for (let size = 1; size < bytes.length; size++) {
      await expect(read(bytes.slice(0, size)), `cut at ${size}`).rejects.toMatchObject({
        code: expect.stringMatching(/^checkpoint\/(numpy-malformed|truncated-file)$/) as string,
      })
    }
  })
})
