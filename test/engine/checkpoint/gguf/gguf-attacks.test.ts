// Hostile GGUF headers: each is refused with its own code before anything large is read or allocated.
import { closeSync, ftruncateSync, openSync, truncateSync, writeSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../../../engine/checkpoint/open'
import { engineCode } from '../../../support/engine-code'
import { temporaryFolder } from '../../../support/temporary-folder'
import { ggufFile, ggufParts, type GgufToWrite, type TensorToWrite, type ValueToWrite } from './gguf-writer'

const U64_MAX = 2n ** 64n - 1n
const four = new Uint8Array(16).fill(1)
const good: TensorToWrite = { name: 'w', typeNumber: 0, dimensions: [4], bytes: four }
const other: TensorToWrite = { ...good, name: 'v' }

/** A value made of the numbers that follow its type. */
function rawValue(typeNumber: number, write: (parts: ReturnType<typeof ggufParts>) => void): ValueToWrite {
  const parts = ggufParts(true)
  write(parts)
  return { type: 'raw', typeNumber, bytes: parts.bytes() }
}

const withValue = (value: ValueToWrite): GgufToWrite => ({ metadata: [['key', value]] })
const withTensor = (change: Partial<TensorToWrite>): GgufToWrite => ({ tensors: [{ ...good, ...change }] })

const nested = rawValue(9, (parts) => {
  for (let depth = 0; depth < 8; depth++) {
    parts.u32(9)
    parts.u64(1)
  }
})

const ATTACKS: readonly (readonly [what: string, file: GgufToWrite, code: string])[] = [
  ['version 1', { version: 1 }, 'checkpoint/gguf-version'],
  ['version 4', { version: 4 }, 'checkpoint/gguf-version'],
  ['version 0', { version: 0 }, 'checkpoint/gguf-version'],
  ['2^64 - 1 tensors', { tensorCount: U64_MAX }, 'checkpoint/gguf-too-many'],
  ['2^64 - 1 keys', { keyCount: U64_MAX }, 'checkpoint/gguf-too-many'],
  ['more tensors than the file has room for', { tensorCount: 100_000n }, 'checkpoint/gguf-truncated-header'],
  ['more keys than the file has room for', { keyCount: 60_000n }, 'checkpoint/gguf-truncated-header'],
  ['one key too many', { keyCount: 2n, metadata: [['a', { type: 'u32', value: 1 }]], tensors: [good] }, 'checkpoint/gguf-invalid-name'],
  ['a string of 2^64 - 1 bytes', withValue(rawValue(8, (parts) => parts.u64(U64_MAX))), 'checkpoint/gguf-string-too-long'],
  ['a string beyond the file', withValue(rawValue(8, (parts) => parts.u64(1_000_000))), 'checkpoint/gguf-truncated-header'],
  [
    'an array of 2^64 - 1 elements',
    withValue(
      rawValue(9, (parts) => {
        parts.u32(4)
        parts.u64(U64_MAX)
      }),
    ),
    'checkpoint/gguf-too-many',
  ],
  [
    'an array beyond the file',
    withValue(
      rawValue(9, (parts) => {
        parts.u32(12)
        parts.u64(1_000_000)
      }),
    ),
    'checkpoint/gguf-truncated-header',
  ],
  [
    'an array of strings, one of 2^40 bytes',
    withValue(
      rawValue(9, (parts) => {
        parts.u32(8)
        parts.u64(2)
        parts.text('a')
        parts.u64(2n ** 40n)
      }),
    ),
    'checkpoint/gguf-string-too-long',
  ],
  ['arrays in arrays in arrays', withValue(nested), 'checkpoint/gguf-array-too-deep'],
  ['a value type that does not exist', withValue({ type: 'raw', typeNumber: 13, bytes: four }), 'checkpoint/gguf-unknown-value-type'],
  [
    'an element type that does not exist',
    withValue(
      rawValue(9, (parts) => {
        parts.u32(99)
        parts.u64(1)
      }),
    ),
    'checkpoint/gguf-unknown-value-type',
  ],
  [
    'a key twice',
    {
      metadata: [
        ['a', { type: 'u32', value: 1 }],
        ['a', { type: 'u32', value: 2 }],
      ],
    },
    'checkpoint/duplicate-key',
  ],
  ['a tensor twice', { tensors: [good, good] }, 'checkpoint/duplicate-tensor'],
  ['a tensor without a name', withTensor({ name: '' }), 'checkpoint/gguf-invalid-name'],
  ['a tensor name that is not UTF-8', withTensor({ name: Uint8Array.of(0xff, 0xfe) }), 'checkpoint/gguf-invalid-name'],
  ['2^32 - 1 dimensions', withTensor({ rank: 2 ** 32 - 1 }), 'checkpoint/gguf-too-many-dimensions'],
  ['a dimension of 2^64 - 1', withTensor({ dimensions: [U64_MAX] }), 'checkpoint/shape-overflow'],
  ['dimensions whose product wraps to 0 in 64 bits', withTensor({ dimensions: [2n ** 32n, 2n ** 32n] }), 'checkpoint/shape-overflow'],
  ['an absurd dimension beside a zero', withTensor({ dimensions: [0, U64_MAX] }), 'checkpoint/shape-overflow'],
  ['bytes that leave the exact integers', withTensor({ typeNumber: 28, dimensions: [2n ** 52n] }), 'checkpoint/shape-overflow'],
  ['a tensor larger than the file', withTensor({ dimensions: [1_000_000] }), 'checkpoint/truncated-file'],
  ['an offset beyond the file', withTensor({ offset: 2n ** 20n }), 'checkpoint/truncated-file'],
  ['an offset near 2^64', withTensor({ offset: U64_MAX - 31n }), 'checkpoint/truncated-file'],
  ['an offset off the alignment', withTensor({ offset: 4n }), 'checkpoint/gguf-unaligned-tensor'],
  ['two tensors in one place', { tensors: [good, { ...other, offset: 0n }] }, 'checkpoint/overlapping-tensors'],
  ['a tensor that reaches into the next', { tensors: [{ ...good, dimensions: [12] }, other] }, 'checkpoint/overlapping-tensors'],
  ['a tensor type that does not exist', withTensor({ typeNumber: 1000 }), 'checkpoint/gguf-unknown-tensor-type'],
  ['a tensor type that was withdrawn', withTensor({ typeNumber: 4 }), 'checkpoint/gguf-unknown-tensor-type'],
  ['rows that are not whole blocks', withTensor({ typeNumber: 2, dimensions: [31, 32] }), 'checkpoint/gguf-partial-block'],
  ['blocks without a dimension', withTensor({ typeNumber: 2, dimensions: [] }), 'checkpoint/gguf-partial-block'],
  [
    'big-endian blocks of no known layout',
    { littleEndian: false, tensors: [{ ...good, typeNumber: 16, dimensions: [256], bytes: new Uint8Array(66) }] },
    'checkpoint/gguf-big-endian-blocks',
  ],
  ...[0, 3, 48, 2 ** 31].map(
    (alignment) =>
      [
        `an alignment of ${alignment}`,
        { metadata: [['general.alignment', { type: 'u32', value: alignment }]] },
        'checkpoint/gguf-bad-alignment',
      ] as const,
  ),
  ['an alignment that is text', { metadata: [['general.alignment', { type: 'string', value: '32' }]] }, 'checkpoint/gguf-bad-alignment'],
]

describe('hostile GGUF files', () => {
  it.each(ATTACKS)('refuses %s', async (_, file, code) => {
    using folder = temporaryFolder()
    expect(await engineCode(() => openCheckpoint(folder.write('model.gguf', ggufFile(file))))).toBe(code)
  })

  it('refuses a file cut off at any byte', async () => {
    using folder = temporaryFolder()
    const whole = ggufFile({
      metadata: [
        ['name', { type: 'string', value: 'x' }],
        ['tokens', { type: 'strings', value: ['a', 'bc'] }],
      ],
      tensors: [{ ...good, dimensions: [8], bytes: new Uint8Array(32) }],
    })
    for (let sizeBytes = 4; sizeBytes < whole.length; sizeBytes++) {
      const code = await engineCode(() => openCheckpoint(folder.write('model.gguf', whole.subarray(0, sizeBytes))))
      expect(['checkpoint/gguf-truncated-header', 'checkpoint/truncated-file'], `cut at ${sizeBytes}`).toContain(code)
    }
  })

  it('refuses millions of empty arrays in an array', async () => {
    using folder = temporaryFolder()
    const outer = rawValue(9, (parts) => {
      parts.u32(9)
      parts.u64(4 * 1024 * 1024)
    })
    const path = folder.write('model.gguf', ggufFile(withValue(outer)))
    truncateSync(path, 60 * 1024 * 1024)
    expect(await engineCode(() => openCheckpoint(path))).toBe('checkpoint/gguf-too-many')
  })

  it.each([
    ['numbers', 12],
    ['empty strings', 8],
  ])('refuses a sparse file whose header is arrays of %s without end', async (_, elementType) => {
    using folder = temporaryFolder()
    const path = folder.write('model.gguf', ggufFile({ keyCount: 6n }))
    const file = openSync(path, 'r+')
    let position = 24
    for (let key = 0; key < 6; key++) {
      const parts = ggufParts(true)
      parts.text(`k${key}`)
      for (const type of [9, elementType]) parts.u32(type)
      parts.u64(4 * 1024 * 1024)
      position += writeSync(file, parts.bytes(), 0, parts.bytes().length, position) + 32 * 1024 * 1024
    }
    ftruncateSync(file, position)
    closeSync(file)
    expect(await engineCode(() => openCheckpoint(path))).toBe('checkpoint/gguf-header-too-large')
  })
})
