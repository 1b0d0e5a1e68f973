import { execFileSync } from 'node:child_process'
import { symlinkSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openRandomAccessFile } from '../../../engine/bytes/random-access-file'
import { engineCode } from '../../support/engine-code'
import { temporaryFolder } from '../../support/temporary-folder'

const content = Uint8Array.from({ length: 1000 }, (_, index) => index % 251)

describe('random access file', () => {
  it('reads any range exactly or refuses it', async () => {
    using folder = temporaryFolder()
    using file = await openRandomAccessFile(folder.write('data', content))
    const size = fc.integer({ min: 0, max: 1200 })
    await fc.assert(
      fc.asyncProperty(size, size, async (offsetBytes, sizeBytes) => {
        if (offsetBytes + sizeBytes <= content.length) {
          expect(await file.read({ offsetBytes, sizeBytes })).toEqual(content.slice(offsetBytes, offsetBytes + sizeBytes))
        } else expect(await engineCode(() => file.read({ offsetBytes, sizeBytes }))).toBe('bytes/short-read')
      }),
    )
  })

  it('refuses a huge read without allocating it', async () => {
    using folder = temporaryFolder()
    using file = await openRandomAccessFile(folder.write('data', content))
    expect(await engineCode(() => file.read({ offsetBytes: 0, sizeBytes: 2 ** 50 }))).toBe('bytes/short-read')
  })

  it('reports a file that shrank after it was opened', async () => {
    using folder = temporaryFolder()
    const path = folder.write('data', content)
    using file = await openRandomAccessFile(path)
    truncateSync(path, 10)
    await expect(file.read({ offsetBytes: 5, sizeBytes: 100 })).rejects.toMatchObject({
      code: 'bytes/short-read',
      details: { gotBytes: 5 },
    })
  })

  it('follows a symlink and reports the real path', async () => {
    using folder = temporaryFolder()
    const path = folder.write('blobs/abc', content)
    symlinkSync('blobs/abc', join(folder.path, 'model'))
    using file = await openRandomAccessFile(join(folder.path, 'model'))
    expect(file.path).toBe(path)
  })

  it('refuses missing files, folders, and a loop of symlinks', async () => {
    using folder = temporaryFolder()
    symlinkSync('loop', join(folder.path, 'loop'))
    expect(await engineCode(() => openRandomAccessFile(join(folder.path, 'none')))).toBe('bytes/not-found')
    expect(await engineCode(() => openRandomAccessFile(folder.path))).toBe('bytes/not-a-regular-file')
    expect(await engineCode(() => openRandomAccessFile(join(folder.path, 'loop')))).toBe('bytes/unreadable')
  })

  it.skipIf(process.platform === 'win32')('refuses a named pipe instead of waiting for it', async () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'pipe')
    execFileSync('sh', ['-c', 'mkfifo "$0"', path])
    expect(await engineCode(() => openRandomAccessFile(path))).toBe('bytes/not-a-regular-file')
  })

  it('refuses to read when cancelled and after it was disposed', async () => {
    using folder = temporaryFolder()
    const file = await openRandomAccessFile(folder.write('data', content))
    expect(await engineCode(() => file.read({ offsetBytes: 0, sizeBytes: 1, signal: AbortSignal.abort() }))).toBe('runtime/aborted')
    file[Symbol.dispose]()
    expect(await engineCode(() => file.read({ offsetBytes: 0, sizeBytes: 1 }))).toBe('bytes/unreadable')
  })

  it('finishes the read that is running when it is disposed', async () => {
    using folder = temporaryFolder()
    const file = await openRandomAccessFile(folder.write('data', content))
    const reading = file.read({ offsetBytes: 0, sizeBytes: 1000 })
    file[Symbol.dispose]()
    expect(await reading).toEqual(content)
  })
})
