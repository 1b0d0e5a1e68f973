// TensorFlow bundles written here: what the reference files do not show, and what must be refused.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crc32c } from '../../../../engine/checkpoint/tensorflow/crc32c'
import { sliceKey } from '../../../../engine/checkpoint/tensorflow/slice-key'
import { MAX_SLICES_PER_TENSOR } from '../../../../engine/checkpoint/tensorflow/slices'
import { openTensorflow } from '../../../../engine/checkpoint/tensorflow/tensorflow'
import type { Checkpoint } from '../../../../engine/checkpoint/types'
import { bundleEntry, bundleHeader, tableFile, varint, type TableEntry, type TableOptions } from '../../../support/bundle-writer'
import { engineCode } from '../../../support/engine-code'
import { temporaryFolder } from '../../../support/temporary-folder'

const name = (text: string): Uint8Array => new TextEncoder().encode(text)
const float32 = (...values: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer)

/** Opens a bundle of the given index and data files and returns all tensors as F32 values. */
async function open(index: Uint8Array, data: Readonly<Record<string, Uint8Array>> = { '00000-of-00001': float32(1, 2, 3, 4) }) {
  using folder = temporaryFolder()
  for (const [suffix, bytes] of Object.entries(data)) folder.write(`m.data-${suffix}`, bytes)
  using checkpoint = await openTensorflow(folder.write('m.index', index))
  const values: Record<string, readonly number[]> = {}
  for (const tensor of checkpoint.tensors.keys()) values[tensor] = [...new Float32Array((await checkpoint.read(tensor)).slice().buffer)]
  return { checkpoint, values }
}

const plain: readonly TableEntry[] = [bundleHeader(), ['w', bundleEntry({ shape: [2, 2], size: 16 })]]

/** Snappy literals of up to 60 bytes each. */
function snappyLiterals(bytes: Uint8Array): Uint8Array {
  const parts = [varint(bytes.length)]
  for (let start = 0; start < bytes.length; start += 60) {
    const part = bytes.subarray(start, start + 60)
    parts.push(Uint8Array.of((part.length - 1) << 2), part)
  }
  return new Uint8Array(Buffer.concat(parts))
}

describe('checksums of tensors', () => {
  const stored = float32(1, 2, 3, 4)
  const crcs = { of: stored, ofOthers: float32(1, 2, 3, 5) }
  const bundle = (crcOf: Uint8Array): Uint8Array => tableFile([bundleHeader(), ['w', bundleEntry({ shape: [2, 2], size: 16, crcOf })]])
  const opened = async (crcOf: Uint8Array, read: (checkpoint: Checkpoint) => Promise<unknown>) => {
    using folder = temporaryFolder()
    folder.write('m.data-00000-of-00001', stored)
    using checkpoint = await openTensorflow(folder.write('m.index', bundle(crcOf)))
    return await engineCode(() => read(checkpoint))
  }
  const range = (offsetBytes: number, sizeBytes: number) => ({ name: 'w', offsetBytes, sizeBytes })

  test('are those that TensorFlow computes', () => {
    // RFC 3720, appendix B.4: 32 bytes of zeros, of ones, and ascending.
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43)
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index))).toBe(0x46dd794e)
  })

  test('of a part and the rest are those of the whole', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, cut) => {
        expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).toBe(crc32c(bytes))
      }),
    )
  })

  test('are compared when a tensor was read to its end, at once or part by part', async () => {
    const whole = (checkpoint: Checkpoint) => checkpoint.read('w')
    const parts = async (checkpoint: Checkpoint) => {
      await checkpoint.readRange(range(0, 5))
      await checkpoint.readRange(range(5, 11))
    }
    for (const read of [whole, parts]) {
      expect(await opened(crcs.of, read)).toBe('no error')
      expect(await opened(crcs.ofOthers, read)).toBe('checkpoint/tensorflow-tensor-checksum')
    }
    expect(await opened(crcs.ofOthers, (checkpoint) => checkpoint.readRange(range(4, 12)))).toBe('no error')
  })

  test('are compared in a big-endian bundle and for each part of a partitioned variable', async () => {
    const wrong = crcs.ofOthers
    const bigEndian = tableFile([bundleHeader({ bigEndian: true }), ['w', bundleEntry({ shape: [4], size: 16, crcOf: wrong })]])
    expect(await engineCode(() => open(bigEndian))).toBe('checkpoint/tensorflow-tensor-checksum')
    const slice = [{ start: 0, length: null }]
    const partitioned = tableFile([
      bundleHeader(),
      [sliceKey(name('w'), slice), bundleEntry({ shape: [4], size: 16, crcOf: wrong })],
      ['w', bundleEntry({ shape: [4], slices: [[null]] })],
    ])
    expect(await engineCode(() => open(partitioned))).toBe('checkpoint/tensorflow-tensor-checksum')
  })
})

