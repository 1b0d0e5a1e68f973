// HDF5 files of both generations of the format, and what damage does to them. The fixtures come from test/fixtures/hdf5/make_hdf5.py.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { File } from 'jsfive'
import { describe, expect, test } from 'vitest'
import { openHdf5 } from '../../../../engine/checkpoint/hdf5/hdf5'
import { EngineError } from '../../../../engine/errors'
import { decodeFloat64 } from '../../../../engine/tensor/decode'
import { hasReference, referencePath } from '../../../support/reference'
import { temporaryFolder } from '../../../support/temporary-folder'

const fixture = (name: string): string => resolve(import.meta.dirname, '../../../fixtures/hdf5', name)
const grid = Array.from({ length: 35 }, (_, index) => index - 3.5)

async function readAll(path: string): Promise<Readonly<Record<string, readonly number[]>>> {
  using checkpoint = await openHdf5(path)
  const values: Record<string, readonly number[]> = {}
  for (const { name, dtype } of checkpoint.tensors.values()) {
    const bytes = await checkpoint.read(name)
    values[name] = dtype === 'C64' ? [...new Float32Array(bytes.slice().buffer)] : [...decodeFloat64(bytes, dtype)]
  }
  return values
}

describe.for(['classic.h5', 'latest.h5'])('%s', (name) => {
  test('gives every value of every kind of chunk and type', async () => {
    const values = await readAll(fixture(name))
    for (const chunk of ['plain', 'packed', 'growing', 'single']) expect(values[`chunks/${chunk}`], chunk).toEqual(grid)
    expect(values['chunks/lzf']).toEqual(Array.from({ length: 200 }, (_, index) => Math.floor(index / 9)))
    expect(values['chunks/partly']).toEqual([7.25, 7.25, 7.25, 1, 7.25, 7.25])
    expect(values).toMatchObject({
      'types/bool': [1, 0],
      'types/complex': [1, 2],
      'types/big': [1, -2],
      'types/scalar': [1.5],
      'types/empty': [],
      'types/bfloat16': [1],
      tied: [1.5],
    })
    for (let index = 0; index < 20; index++) expect(values[`many/item${String(index).padStart(2, '0')}`]).toEqual([index])
  })

  test('keeps dtypes, shapes and integers beyond 2^53', async () => {
    using checkpoint = await openHdf5(fixture(name))
    const of = (tensor: string) => checkpoint.tensors.get(tensor)
    expect(of('types/bool')?.dtype).toBe('BOOL')
    expect(of('types/bfloat16')?.dtype).toBe('BF16')
    expect(of('types/scalar')).toMatchObject({ dtype: 'F16', shape: [] })
    expect(of('types/empty')).toMatchObject({ shape: [0, 3], sizeBytes: 0 })
    expect(new BigInt64Array((await checkpoint.read('types/wide')).slice().buffer)[0]).toBe(2n ** 63n - 1n)
  })

  test('turns attributes into metadata and notes what was left out', async () => {
    using checkpoint = await openHdf5(fixture(name))
    expect(checkpoint.metadata).toEqual({ name: 'fixture', list: '["a","bc"]', numbers: '[0,1,2]' })
    expect(checkpoint.notes.map(({ text }) => text)).toEqual(
      expect.arrayContaining(['text left out: type string.', 'soft left out: symbolic link.']),
    )
    expect(checkpoint.notes.map(({ text }) => text)).toEqual(expect.arrayContaining([expect.stringContaining('group seen before')]))
  })

  test('refuses the file cut off anywhere', async () => {
    const bytes = readFileSync(fixture(name))
    using folder = temporaryFolder()
    for (let size = 1; size < bytes.length; size += 61) {
      const path = folder.write('cut.h5', bytes.subarray(0, size))
      await expect(readAll(path), `cut at ${size}`).rejects.toBeInstanceOf(EngineError)
    }
  })
})

describe.skipIf(!hasReference)('against another reader', () => {
  test('agrees with jsfive on the Keras reference', async () => {
    const path = referencePath('checkpoints', 'keras.h5')
    const bytes = readFileSync(path)
    const other = new File(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), 'keras.h5')
    for (const [name, values] of Object.entries(await readAll(path))) expect(other.get(name).value, name).toEqual(values)
  })
})

