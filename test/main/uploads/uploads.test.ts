import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkFileNames } from '../../../main/uploads/file-names'
import { createUploadsService, liesIn, type UploadsService } from '../../../main/uploads/uploads-service'
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder'
import { recordingLog } from '../support/recording-log'
import { serviceCode } from '../support/service-code'

async function openUploads(folder: TemporaryFolder, isNeeded: (path: string) => boolean = () => false): Promise<UploadsService> {
  return await createUploadsService({
    folder: join(folder.path, 'uploads'),
    modelsFolder: join(folder.path, 'models'),
    isNeeded,
    log: recordingLog(),
  })
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

test('takes a file in parts and gives it back byte for byte', async () => {
  using folder = temporaryFolder()
  await using uploads = await openUploads(folder)
  const { uploadId, path } = await uploads.begin([{ name: 'model.pth', sizeBytes: 10 }])
  expect(await uploads.write({ uploadId, file: 0, offsetBytes: 0, data: base64('01234') })).toEqual({ receivedBytes: 5 })
  expect(await serviceCode(() => uploads.finish(uploadId))).toBe('uploads/incomplete')
  await uploads.write({ uploadId, file: 0, offsetBytes: 5, data: base64('56789') })
  expect(await uploads.finish(uploadId)).toEqual({ uploadId, path })
  expect(readFileSync(path, 'utf8')).toBe('0123456789')
  await uploads.discard(uploadId)
  expect(readdirSync(join(folder.path, 'uploads'))).toEqual([])
})

test('keeps the tree of a folder, empty files too, and puts loose files into one folder', async () => {
  using folder = temporaryFolder()
  await using uploads = await openUploads(folder)
  const tree = await uploads.begin([
    { name: 'tiny/config.json', sizeBytes: 2 },
    { name: 'tiny/onnx/empty.txt', sizeBytes: 0 },
  ])
  await uploads.write({ uploadId: tree.uploadId, file: 0, offsetBytes: 0, data: base64('{}') })
  await uploads.finish(tree.uploadId)
  expect(tree.path.endsWith(`${sep}tiny`)).toBe(true)
  expect(readdirSync(join(tree.path, 'onnx'))).toEqual(['empty.txt'])
  const loose = await uploads.begin([
    { name: 'a.safetensors', sizeBytes: 1 },
    { name: 'b.safetensors', sizeBytes: 1 },
  ])
  await Promise.all([0, 1].map((file) => uploads.write({ uploadId: loose.uploadId, file, offsetBytes: 0, data: base64('x') })))
  await uploads.finish(loose.uploadId)
  expect(readdirSync(loose.path).toSorted()).toEqual(['a.safetensors', 'b.safetensors'])
})

test('moves a complete upload among the models and never over one that is there', async () => {
  using folder = temporaryFolder()
  await using uploads = await openUploads(folder)
  mkdirSync(join(folder.path, 'models', 'tiny'), { recursive: true })
  const { uploadId } = await uploads.begin([{ name: 'tiny/config.json', sizeBytes: 2 }])
  await uploads.write({ uploadId, file: 0, offsetBytes: 0, data: base64('{}') })
  const { path } = await uploads.keep(uploadId)
  expect(path).toBe(join(folder.path, 'models', 'tiny-2'))
  expect(readFileSync(join(path, 'config.json'), 'utf8')).toBe('{}')
  expect(readdirSync(join(folder.path, 'models', 'tiny'))).toEqual([])
  expect(await serviceCode(() => uploads.finish(uploadId))).toBe('uploads/not-found')
})

test('refuses bytes out of order, more bytes than announced, and files that were not announced', async () => {
  using folder = temporaryFolder()
  await using uploads = await openUploads(folder)
  const { uploadId } = await uploads.begin([{ name: 'a.bin', sizeBytes: 4 }])
  const part = { uploadId, file: 0, offsetBytes: 0, data: base64('ab') }
  expect(await serviceCode(() => uploads.write({ ...part, offsetBytes: 2 }))).toBe('uploads/out-of-order')
  expect(await serviceCode(() => uploads.write({ ...part, data: base64('abcdef') }))).toBe('uploads/too-long')
  expect(await serviceCode(() => uploads.write({ ...part, file: 1 }))).toBe('uploads/not-found')
  expect(await serviceCode(() => uploads.write({ ...part, uploadId: 'no such' }))).toBe('uploads/not-found')
  // Parts sent without waiting are written one after the other.
  await Promise.all([uploads.write(part), uploads.write({ ...part, offsetBytes: 2, data: base64('cd') })])
  await uploads.finish(uploadId)
})

test('refuses what does not fit on the disk or is absurdly large, and too many at once', async () => {
  using folder = temporaryFolder()
  await using uploads = await openUploads(folder)
  expect(await serviceCode(() => uploads.begin([{ name: 'a', sizeBytes: 2 ** 42 }]))).toBe('uploads/disk-full')
  expect(readdirSync(join(folder.path, 'uploads'))).toEqual([])
  expect(await serviceCode(() => uploads.begin([{ name: 'a', sizeBytes: 2 ** 52 }]))).toBe('uploads/too-large')
  for (let count = 0; count < 16; count += 1) await uploads.begin([{ name: 'a', sizeBytes: 1 }])
  expect(await serviceCode(() => uploads.begin([{ name: 'a', sizeBytes: 1 }]))).toBe('uploads/too-many')
})

test('does not write through a link that appears in its folder', async () => {
  using folder = temporaryFolder()
  await using uploads = await openUploads(folder)
  const victim = join(folder.path, 'victim')
  writeFileSync(victim, 'untouched')
  const { uploadId, path } = await uploads.begin([{ name: 'a.bin', sizeBytes: 4 }])
  symlinkSync(victim, path)
  expect(await serviceCode(() => uploads.write({ uploadId, file: 0, offsetBytes: 0, data: base64('evil') }))).toBe('uploads/write-failed')
  expect(readFileSync(victim, 'utf8')).toBe('untouched')
})

test('removes what an earlier run left, but not what a conversion still needs', async () => {
  using folder = temporaryFolder()
  for (const name of ['old', 'needed']) folder.write(`uploads/${name}/a.bin`, 'x')
  const needed = join(folder.path, 'uploads', 'needed')
  await using uploads = await openUploads(folder, (path) => liesIn(path, join(needed, 'a.bin')))
  expect(readdirSync(join(folder.path, 'uploads'))).toEqual(['needed'])
  expect(await serviceCode(() => uploads.keep('needed'))).toBe('uploads/not-found')
})

describe('names', () => {
  test.each([
    '../a',
    'a/../../b',
    '/etc/passwd',
    'a//b',
    '',
    '.',
    '..',
    './a',
    'a/',
    'C:\\a',
    'a\\..\\b',
    'C:a',
    'a\0b',
    'a\nb',
    'a\u007f',
    'con',
    'NUL.txt',
    'x/aux.bin',
    'com1',
    'lpt9.a',
    'a.',
    'a ',
    'a?',
    'a*',
    'a|b',
    '<a>',
    '"a"',
    'x'.repeat(256),
    '漢'.repeat(100),
    'a/b/c/d/e/f/g/h/i',
  ])('refuses %j', async (name) => {
    expect(await serviceCode(() => checkFileNames([name]))).toBe('uploads/bad-name')
  })

  test.each([[['a.bin', 'A.BIN']], [['a', 'a/b']], [['a/b', 'a']], [['e\u0301.bin', '\u00e9.bin']]])(
    'refuses names that are one on some systems: %j',
    async (names) => {
      expect(await serviceCode(() => checkFileNames(names))).toBe('uploads/bad-name')
    },
  )

  test.each(['model-00001-of-00002.safetensors', '模型.bin', 'onnx/model.onnx_data', '.gitattributes', 'concert.txt', 'a b (1).pth'])(
    'takes %j',
    (name) => {
      expect(checkFileNames([name])).toEqual([name.split('/')])
    },
  )

  test('whatever is taken lies inside', () => {
    const parts = fc.array(fc.oneof(fc.string({ unit: 'binary', maxLength: 8 }), fc.constantFrom('..', '.', '/', '\\', '~')), {
      maxLength: 6,
    })
    fc.assert(
      fc.property(parts, (some) => {
        const name = some.join('/')
        let taken: readonly (readonly string[])[]
        try {
          taken = checkFileNames([name])
        } catch {
          return
        }
        const path = join('/base', ...(taken[0] ?? []))
        expect(liesIn('/base', path) && path !== '/base').toBe(true)
      }),
      { numRuns: 200 },
    )
  })
})
