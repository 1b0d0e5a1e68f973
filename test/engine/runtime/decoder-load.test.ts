// Loading a decoder: where weights may lie, cancelling, threads.
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { countPhysicalCores } from '../../../engine/runtime/threads'
import { placeWeightFiles, weightFolders } from '../../../engine/runtime/weight-folder'
import { temporaryFolder } from '../../support/temporary-folder'
import { greedyIds, loadModelFolder, readGolden, readModel } from './golden-model'
import { loadDecoder } from '../../../engine/runtime/load-decoder'

const sharded = resolve(import.meta.dirname, '../../fixtures/models/bf16-tied-sharded')

async function answers(directory: string): Promise<void> {
  const golden = await readGolden(sharded)
  using model = await loadModelFolder(directory)
  using cache = model.createCache({ capacityTokens: 64 })
  expect(await greedyIds(model, { cache, promptIds: golden.inputIds, count: 4 })).toEqual(golden.greedyIds.slice(0, 4))
}

test.skipIf(process.platform === 'win32')('runs a snapshot of the Hugging Face cache, whose files are links into blobs', async () => {
  using folder = temporaryFolder()
  const repository = join(folder.path, 'models--someone--tiny')
  const snapshot = join(repository, 'snapshots', '0123abcd')
  mkdirSync(snapshot, { recursive: true })
  mkdirSync(join(repository, 'blobs'))
  for (const [index, name] of readdirSync(sharded).entries()) {
    cpSync(join(sharded, name), join(repository, 'blobs', `blob-${index}`))
    symlinkSync(join('..', '..', 'blobs', `blob-${index}`), join(snapshot, name))
  }
  await answers(snapshot)
})

test('runs a model from a folder with spaces, brackets and letters of other scripts', async () => {
  using folder = temporaryFolder()
  const directory = join(folder.path, 'модель [v1] 100% – 模型')
  cpSync(sharded, directory, { recursive: true })
  await answers(directory)
})

test.skipIf(process.platform === 'win32')('refuses a weight file that is a link to somewhere else', async () => {
  using folder = temporaryFolder()
  const [inside, outside] = [join(folder.path, 'model'), join(folder.path, 'elsewhere')]
  cpSync(sharded, inside, { recursive: true })
  cpSync(sharded, outside, { recursive: true })
  const shard = readdirSync(sharded).find((name) => name.endsWith('.safetensors') && name.startsWith('model-')) ?? ''
  rmSync(join(inside, shard))
  symlinkSync(join(outside, shard), join(inside, shard))
  await expect(loadModelFolder(inside)).rejects.toMatchObject({
    code: 'runtime/weights-outside-model',
    details: { file: join(outside, shard), allowedFolders: [inside] },
  })
})

test('a folder whose name only begins like the model folder is outside of it', async () => {
  using folder = temporaryFolder()
  const file = folder.write('model-b/x.safetensors', 'x')
  const allowedFolders = [join(folder.path, 'model')]
  await expect(placeWeightFiles({ files: [file], allowedFolders })).rejects.toMatchObject({ code: 'runtime/weights-outside-model' })
})

test('files are placed relative to the deepest folder that holds them all', async () => {
  using folder = temporaryFolder()
  const files = [folder.write('m/a/one.safetensors', '1'), folder.write('m/b/c/two.safetensors', '2')]
  const place = await placeWeightFiles({ files, allowedFolders: [folder.path] })
  expect(place.folder).toBe(join(folder.path, 'm'))
  expect(files.map((file) => place.locate(file))).toEqual(['a/one.safetensors', 'b/c/two.safetensors'])
})

test('only a real cache layout opens the blobs folder', async () => {
  using folder = temporaryFolder()
  folder.write('models--a--b/snapshots/rev/config.json', '{}')
  folder.write('project/snapshots/rev/config.json', '{}')
  const cached = join(folder.path, 'models--a--b')
  expect(await weightFolders(join(cached, 'snapshots/rev'))).toEqual([join(cached, 'snapshots/rev'), join(cached, 'blobs')])
  expect(await weightFolders(join(folder.path, 'project/snapshots/rev'))).toEqual([join(folder.path, 'project/snapshots/rev')])
})

test('loading reports its stages in order and can be cancelled', async () => {
  const model = await readModel(sharded)
  using _checkpoint = model.checkpoint
  const stages: string[] = []
  using loaded = await loadDecoder({ ...model, onProgress: ({ stage, fraction }) => stages.push(`${stage} ${fraction}`) })
  expect(stages).toEqual(['weights 0', 'graph 0', 'session 0', 'session 1'])
  expect(loaded.weightBytes).toBe([...model.checkpoint.tensors.values()].reduce((sum, tensor) => sum + tensor.sizeBytes, 0))
  await expect(loadDecoder({ ...model, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'runtime/aborted' })
})

test('counts cores, not the threads on them', () => {
  const processor = (id: number, physical: number, core: number): string =>
    `processor\t: ${id}\nphysical id\t: ${physical}\ncore id\t\t: ${core}\nflags\t\t: fpu`
  expect(countPhysicalCores([processor(0, 0, 0), processor(1, 0, 1), processor(2, 0, 0), processor(3, 0, 1)].join('\n\n'))).toBe(2)
  expect(countPhysicalCores([processor(0, 0, 0), processor(1, 1, 0)].join('\n\n'))).toBe(2)
  expect(countPhysicalCores('processor\t: 0\nBogoMIPS\t: 50.00\n')).toBeNull()
})
