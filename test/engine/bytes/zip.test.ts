import { describe, expect, it } from 'vitest'
import { openRandomAccessFile } from '../../../engine/bytes/random-access-file'
import { readZipDirectory } from '../../../engine/bytes/zip'
import { readZipEntry, readZipEntryRange } from '../../../engine/bytes/zip-entry'
import { engineCode } from '../../support/engine-code'
import { temporaryFolder } from '../../support/temporary-folder'
import { zipFile } from '../../support/zip-writer'

const TEXT = Buffer.from('weights '.repeat(1000))

async function directoryCode(bytes: Uint8Array): Promise<string> {
  using folder = temporaryFolder()
  using file = await openRandomAccessFile(folder.write('a.zip', bytes))
  return await engineCode(() => readZipDirectory(file))
}

async function entryCode(bytes: Uint8Array, maxBytes = 1 << 20): Promise<string> {
  using folder = temporaryFolder()
  using file = await openRandomAccessFile(folder.write('a.zip', bytes))
  return await engineCode(async () => {
    for (const entry of (await readZipDirectory(file)).values()) await readZipEntry({ file, entry }, { maxBytes })
  })
}

describe('zip archives', () => {
  it('reads stored and deflated entries, whole and in parts', async () => {
    using folder = temporaryFolder()
    const path = folder.write(
      'a.zip',
      zipFile([
        { name: 'stored', bytes: TEXT },
        { name: 'deflated', bytes: TEXT, deflate: true },
        { name: 'empty', bytes: new Uint8Array() },
      ]),
    )
    using file = await openRandomAccessFile(path)
    const entries = await readZipDirectory(file)
    expect([...entries.keys()]).toEqual(['stored', 'deflated', 'empty'])
    for (const name of ['stored', 'deflated']) {
      const entry = entries.get(name)
      if (!entry) throw new Error('the entry is missing')
      expect(Buffer.from(await readZipEntry({ file, entry }, { maxBytes: TEXT.length }))).toEqual(TEXT)
      for (const [offsetBytes, sizeBytes] of [
        [0, 5],
        [4321, 1000],
        [TEXT.length - 1, 1],
        [TEXT.length, 0],
      ] as const) {
        const part = await readZipEntryRange({ file, entry }, { offsetBytes, sizeBytes })
        expect(Buffer.from(part)).toEqual(TEXT.subarray(offsetBytes, offsetBytes + sizeBytes))
      }
      expect(await engineCode(() => readZipEntryRange({ file, entry }, { offsetBytes: 1, sizeBytes: TEXT.length }))).toBe(
        'bytes/short-read',
      )
    }
  })

  it.each([
    ['a name that leads out', [{ name: '../a', bytes: TEXT }], 'bytes/zip-unsafe-name'],
    ['a name that leads out inside', [{ name: 'a/../../b', bytes: TEXT }], 'bytes/zip-unsafe-name'],
    ['an absolute name', [{ name: '/etc/passwd', bytes: TEXT }], 'bytes/zip-unsafe-name'],
    ['a name with a drive', [{ name: 'C:\\a', bytes: TEXT }], 'bytes/zip-unsafe-name'],
    ['a name with a NUL', [{ name: 'a\0b', bytes: TEXT }], 'bytes/zip-unsafe-name'],
    [
      'the same name twice',
      [
        { name: 'a', bytes: TEXT },
        { name: 'a', bytes: TEXT },
      ],
      'bytes/zip-duplicate-name',
    ],
    [
      'two entries at one place',
      [
        { name: 'a', bytes: TEXT },
        { name: 'b', bytes: TEXT, headerOffsetBytes: 0 },
      ],
      'bytes/zip-overlap',
    ],
    [
      'an entry that reaches into the next',
      [
        { name: 'a', bytes: TEXT, sizeBytes: 8100, compressedBytes: 8100 },
        { name: 'b', bytes: TEXT },
      ],
      'bytes/zip-overlap',
    ],
    ['an entry that reaches into the directory', [{ name: 'a', bytes: TEXT, sizeBytes: 8100, compressedBytes: 8100 }], 'bytes/zip-overlap'],
    ['a stored entry of two sizes', [{ name: 'a', bytes: TEXT, sizeBytes: 9 }], 'bytes/zip-malformed'],
    ['an encrypted entry', [{ name: 'a', bytes: TEXT, flags: 1 }], 'bytes/zip-unsupported'],
    ['an unknown compression', [{ name: 'a', bytes: TEXT, method: 93 }], 'bytes/zip-unsupported'],
    [
      'a size that only zip64 could hold, without zip64',
      [{ name: 'a', bytes: TEXT, sizeBytes: 0xffffffff, compressedBytes: 0xffffffff }],
      'bytes/zip-overlap',
    ],
    [
      'a zip64 field that is cut off',
      [{ name: 'a', bytes: TEXT, sizeBytes: 0xffffffff, compressedBytes: 0xffffffff, extra: Buffer.from([1, 0, 4, 0, 1, 0, 0, 0]) }],
      'bytes/zip-malformed',
    ],
    [
      'a zip64 field of 2^63',
      [{ name: 'a', bytes: TEXT, sizeBytes: 0xffffffff, extra: Buffer.from([1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0x80]) }],
      'bytes/number-too-large',
    ],
  ] as const)('refuses %s', async (_, sources, code) => {
    expect(await directoryCode(zipFile(sources))).toBe(code)
  })

  it.each([
    ['more entries than there are', { entryCount: 2 }, 'bytes/zip-malformed'],
    ['fewer entries than there are', { entryCount: 0 }, 'bytes/zip-malformed'],
    ['a directory beyond the file', { directoryOffsetBytes: 1 << 30 }, 'bytes/zip-malformed'],
    ['a directory that is longer than the file', { directoryBytes: 1 << 30 }, 'bytes/zip-malformed'],
    ['a count that only zip64 could hold, without zip64', { entryCount: 0xffff }, 'bytes/zip-malformed'],
    ['something between the directory and its end', { beforeEnd: Buffer.alloc(200) }, 'bytes/zip-malformed'],
  ] as const)('refuses %s', async (_, end, code) => {
    expect(await directoryCode(zipFile([{ name: 'a', bytes: TEXT }], end))).toBe(code)
  })

  it('refuses a file without its directory and one with something in front', async () => {
    const bytes = zipFile([{ name: 'a', bytes: TEXT }])
    expect(await directoryCode(bytes.subarray(0, bytes.length - 10))).toBe('bytes/zip-truncated')
    expect(await directoryCode(Buffer.concat([Buffer.from('#!/bin/sh\n'), bytes]))).toBe('bytes/zip-malformed')
  })

  it('takes the last end of a directory, whose comment reaches the end of the file', async () => {
    expect(await directoryCode(zipFile([{ name: 'a', bytes: TEXT }], { comment: Buffer.from('PK\x05\x06 not an end') }))).toBe('no error')
  })

  it.each([
    ['a header with another name', [{ name: 'a', localName: 'b', bytes: TEXT }], 'bytes/zip-malformed'],
    ['a wrong checksum', [{ name: 'a', bytes: TEXT, crc32: 1 }], 'bytes/zip-checksum'],
    ['data that are no deflate', [{ name: 'a', bytes: TEXT, method: 8 }], 'bytes/zip-malformed'],
    ['a deflated entry that gives more than it says', [{ name: 'a', bytes: TEXT, deflate: true, sizeBytes: 100 }], 'bytes/zip-malformed'],
    ['a deflated entry that gives less than it says', [{ name: 'a', bytes: TEXT, deflate: true, sizeBytes: 9000 }], 'bytes/zip-malformed'],
    ['a bomb', [{ name: 'a', bytes: Buffer.alloc(1 << 22), deflate: true }], 'bytes/zip-bomb'],
    ['more bytes than are allowed', [{ name: 'a', bytes: Buffer.alloc(2 << 20) }], 'bytes/zip-limit'],
  ] as const)('refuses to read %s', async (_, sources, code) => {
    expect(await entryCode(zipFile(sources))).toBe(code)
  })
})