describe('TensorFlow bundles', () => {
  test('reads tensors of several data files', async () => {
    const entries: TableEntry[] = [
      bundleHeader({ shards: 2 }),
      ['a', bundleEntry({ shape: [1], size: 4, shard: 1 })],
      ['b', bundleEntry({ shape: [2], size: 8, offset: 4 })],
    ]
    const { values } = await open(tableFile(entries), { '00000-of-00002': float32(0, 5, 6), '00001-of-00002': float32(7) })
    expect(values).toEqual({ a: [7], b: [5, 6] })
  })

  test('reads compressed blocks', async () => {
    const { values } = await open(tableFile(plain, { compression: 1, transform: snappyLiterals }))
    expect(values).toEqual({ w: [1, 2, 3, 4] })
  })

  test('swaps the bytes of a big-endian bundle', async () => {
    const swapped = float32(1, 2, 3, 4).reverse()
    const { values } = await open(tableFile([bundleHeader({ bigEndian: true }), ['w', bundleEntry({ shape: [2, 2], size: 16 })]]), {
      '00000-of-00001': swapped,
    })
    expect(values).toEqual({ w: [4, 3, 2, 1] })
  })

  test('joins the parts of a partitioned variable', async () => {
    const left = [
      { start: 0, length: null },
      { start: 0, length: 2 },
    ]
    const right = [
      { start: 0, length: null },
      { start: 2, length: 1 },
    ]
    const parts: TableEntry[] = [
      [sliceKey(name('w'), left), bundleEntry({ shape: [2, 2], size: 16 })],
      [sliceKey(name('w'), right), bundleEntry({ shape: [2, 1], size: 8, offset: 16 })],
    ]
    const whole: TableEntry = [
      'w',
      bundleEntry({
        shape: [2, 3],
        slices: [
          [null, [0, 2]],
          [null, [2, 1]],
        ],
      }),
    ]
    const { checkpoint, values } = await open(tableFile([bundleHeader(), ...parts, whole]), { '00000-of-00001': float32(1, 2, 4, 5, 3, 6) })
    expect(values).toEqual({ w: [1, 2, 3, 4, 5, 6] })
    expect(checkpoint.tensors.get('w')?.storage).toBe('computed')
  })

  // Ordered code: 0, the name with its NUL escaped and terminated, two dimensions, then starts and lengths in one to three bytes.
  test('encodes the keys of parts as TensorFlow does', () => {
    const key = sliceKey(name('v\0\xff'), [
      { start: 0, length: null },
      { start: 64, length: 10_000 },
    ])
    const parts = ['00', '7600ffc3bf', '0001', '0102', '80', '7f', 'c040', 'e02710']
    expect(Buffer.from(key).toString('hex')).toBe(parts.join(''))
  })

  test('leaves out values that are no tensors', async () => {
    const { checkpoint } = await open(
      tableFile([...plain, ['x', bundleEntry({ dtype: 7, shape: [], size: 3 })], ['y', bundleEntry({ dtype: 18, shape: [], size: 16 })]]),
    )
    expect([...checkpoint.tensors.keys()]).toEqual(['w'])
    expect(checkpoint.notes).toHaveLength(2)
  })
})

const slices = (count: number): readonly (readonly (readonly [number, number])[])[] =>
  Array.from({ length: count }, (_, index) => [[index, 1] as const])