describe('hostile HDF5 files', () => {
  /** The classic fixture with some bytes replaced at the first place where `find` lies. */
  function patched(find: string, offsetBytes: number, replacement: readonly number[]): Uint8Array {
    const bytes = readFileSync(fixture('classic.h5'))
    const at = bytes.indexOf(find, 0, 'latin1')
    expect(at).toBeGreaterThan(-1)
    bytes.set(replacement, at + offsetBytes)
    return bytes
  }

  test.for([
    ['an unknown superblock', patched('\x89HDF', 8, [9]), 'checkpoint/hdf5-malformed'],
    ['addresses of three bytes', patched('\x89HDF', 13, [3]), 'checkpoint/hdf5-malformed'],
    ['a root group outside the file', patched('\x89HDF', 64, [0, 0, 0, 0, 255, 0, 0, 0]), 'checkpoint/hdf5-malformed'],
    ['a tree of groups without its signature', patched('TREE', 0, [0]), 'checkpoint/hdf5-malformed'],
    ['a heap of names larger than the file', patched('HEAP', 8, [255, 255, 255, 255, 0, 0, 0, 0]), 'checkpoint/hdf5-malformed'],
    ['a table of symbols with 65,535 entries', patched('SNOD', 6, [255, 255]), 'checkpoint/hdf5-malformed'],
    ['a tree of groups with 65,535 children', patched('TREE', 6, [255, 255]), 'checkpoint/hdf5-malformed'],
  ] as const)('refuses %s', async ([, bytes, code]) => {
    using folder = temporaryFolder()
    await expect(readAll(folder.write('m.h5', bytes))).rejects.toMatchObject({ code })
  })

  test('refuses a tree that leads back into itself', async () => {
    const bytes = readFileSync(fixture('classic.h5'))
    const at = bytes.indexOf('TREE')
    bytes[at + 5] = 1
    bytes.writeBigUInt64LE(BigInt(at), at + 32)
    using folder = temporaryFolder()
    await expect(readAll(folder.write('m.h5', bytes))).rejects.toMatchObject({ code: 'checkpoint/hdf5-malformed' })
  })

  test('refuses a dataset far larger than its file could hold', async () => {
    const bytes = readFileSync(fixture('classic.h5'))
    // The dimensions of a dataspace: 7 and 5 as 64-bit numbers, once for now and once for the most.
    const dimensions = Buffer.alloc(16)
    dimensions.writeUInt32LE(7, 0)
    dimensions.writeUInt32LE(5, 8)
    for (let at = bytes.indexOf(dimensions); at >= 0; at = bytes.indexOf(dimensions, at + 1)) bytes.writeBigUInt64LE(2n ** 34n, at)
    using folder = temporaryFolder()
    await expect(readAll(folder.write('m.h5', bytes))).rejects.toMatchObject({ code: 'checkpoint/hdf5-inflated' })
  })

  test('refuses a damaged chunk when it is read', async () => {
    const bytes = readFileSync(fixture('classic.h5'))
    using healthy = await openHdf5(fixture('classic.h5'))
    expect(healthy.tensors.get('chunks/single')).toMatchObject({ storage: 'computed', computation: 'compressed' })
    const zlib = Buffer.from([0x78, 0x5e])
    for (let at = bytes.indexOf(zlib); at >= 0; at = bytes.indexOf(zlib, at + 2)) bytes[at] = 0
    using folder = temporaryFolder()
    await expect(readAll(folder.write('m.h5', bytes))).rejects.toMatchObject({ code: 'checkpoint/hdf5-damaged-chunk' })
  })

  test('ends soon on a shuffle of elements of four gigabytes', async () => {
    const bytes = readFileSync(fixture('classic.h5'))
    const shuffle = Buffer.from('shuffle\0\x04\0\0\0', 'latin1')
    const at = bytes.indexOf(shuffle)
    bytes.writeUInt32LE(0xffffffff, at + 8)
    using folder = temporaryFolder()
    const values = await readAll(folder.write('m.h5', bytes))
    expect(values['chunks/packed']).toHaveLength(35)
  })
})
