// The threads that copy and prove: what they hash, and that every failure of a file is an error of the catalogue.
import { createHash } from 'node:crypto'
import { closeSync, openSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { OutputFile } from '../../../engine/convert/output-file'
import { proofOf, type RangeProof } from '../../../engine/convert/range-answer'
import { RangeThread, RangeThreads } from '../../../engine/convert/range-threads'
import { engineCode } from '../../support/engine-code'
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder'

const content = Buffer.from(Array.from({ length: 700_000 }, (_, index) => (index * 2654435761) >>> 24))

/** Copies the content in two ranges, 100 bytes into a new file; `between` runs after the first. */
async function copyTwice(
  folder: TemporaryFolder,
  between: (paths: { source: string; target: string }) => void,
): Promise<RangeProof | null> {
  const source = { path: folder.write('source', content), fileBytes: content.length }
  const target = join(folder.path, 'target')
  await using file = await OutputFile.open(target, 'write')
  await using thread = new RangeThread()
  const shared = { kind: 'copy' as const, target: file.descriptor, crcSeed: 7 }
  const half = 300_000
  const first = { ...shared, offsetBytes: 100, sizeBytes: half, isFirst: true, isLast: false, source: { ...source, offsetBytes: 0 } }
  expect(await proofOf(await thread.ask(first), { file, source })).toBeNull()
  between({ source: source.path, target })
  const rest = { offsetBytes: 100 + half, sizeBytes: content.length - half, source: { ...source, offsetBytes: half } }
  return await proofOf(await thread.ask({ ...shared, ...rest, isFirst: false, isLast: true }), { file, source })
}

describe('a thread', () => {
  it('copies ranges and proves them as one tensor', async () => {
    using folder = temporaryFolder()
    const proof = await copyTwice(folder, () => undefined)
    expect(proof).toEqual({ sha256: createHash('sha256').update(content).digest('hex'), crc32: crc32(content, 7) })
    expect(readFileSync(join(folder.path, 'target')).subarray(100).equals(content)).toBe(true)
  })

  it('says that a source became shorter', async () => {
    using folder = temporaryFolder()
    const code = await engineCode(() => copyTwice(folder, ({ source }) => truncateSync(source, 400_000)))
    expect(code).toBe('checkpoint/file-changed')
  })

  it('finds bytes that are missing or other ones than were written', async () => {
    using folder = temporaryFolder()
    await using file = await OutputFile.open(join(folder.path, 'target'), 'write')
    await using thread = new RangeThread()
    await file.write(content, 0)
    const check = { kind: 'check' as const, target: file.descriptor, crcSeed: null, offsetBytes: 0, isFirst: true, isLast: true }
    const other = Uint8Array.from(content)
    other[600_000] = (other[600_000] ?? 0) ^ 1
    const differs = await thread.ask({ ...check, sizeBytes: content.length, bytes: other })
    expect(await engineCode(() => proofOf(differs, { file, source: null }))).toBe('convert/verification-failed')
    const ends = await thread.ask({ ...check, sizeBytes: content.length + 1, bytes: null })
    expect(ends).toEqual({ kind: 'ends', offsetBytes: content.length })
    // It goes on with the next tensor, whose hash begins anew.
    const whole = await thread.ask({ ...check, sizeBytes: content.length, bytes: content })
    expect(whole).toEqual({ kind: 'proof', sha256: createHash('sha256').update(content).digest('hex'), crc32: 0 })
  })

  it('reports a source that cannot be opened, a target that cannot be written and one that cannot be read', async () => {
    using folder = temporaryFolder()
    const source = { path: folder.write('source', content), fileBytes: content.length, offsetBytes: 0 }
    await using thread = new RangeThread()
    const range = { crcSeed: null, offsetBytes: 0, sizeBytes: 100, isFirst: true, isLast: true }
    const readOnly = openSync(source.path, 'r')
    const missing = { ...source, path: join(folder.path, 'missing') }
    expect(await thread.ask({ ...range, kind: 'copy', target: readOnly, source: missing })).toEqual({
      kind: 'source-failed',
      reason: 'ENOENT',
    })
    expect(await thread.ask({ ...range, kind: 'copy', target: readOnly, source })).toEqual({ kind: 'write-failed', reason: 'EBADF' })
    closeSync(readOnly)
    const writeOnly = openSync(join(folder.path, 'target'), 'w')
    const check = await thread.ask({ ...range, kind: 'check', target: writeOnly, bytes: null })
    closeSync(writeOnly)
    expect(check).toEqual({ kind: 'read-back-failed', reason: 'EBADF' })
  })
})

describe('several threads', () => {
  it('begin nothing new after a failure, and have ended what was begun when it is thrown', async () => {
    await using threads = new RangeThreads()
    let running = 0
    let begun = 0
    const failed = threads.forEach([...Array.from({ length: 50 }).keys()], async (item) => {
      begun++
      running++
      await new Promise((done) => setTimeout(done, 5))
      running--
      if (item === 1) throw new Error('item 1')
    })
    await expect(failed).rejects.toThrow('item 1')
    expect(running).toBe(0)
    expect(begun).toBeLessThan(10)
  })
})
