import { truncateSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import { readSafetensorsFile } from '../../../engine/checkpoint/safetensors'
import { EngineError } from '../../../engine/errors'
import { DTYPE_BITS, type Dtype } from '../../../engine/tensor/dtype'
import { engineCode } from '../../support/engine-code'
import { f32Tensor, rawSafetensors, safetensorsFile } from '../../support/safetensors-writer'
import { temporaryFolder } from '../../support/temporary-folder'

const entry = (fields: Readonly<Record<string, unknown>> = {}) => ({ dtype: 'F32', shape: [1], data_offsets: [0, 4], ...fields })
const four = new Uint8Array(4)

async function codeOfFile(content: Uint8Array | string): Promise<string> {
  using folder = temporaryFolder()
  const path = folder.write('model.safetensors', content)
  return await engineCode(() => readSafetensorsFile(path))
}

const codeOfHeader = (header: unknown, data: Uint8Array = four) =>
  codeOfFile(rawSafetensors(typeof header === 'string' ? header : JSON.stringify(header), data))

describe('safetensors reader', () => {
  it('reads tensors, metadata and bytes', async () => {
    using folder = temporaryFolder()
    const tensors = [f32Tensor('b', [1, 2, 3, 4], [2, 2]), f32Tensor('a', [5], []), f32Tensor('empty', [], [0, 7])]
    const path = folder.write('model.safetensors', safetensorsFile(tensors, { format: 'pt' }))
    using checkpoint = await openCheckpoint(path)
    expect(checkpoint.metadata).toEqual({ format: 'pt' })
    expect([...checkpoint.tensors.keys()].sort()).toEqual(['a', 'b', 'empty'])
    expect(checkpoint.tensors.get('b')).toMatchObject({ dtype: 'F32', shape: [2, 2], sizeBytes: 16, file: path })
    expect(await checkpoint.read('b')).toEqual(tensors[0]?.bytes)
    expect(await checkpoint.read('a')).toEqual(tensors[1]?.bytes)
    expect(await checkpoint.read('empty')).toEqual(new Uint8Array())
    expect(await checkpoint.readRange({ name: 'b', offsetBytes: 4, sizeBytes: 8 })).toEqual(tensors[0]?.bytes.slice(4, 12))
  })

  it('reads back whatever a writer wrote', async () => {
    using folder = temporaryFolder()
    const dtype = fc.constantFrom<Dtype>('F32', 'BF16', 'I64', 'BOOL', 'F8_E4M3', 'F64')
    const tensor = fc
      .record({
        name: fc.string({ minLength: 1, maxLength: 20 }),
        dtype,
        shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
      })
      .filter(({ name }) => name !== '__metadata__')
      .chain(({ name, dtype: type, shape }) => {
        const length = shape.reduce((product, dimension) => product * dimension, 1) * (DTYPE_BITS[type] / 8)
        return fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => ({ name, dtype: type, shape, bytes }))
      })
    const tensorsOfFile = fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 6 })
    const metadata = fc.dictionary(fc.string({ maxLength: 10 }), fc.string({ maxLength: 10 }), { noNullPrototype: true })
    await fc.assert(
      fc.asyncProperty(tensorsOfFile, metadata, async (tensors, texts) => {
        const path = folder.write('model.safetensors', safetensorsFile(tensors, texts))
        using checkpoint = await openCheckpoint(path)
        expect(checkpoint.tensors.size).toBe(tensors.length)
        for (const { name, dtype: type, shape, bytes } of tensors) {
          expect(checkpoint.tensors.get(name)).toMatchObject({ name, dtype: type, shape, sizeBytes: bytes.length })
          expect(await checkpoint.read(name)).toEqual(bytes)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('ends with its own error or a consistent answer when a correct file is damaged', async () => {
    using folder = temporaryFolder()
    const good = safetensorsFile([f32Tensor('model.norm.weight', [1, 2]), f32Tensor('lm_head.weight', [3, 4, 5, 6], [2, 2])], {
      format: 'pt',
    })
    const position = fc.integer({ min: 0, max: good.length - 1 })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(position, fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 3 }), async (changes) => {
        const bytes = good.slice()
        for (const [at, value] of changes) bytes[at] = value
        try {
          const file = await readSafetensorsFile(folder.write('model.safetensors', bytes))
          const covered = file.tensors.reduce((sum, tensor) => sum + tensor.sizeBytes, 0)
          const start = file.tensors[0]?.offsetBytes ?? bytes.length
          expect(start + covered).toBe(bytes.length)
        } catch (error) {
          expect(error).toBeInstanceOf(EngineError)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('accepts header padding, unknown fields and a null metadata', async () => {
    expect(await codeOfHeader(`{"__metadata__":null,"a":${JSON.stringify(entry({ extra: [1] }))}}     `)).toBe('no error')
  })

  it('accepts a file without tensors', async () => {
    expect(await codeOfHeader({}, new Uint8Array())).toBe('no error')
  })

  it('keeps a __proto__ tensor and __proto__ metadata as data', async () => {
    using folder = temporaryFolder()
    const path = folder.write(
      'model.safetensors',
      rawSafetensors(`{"__metadata__":{"__proto__":"x"},"__proto__":${JSON.stringify(entry())}}`, four),
    )
    using checkpoint = await openCheckpoint(path)
    expect([...checkpoint.tensors.keys()]).toEqual(['__proto__'])
    expect(Object.entries(checkpoint.metadata)).toEqual([['__proto__', 'x']])
    expect(Object.getPrototypeOf(checkpoint.metadata)).toBe(Object.prototype)
  })

  it.each<[string, unknown, string]>([
    ['an entry that is no object', { a: 5 }, 'checkpoint/malformed-header'],
    ['a header that is a list', '[]', 'checkpoint/malformed-header'],
    ['a header that starts with a space', ' {}', 'checkpoint/malformed-header'],
    ['no dtype', { a: entry({ dtype: undefined }) }, 'checkpoint/malformed-header'],
    ['no shape', { a: entry({ shape: undefined }) }, 'checkpoint/malformed-header'],
    ['a negative dimension', { a: entry({ shape: [-1] }) }, 'checkpoint/malformed-header'],
    ['a fractional dimension', { a: entry({ shape: [0.5] }) }, 'checkpoint/malformed-header'],
    ['a dimension that is text', { a: entry({ shape: ['1'] }) }, 'checkpoint/malformed-header'],
    ['65 dimensions', { a: entry({ shape: new Array<number>(65).fill(1) }) }, 'checkpoint/malformed-header'],
    ['one offset', { a: entry({ data_offsets: [4] }) }, 'checkpoint/malformed-header'],
    ['three offsets', { a: entry({ data_offsets: [0, 4, 8] }) }, 'checkpoint/malformed-header'],
    ['an offset that is text', { a: entry({ data_offsets: [0, '4'] }) }, 'checkpoint/malformed-header'],
    ['descending offsets', { a: entry({ data_offsets: [4, 0] }) }, 'checkpoint/descending-offsets'],
    ['a negative offset', { a: entry({ data_offsets: [-4, 0] }) }, 'checkpoint/negative-offset'],
    ['a fractional offset', { a: entry({ data_offsets: [0, 4.5] }) }, 'checkpoint/invalid-offsets'],
    ['an offset beyond exact integers', { a: entry({ data_offsets: [0, 2 ** 60] }) }, 'checkpoint/invalid-offsets'],
    ['a dtype of another library', { a: entry({ dtype: 'float32' }) }, 'checkpoint/unknown-dtype'],
    ['a dtype named like a method', { a: entry({ dtype: 'toString' }) }, 'checkpoint/unknown-dtype'],
    ['bytes that do not fit the shape', { a: entry({ shape: [2] }) }, 'checkpoint/size-mismatch'],
    ['half a byte', { a: entry({ dtype: 'F4', shape: [7] }) }, 'checkpoint/size-mismatch'],
    ['a product over the integers', { a: entry({ shape: [2 ** 27, 2 ** 27] }) }, 'checkpoint/shape-overflow'],
    [
      'a product that overflows before a zero',
      { a: entry({ shape: [2 ** 40, 2 ** 40, 0], data_offsets: [0, 0] }) },
      'checkpoint/shape-overflow',
    ],
    ['metadata that is a list', { __metadata__: [], a: entry() }, 'checkpoint/malformed-metadata'],
    ['a metadata value that is a number', { __metadata__: { a: 1 }, a: entry() }, 'checkpoint/malformed-metadata'],
    ['one range used twice', { a: entry(), b: entry() }, 'checkpoint/overlapping-tensors'],
    ['data that starts late', { a: entry({ data_offsets: [4, 8] }) }, 'checkpoint/gap-between-tensors'],
    ['invalid JSON', '{"a":', 'checkpoint/header-invalid-json'],
  ])('refuses %s', async (_, header, code) => {
    expect(await codeOfHeader(header)).toBe(code)
  })

  it('refuses bytes after the last tensor', async () => {
    expect(await codeOfHeader({ a: entry() }, new Uint8Array(5))).toBe('checkpoint/trailing-bytes')
  })

  it('names the first tensor that a cut file does not hold, its end and the size', async () => {
    using folder = temporaryFolder()
    const path = folder.write(
      'model.safetensors',
      safetensorsFile([f32Tensor('whole', [1]), f32Tensor('cut', [1, 2]), f32Tensor('gone', [1])]),
    )
    const { sizeBytes } = await readSafetensorsFile(path)
    truncateSync(path, sizeBytes - 8)
    await expect(readSafetensorsFile(path)).rejects.toMatchObject({
      code: 'checkpoint/truncated-file',
      details: { tensor: 'cut', endBytes: sizeBytes - 4, fileSizeBytes: sizeBytes - 8 },
    })
  })

  it('refuses a header over 100 MB and one that is longer than the file', async () => {
    const file = (headerBytes: bigint) => {
      const bytes = rawSafetensors('{}')
      new DataView(bytes.buffer).setBigUint64(0, headerBytes, true)
      return bytes
    }
    expect(await codeOfFile(file(100_000_001n))).toBe('checkpoint/header-too-large')
    expect(await codeOfFile(file(2n ** 64n - 1n))).toBe('checkpoint/header-too-large')
    expect(await codeOfFile(file(100_000_000n))).toBe('checkpoint/header-beyond-file')
    expect(await codeOfFile(file(3n))).toBe('checkpoint/header-beyond-file')
  })

  it('tells an empty file, a stub, a web page and a Git LFS pointer apart', async () => {
    expect(await codeOfFile('')).toBe('checkpoint/empty-file')
    expect(await codeOfFile('1234567')).toBe('checkpoint/header-truncated')
    expect(await codeOfFile('\n<!DOCTYPE html><p>Sign in</p>')).toBe('checkpoint/html-page')
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 4976698672\n`
    using folder = temporaryFolder()
    await expect(readSafetensorsFile(folder.write('model.safetensors', pointer))).rejects.toMatchObject({
      code: 'checkpoint/lfs-pointer',
      details: { realSizeBytes: 4976698672 },
    })
  })
})

describe('lazy tensors', () => {
  it('refuses unknown names and ranges outside the tensor', async () => {
    using folder = temporaryFolder()
    using checkpoint = await openCheckpoint(folder.write('model.safetensors', safetensorsFile([f32Tensor('a', [1]), f32Tensor('b', [2])])))
    expect(await engineCode(() => checkpoint.read('c'))).toBe('checkpoint/unknown-tensor')
    expect(await engineCode(() => checkpoint.readRange({ name: 'a', offsetBytes: 0, sizeBytes: 8 }))).toBe(
      'checkpoint/range-outside-tensor',
    )
    expect(await engineCode(() => checkpoint.readRange({ name: 'b', offsetBytes: -4, sizeBytes: 4 }))).toBe(
      'checkpoint/range-outside-tensor',
    )
  })

  it('refuses to read from a file that was replaced after its header was read', async () => {
    using folder = temporaryFolder()
    const path = folder.write('model.safetensors', safetensorsFile([f32Tensor('a', [1])]))
    using checkpoint = await openCheckpoint(path)
    folder.write('model.safetensors', safetensorsFile([f32Tensor('a', [1, 2])]))
    expect(await engineCode(() => checkpoint.read('a'))).toBe('checkpoint/file-changed')
  })

  it('stops when cancelled and refuses after dispose', async () => {
    using folder = temporaryFolder()
    const checkpoint = await openCheckpoint(folder.write('model.safetensors', safetensorsFile([f32Tensor('a', [1])])))
    expect(await engineCode(() => checkpoint.read('a', AbortSignal.abort()))).toBe('runtime/aborted')
    checkpoint[Symbol.dispose]()
    expect(await engineCode(() => checkpoint.read('a'))).toBe('bytes/unreadable')
  })
})
