// GGUF files as they are meant to be: versions, byte orders, dtypes, metadata, split sets.
import { describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../../../engine/checkpoint/open'
import { readGgufArray } from '../../../../engine/checkpoint/gguf/array'
import { readGgufHeader } from '../../../../engine/checkpoint/gguf/header'
import { engineCode } from '../../../support/engine-code'
import { temporaryFolder } from '../../../support/temporary-folder'
import { ggufFile, ggufParts, type TensorToWrite } from './gguf-writer'

const floats = (values: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer)
const tensor = (name: string, values: readonly number[] = [1, 2]): TensorToWrite => ({
  name,
  typeNumber: 0,
  dimensions: [values.length],
  bytes: floats(values),
})

describe('GGUF files', () => {
  it.each([2, 3])('reads version %i with the dimensions reversed', async (version) => {
    using folder = temporaryFolder()
    const path = folder.write(
      'model.gguf',
      ggufFile({ version, tensors: [{ name: 'w', typeNumber: 0, dimensions: [3, 2], bytes: floats([1, 2, 3, 4, 5, 6]) }] }),
    )
    using checkpoint = await openCheckpoint(path)
    expect(checkpoint.format).toBe('gguf')
    expect(checkpoint.tensors.get('w')).toMatchObject({ dtype: 'F32', shape: [2, 3], sizeBytes: 24, file: path })
    expect(await checkpoint.read('w')).toEqual(floats([1, 2, 3, 4, 5, 6]))
  })

  it('keeps the dtype of tensors that are not quantized, and lets them be mapped', async () => {
    using folder = temporaryFolder()
    const types = [
      [0, 'F32', 4],
      [1, 'F16', 2],
      [24, 'I8', 1],
      [25, 'I16', 2],
      [26, 'I32', 4],
      [27, 'I64', 8],
      [28, 'F64', 8],
      [30, 'BF16', 2],
    ] as const
    const path = folder.write(
      'model.gguf',
      ggufFile({
        tensors: types.map(([typeNumber, name, size]) => ({
          name,
          typeNumber,
          dimensions: [5],
          bytes: new Uint8Array(5 * size).fill(typeNumber),
        })),
      }),
    )
    using checkpoint = await openCheckpoint(path)
    for (const [typeNumber, name, size] of types) {
      const info = checkpoint.tensors.get(name)
      expect(info).toMatchObject({ dtype: name, shape: [5], sizeBytes: 5 * size })
      expect(info?.storage).toBeUndefined()
      expect(await checkpoint.read(name)).toEqual(new Uint8Array(5 * size).fill(typeNumber))
    }
  })

  it('reads scalars, tensors of no elements and files of no tensors', async () => {
    using folder = temporaryFolder()
    const tensors = [
      { name: 'scalar', typeNumber: 0, dimensions: [], bytes: floats([7]) },
      { name: 'empty', typeNumber: 0, dimensions: [4, 0], bytes: new Uint8Array() },
      tensor('after'),
    ]
    using checkpoint = await openCheckpoint(folder.write('model.gguf', ggufFile({ tensors })))
    expect(checkpoint.tensors.get('scalar')).toMatchObject({ shape: [] })
    expect(await checkpoint.read('scalar')).toEqual(floats([7]))
    expect(checkpoint.tensors.get('empty')).toMatchObject({ shape: [0, 4], sizeBytes: 0 })
    expect(await checkpoint.read('after')).toEqual(floats([1, 2]))
    using none = await openCheckpoint(folder.write('vocabulary.gguf', ggufFile({ metadata: [['a', { type: 'u32', value: 1 }]] })))
    expect(none.tensors.size).toBe(0)
  })

  it('says where the blocks of a dequantized tensor lie', async () => {
    using folder = temporaryFolder()
    const block = new Uint8Array(34)
    block.set([0x00, 0x3c, 1, 0xff]) // scale 1, codes 1, -1, 0, ...
    const path = folder.write(
      'model.gguf',
      ggufFile({ tensors: [tensor('first'), { name: 'q', typeNumber: 8, dimensions: [32], bytes: block }] }),
    )
    using checkpoint = await openCheckpoint(path)
    const info = checkpoint.tensors.get('q')
    expect(info).toMatchObject({ dtype: 'F32', shape: [32], sizeBytes: 128, storage: 'computed', computation: 'dequantized' })
    expect(info).toMatchObject({ block: { type: 'Q8_0', sizeBytes: 34 } })
    expect(await checkpoint.read('q')).toEqual(floats([1, -1, ...new Array<number>(30).fill(0)]))
    expect(checkpoint.notes.map(({ text }) => text).join(' ')).toContain('Q8_0 (1)')
  })

  it('honours the alignment that the file states', async () => {
    using folder = temporaryFolder()
    const file = ggufFile({
      alignment: 256,
      metadata: [['general.alignment', { type: 'u32', value: 256 }]],
      tensors: [tensor('a', [1, 2, 3]), tensor('b', [4])],
    })
    using checkpoint = await openCheckpoint(folder.write('model.gguf', file))
    expect(await checkpoint.read('a')).toEqual(floats([1, 2, 3]))
    expect(await checkpoint.read('b')).toEqual(floats([4]))
    expect(checkpoint.tensors.get('b')).toMatchObject({ offsetBytes: 512 })
  })

  it('reads big-endian files, any range of them', async () => {
    using folder = temporaryFolder()
    const big = ggufParts(false)
    ;[1.5, -2, 3].forEach((value) => big.f32(value))
    const path = folder.write(
      'model.gguf',
      ggufFile({
        littleEndian: false,
        metadata: [
          ['k', { type: 'u32', value: 7 }],
          ['s', { type: 'strings', value: ['x', 'yz'] }],
        ],
        tensors: [{ name: 'w', typeNumber: 0, dimensions: [3], bytes: big.bytes() }],
      }),
    )
    using checkpoint = await openCheckpoint(path)
    expect(checkpoint.tensors.get('w')).toMatchObject({ dtype: 'F32', storage: 'computed', computation: 'big-endian' })
    const expected = floats([1.5, -2, 3])
    expect(await checkpoint.read('w')).toEqual(expected)
    expect(await checkpoint.readRange({ name: 'w', offsetBytes: 3, sizeBytes: 6 })).toEqual(expected.subarray(3, 9))
    const { metadata } = await readGgufHeader(path)
    expect(metadata.get('k')).toEqual({ type: 'u32', value: 7 })
    const strings = metadata.get('s')
    expect(strings?.type === 'array' && (await readGgufArray(strings))).toEqual(['x', 'yz'])
  })

  it('keeps the types of metadata, and shows arrays by their first elements', async () => {
    using folder = temporaryFolder()
    const path = folder.write(
      'model.gguf',
      ggufFile({
        metadata: [
          ['general.architecture', { type: 'string', value: 'llama' }],
          ['big', { type: 'u64', value: 2n ** 63n }],
          ['flag', { type: 'bool', value: true }],
          ['tokens', { type: 'strings', value: ['<unk>', 'a\u00e9', ''] }],
          ['ids', { type: 'i32s', value: [3, -4, 5, 0, 1, 2, 3, 4, 5, 6, 7, 8] }],
          ['__proto__', { type: 'u32', value: 1 }],
        ],
      }),
    )
    using checkpoint = await openCheckpoint(path)
    expect(Object.entries(checkpoint.metadata)).toEqual([
      ['general.architecture', 'llama'],
      ['big', '9223372036854775808'],
      ['flag', 'true'],
      ['tokens', 'string [3]: "<unk>", "a\u00e9", ""'],
      ['ids', 'i32 [12]: 3, -4, 5, 0, 1, 2, 3, 4, …'],
      ['__proto__', '1'],
    ])
    const { metadata } = await readGgufHeader(path)
    const tokens = metadata.get('tokens')
    const ids = metadata.get('ids')
    if (tokens?.type !== 'array' || ids?.type !== 'array') throw new Error('these are arrays')
    expect(await readGgufArray(tokens)).toEqual(['<unk>', 'a\u00e9', ''])
    expect(await readGgufArray(tokens, { count: 1 })).toEqual(['<unk>'])
    expect(await readGgufArray(ids)).toEqual([3, -4, 5, 0, 1, 2, 3, 4, 5, 6, 7, 8])
  })
})

describe('split GGUF', () => {
  const part = (number: number, names: readonly string[], total = 3): Uint8Array =>
    ggufFile({
      metadata: [
        ...(number === 1 ? [['general.name', { type: 'string', value: 'whole' }] as const] : []),
        ['split.no', { type: 'u32', value: number - 1 }],
        ['split.count', { type: 'u32', value: total }],
        ['split.tensors.count', { type: 'u32', value: 3 }],
      ],
      tensors: names.map((name) => tensor(name, [number])),
    })

  it.each([1, 2, 3])('opens the whole set from part %i', async (number) => {
    using folder = temporaryFolder()
    const paths = [
      folder.write('m-00001-of-00003.gguf', part(1, [])),
      folder.write('m-00002-of-00003.gguf', part(2, ['a', 'b'])),
      folder.write('m-00003-of-00003.gguf', part(3, ['c'])),
    ]
    using checkpoint = await openCheckpoint(paths[number - 1] ?? '')
    expect(checkpoint.files.map(({ path }) => path)).toEqual(paths)
    expect([...checkpoint.tensors.keys()]).toEqual(['a', 'b', 'c'])
    expect(await checkpoint.read('c')).toEqual(floats([3]))
    expect(checkpoint.metadata['general.name']).toBe('whole')
    expect(checkpoint.metadata['split.no']).toBe('0')
  })

  it('opens a folder that holds one set', async () => {
    using folder = temporaryFolder()
    folder.write('m-00001-of-00002.gguf', part(1, ['a'], 2))
    folder.write('m-00002-of-00002.gguf', part(2, ['b', 'c'], 2))
    using checkpoint = await openCheckpoint(folder.path)
    expect([...checkpoint.tensors.keys()]).toEqual(['a', 'b', 'c'])
  })

  it('names the part that is missing', async () => {
    using folder = temporaryFolder()
    const path = folder.write('m-00001-of-00003.gguf', part(1, []))
    folder.write('m-00003-of-00003.gguf', part(3, ['c']))
    expect(await engineCode(() => openCheckpoint(path))).toBe('checkpoint/gguf-missing-part')
  })

  it('refuses parts of different sets', async () => {
    using folder = temporaryFolder()
    const path = folder.write('m-00001-of-00002.gguf', part(1, ['a']))
    folder.write('m-00002-of-00002.gguf', part(2, ['b', 'c']))
    expect(await engineCode(() => openCheckpoint(path))).toBe('checkpoint/gguf-inconsistent-split')
  })

  it('refuses parts in the wrong places', async () => {
    using folder = temporaryFolder()
    const path = folder.write('m-00001-of-00002.gguf', part(2, ['a'], 2))
    folder.write('m-00002-of-00002.gguf', part(1, ['b', 'c'], 2))
    expect(await engineCode(() => openCheckpoint(path))).toBe('checkpoint/gguf-inconsistent-split')
  })

  it('refuses a tensor that two parts hold', async () => {
    using folder = temporaryFolder()
    const path = folder.write('m-00001-of-00002.gguf', part(1, ['a'], 2))
    folder.write('m-00002-of-00002.gguf', part(2, ['a', 'c'], 2))
    expect(await engineCode(() => openCheckpoint(path))).toBe('checkpoint/tensor-in-two-shards')
  })

  it('opens a renamed part alone and says so', async () => {
    using folder = temporaryFolder()
    const file = part(3, ['c'])
    using checkpoint = await openCheckpoint(folder.write('renamed.gguf', file))
    expect([...checkpoint.tensors.keys()]).toEqual(['c'])
    expect(checkpoint.notes.map(({ text }) => text).join(' ')).toContain('3 parts')
  })
})