describe('hostile TensorFlow bundles', () => {
  const broken: readonly (readonly [what: string, entries: readonly TableEntry[], code: string, options?: TableOptions])[] = [
    ['a wrong checksum', plain, 'checkpoint/tensorflow-checksum', { breakChecksum: true }],
    ['an unknown compression', plain, 'checkpoint/tensorflow-malformed', { compression: 7 }],
    [
      'a compressed block of four gigabytes',
      plain,
      'checkpoint/tensorflow-block-too-large',
      { compression: 1, transform: () => Uint8Array.of(255, 255, 255, 255, 15, 0, 0) },
    ],
    [
      'a literal of negative length',
      plain,
      'checkpoint/tensorflow-malformed',
      { compression: 1, transform: () => Uint8Array.of(10, 0xfc, 0xfa, 0xff, 0xff, 0xff, 0, 0) },
    ],
    [
      'a copy from before the start',
      plain,
      'checkpoint/tensorflow-malformed',
      { compression: 1, transform: () => Uint8Array.of(10, 0, 65, 0x05, 9) },
    ],
    [
      'a block that inflates to less than it says',
      plain,
      'checkpoint/tensorflow-malformed',
      { compression: 1, transform: () => Uint8Array.of(10, 0, 65) },
    ],
    ['more restart points than bytes', plain, 'checkpoint/tensorflow-malformed', { restarts: 1_000_000 }],
    ['a block used twice', plain, 'checkpoint/tensorflow-malformed', { repeatBlock: 2 }],
    [
      'keys out of order',
      [bundleHeader(), ['b', bundleEntry({ shape: [1], size: 4 })], ['a', bundleEntry({ shape: [1], size: 4 })]],
      'checkpoint/tensorflow-malformed',
    ],
    ['no header', plain.slice(1), 'checkpoint/tensorflow-malformed'],
    ['no data files', [bundleHeader({ shards: 0 })], 'checkpoint/tensorflow-malformed'],
    ['a million data files', [bundleHeader({ shards: 1_000_000 })], 'checkpoint/tensorflow-malformed'],
    [
      'a data file that is not there',
      [bundleHeader({ shards: 2 }), ['w', bundleEntry({ shape: [1], size: 4, shard: 1 })]],
      'checkpoint/missing-shard',
    ],
    [
      'a data file beyond the last',
      [bundleHeader(), ['w', bundleEntry({ shape: [1], size: 4, shard: 1 })]],
      'checkpoint/tensorflow-malformed',
    ],
    ['a tensor beyond its file', [bundleHeader(), ['w', bundleEntry({ shape: [4], size: 16, offset: 4 })]], 'checkpoint/truncated-file'],
    ['a size that does not fit the shape', [bundleHeader(), ['w', bundleEntry({ shape: [4], size: 12 })]], 'checkpoint/size-mismatch'],
    [
      'a shape beyond all files',
      [bundleHeader(), ['w', bundleEntry({ shape: [2 ** 40, 2 ** 40], size: 16 })]],
      'checkpoint/shape-overflow',
    ],
    [
      'a name that is not UTF-8',
      [bundleHeader(), [Uint8Array.of(0xc3, 0x28), bundleEntry({ shape: [1], size: 4 })]],
      'checkpoint/tensorflow-malformed',
    ],
    [
      'a part that is not stored',
      [bundleHeader(), ['w', bundleEntry({ shape: [2], slices: slices(2) })]],
      'checkpoint/tensorflow-slices-incomplete',
    ],
    [
      'a part outside the shape',
      [bundleHeader(), ['w', bundleEntry({ shape: [2], slices: [[[2, 1]]] })]],
      'checkpoint/tensorflow-slices-incomplete',
    ],
    [
      'too many parts',
      [bundleHeader(), ['w', bundleEntry({ shape: [2000], slices: slices(MAX_SLICES_PER_TENSOR + 1) })]],
      'checkpoint/tensorflow-too-many-slices',
    ],
  ]

  test.for(broken)('refuses %s', async ([, entries, code, options]) => {
    await expect(open(tableFile(entries, options))).rejects.toMatchObject({ code })
  })

  test('refuses parts that overlap', async () => {
    const stored = [
      [0, 2],
      [1, 1],
    ].map(([start = 0, length = 0]): TableEntry => [
      sliceKey(name('w'), [{ start, length }]),
      bundleEntry({ shape: [length], size: length * 4 }),
    ])
    const whole: TableEntry = ['w', bundleEntry({ shape: [3], slices: [[[0, 2]], [[1, 1]]] })]
    await expect(open(tableFile([bundleHeader(), ...stored, whole]))).rejects.toMatchObject({
      code: 'checkpoint/tensorflow-slices-incomplete',
    })
  })

  test('refuses the index cut off at every byte', async () => {
    const index = tableFile(plain)
    for (let size = 1; size < index.length; size++) {
      await expect(open(index.slice(0, size)), `cut at ${size}`).rejects.toMatchObject({ code: 'checkpoint/tensorflow-malformed' })
    }
  })

  test.for(['../m', 'sub/m', '..', '/etc/..', 'a\\b'])('refuses a checkpoint file that names %s', async (reference) => {
    using folder = temporaryFolder()
    folder.write('checkpoint', `model_checkpoint_path: "${reference.replaceAll('\\', '\\\\')}"\n`)
    await expect(openTensorflow(folder.path)).rejects.toMatchObject({ code: 'checkpoint/unsafe-reference' })
  })

  test('opens the latest of several checkpoints, by the last part of an absolute path', async () => {
    using folder = temporaryFolder()
    for (const step of ['m-1', 'm-2']) {
      folder.write(`${step}.index`, tableFile(plain))
      folder.write(`${step}.data-00000-of-00001`, float32(step === 'm-2' ? 2 : 1, 0, 0, 0))
    }
    folder.write('checkpoint', 'model_checkpoint_path: "/home/someone/run/m-2"\nall_model_checkpoint_paths: "/home/someone/run/m-1"\n')
    using checkpoint = await openTensorflow(folder.path)
    expect(new Float32Array((await checkpoint.read('w')).buffer)[0]).toBe(2)
    expect(checkpoint.notes.map(({ text }) => text)).toEqual([expect.stringContaining('m-2 is the latest')])
  })
})
