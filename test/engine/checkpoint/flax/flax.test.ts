// Flax files: the reference, and files made here with the MessagePack library as an independent writer.
import { encode, ExtData } from '@msgpack/msgpack'
import { describe, expect, test } from 'vitest'
import { MAX_DEPTH, MAX_NAME_LENGTH, openFlax } from '../../../../engine/checkpoint/flax/flax'
import { expectedDigests, tensorDigests } from '../../../support/expected-tensors'
import { hasReference, referencePath } from '../../../support/reference'
import { temporaryFolder } from '../../../support/temporary-folder'

const float32 = (values: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer)

function array(
  values: readonly number[],
  options: { readonly shape?: readonly number[]; readonly dtype?: string; readonly type?: number } = {},
): ExtData {
  const { shape = [values.length], dtype = 'float32', type = 1 } = options
  return new ExtData(type, encode([shape, dtype, float32(values)]))
}

async function open(content: unknown) {
  using folder = temporaryFolder()
  const bytes = content instanceof Uint8Array ? content : encode(content, { maxDepth: 1000 })
  using checkpoint = await openFlax(folder.write('flax_model.msgpack', bytes))
  const values: Record<string, readonly number[]> = {}
  for (const { name } of checkpoint.tensors.values()) values[name] = [...new Float32Array((await checkpoint.read(name)).buffer)]
  return { checkpoint, values }
}

describe('Flax files', () => {
  test.skipIf(!hasReference)('flax_model.msgpack equals what Flax reads', async () => {
    using checkpoint = await openFlax(referencePath('checkpoints', 'flax_model.msgpack'))
    expect(await tensorDigests(checkpoint)).toEqual(
      await expectedDigests(referencePath('checkpoints', 'flax_model.msgpack.expected.safetensors')),
    )
  })

  test('joins the keys of nested maps and lists with dots', async () => {
    const { values } = await open({ params: { layers: [array([1]), array([2])], 7: array([3]) } })
    expect(values).toEqual({ 'params.layers.0': [1], 'params.layers.1': [2], 'params.7': [3] })
  })

  test('puts a chunked array together', async () => {
    const chunked = { __msgpack_chunked_array__: true, shape: { 0: 2, 1: 3 }, chunks: { 0: array([1, 2, 3, 4]), 1: array([5, 6]) } }
    const { checkpoint, values } = await open({ w: chunked })
    expect(values).toEqual({ w: [1, 2, 3, 4, 5, 6] })
    expect(checkpoint.tensors.get('w')).toMatchObject({ shape: [2, 3], storage: 'computed' })
  })

  test('reads a NumPy scalar as a tensor without dimensions', async () => {
    const { checkpoint, values } = await open({ s: array([2.5], { shape: [], type: 3 }) })
    expect(values).toEqual({ s: [2.5] })
    expect(checkpoint.tensors.get('s')?.shape).toEqual([])
  })

  test('keeps numbers and texts as metadata and notes what is no array', async () => {
    const { checkpoint } = await open({
      step: 12,
      name: 'adam',
      none: null,
      z: new ExtData(2, encode([1, 2])),
      c: array([1, 2], { dtype: 'complex128' }),
    })
    expect(checkpoint.metadata).toEqual({ step: '12', name: 'adam' })
    expect(checkpoint.notes.map(({ text }) => text)).toEqual([
      '2 entries, among them none, left out: no array.',
      'c left out: type complex128.',
    ])
  })

  test.for([
    ['an array whose bytes do not fit its shape', { w: array([1, 2], { shape: [3] }) }, 'checkpoint/size-mismatch'],
    ['a shape beyond all files', { w: array([1], { shape: [2 ** 31, 2 ** 31] }) }, 'checkpoint/shape-overflow'],
    [
      'chunks that do not fit the shape',
      { w: { __msgpack_chunked_array__: true, shape: { 0: 5 }, chunks: { 0: array([1]) } } },
      'checkpoint/size-mismatch',
    ],
    ['chunks without a shape', { w: { __msgpack_chunked_array__: true, chunks: { 0: array([1]) } } }, 'checkpoint/flax-malformed'],
    ['an array that is no list of three', { w: new ExtData(1, encode([[1], 'float32'])) }, 'checkpoint/flax-malformed'],
    ['two arrays of one name', { 'a.b': array([1]), a: { b: array([2]) } }, 'checkpoint/flax-malformed'],
    ['a name too long', { ['x'.repeat(MAX_NAME_LENGTH + 1)]: array([1]) }, 'checkpoint/flax-malformed'],
    ['a text that is no map', 'weights', 'checkpoint/flax-malformed'],
    ['bytes behind the map', Uint8Array.from([0x80, 0x80]), 'checkpoint/flax-malformed'],
    ['a map of four billion entries', Uint8Array.from([0xdf, 0xff, 0xff, 0xff, 0xff]), 'checkpoint/flax-malformed'],
    ['four billion bytes', Uint8Array.from([0x81, 0xa1, 0x61, 0xc6, 0xff, 0xff, 0xff, 0xff]), 'checkpoint/flax-malformed'],
    ['a byte that starts no value', Uint8Array.from([0xc1]), 'checkpoint/flax-malformed'],
  ] as const)('refuses %s', async ([, content, code]) => {
    await expect(open(content)).rejects.toMatchObject({ code })
  })

  test('refuses maps nested deeper than any module tree', async () => {
    let nested: unknown = array([1])
    for (let depth = 0; depth <= MAX_DEPTH; depth++) nested = { a: nested }
    await expect(open(nested)).rejects.toMatchObject({ code: 'checkpoint/flax-too-deep' })
  })

  test('refuses the file cut off at every byte', async () => {
    const bytes = encode({ params: { w: array([1, 2, 3]), s: array([2], { shape: [], type: 3 }) }, step: 70_000 })
    for (let size = 1; size < bytes.length; size++) {
      await expect(open(bytes.slice(0, size)), `cut at ${size}`).rejects.toMatchObject({ code: 'checkpoint/flax-malformed' })
    }
  })
})
