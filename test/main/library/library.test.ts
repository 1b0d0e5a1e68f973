import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createLibraryService } from '../../../main/library/library-service'
import type { LibraryService } from '../../../main/library/library-service'
import type { ModelDescription } from '../../../main/engine/protocol'
import { serviceError } from '../../../main/service-error'
import { temporaryFolder } from '../../support/temporary-folder'
import type { TemporaryFolder } from '../../support/temporary-folder'
import { recordingLog } from '../support/recording-log'
import { serviceCode } from '../support/service-code'
import { steppingClock } from '../support/stepping-clock'

const ready: ModelDescription = {
  sizeBytes: 10,
  modelType: 'llama',
  dtype: 'BF16',
  parameterCount: 5,
  contextLength: 128,
  state: 'ready',
  problem: null,
  description: null,
}

interface Harness {
  readonly library: LibraryService
  readonly described: string[]
}

async function open(folder: TemporaryFolder, describe?: (path: string) => Promise<ModelDescription>): Promise<Harness> {
  const described: string[] = []
  const library = await createLibraryService({
    paths: {
      dataFolder: join(folder.path, 'data'),
      resourcesFolder: join(folder.path, 'resources'),
      hfCacheFolder: join(folder.path, 'hub'),
    },
    clock: steppingClock(),
    log: recordingLog(),
    describe: async (path) => {
      described.push(path)
      return describe === undefined ? ready : await describe(path)
    },
  })
  return { library, described }
}

const model = (folder: TemporaryFolder, path: string): string => {
  folder.write(`${path}/config.json`, '{}')
  return join(folder.path, path)
}
const ids = async (library: LibraryService): Promise<readonly string[]> => (await library.list()).map(({ id }) => id)

/** A repository as huggingface_hub writes it: blobs, and a snapshot of links to them. */
function cachedModel(
  folder: TemporaryFolder,
  repo: string,
  files: Readonly<Record<string, string | null>>,
  ref: string | null = 'a'.repeat(40),
): string {
  const root = `hub/models--${repo.replace('/', '--')}`
  const commit = ref ?? 'b'.repeat(40)
  mkdirSync(join(folder.path, root, 'snapshots', commit), { recursive: true })
  if (ref !== null) folder.write(`${root}/refs/main`, ref)
  for (const [name, content] of Object.entries(files)) {
    if (content !== null) folder.write(`${root}/blobs/${name}-blob`, content)
    symlinkSync(`../../blobs/${name}-blob`, join(folder.path, root, 'snapshots', commit, name))
  }
  return join(folder.path, root, 'snapshots', commit)
}

test('the guide is always there, first', async () => {
  using folder = temporaryFolder()
  const { library } = await open(folder)
  expect(await library.list()).toEqual([
    { id: 'guide', name: 'guide', source: 'built-in', path: join(folder.path, 'resources', 'guide'), ...ready },
  ])
})

test('a model directory is added in place and is there after a restart', async () => {
  using folder = temporaryFolder()
  const path = model(folder, 'models/tiny')
  const { library } = await open(folder)
  expect((await library.addFolder(path))[1]).toEqual({ id: path, name: 'tiny', source: 'folder', path, ...ready })
  expect(await ids((await open(folder)).library)).toEqual(['guide', path])
  expect((await library.removeFolder(path)).map(({ id }) => id)).toEqual(['guide'])
})

test('a folder of models shows each of them, one level deep', async () => {
  using folder = temporaryFolder()
  const [a, b] = [model(folder, 'models/a'), model(folder, 'models/b')]
  model(folder, 'models/deep/er')
  mkdirSync(join(folder.path, 'models/empty'))
  const { library } = await open(folder)
  await library.addFolder(join(folder.path, 'models'))
  expect(await ids(library)).toEqual(['guide', a, b])
})

test('the same model found twice is shown once', async () => {
  using folder = temporaryFolder()
  const path = model(folder, 'models/a')
  const { library } = await open(folder)
  await library.addFolder(join(folder.path, 'models'))
  await library.addFolder(path)
  await library.addFolder(path)
  expect(await ids(library)).toEqual(['guide', path])
})

test('folders added at the same time are all kept', async () => {
  using folder = temporaryFolder()
  const paths = ['a', 'b', 'c'].map((name) => model(folder, `models/${name}`))
  const { library } = await open(folder)
  await Promise.all(paths.map((path) => library.addFolder(path)))
  // Which of them is looked at first is the disk's business.
  expect(new Set(await ids((await open(folder)).library))).toEqual(new Set(['guide', ...paths]))
})

test('links that lead out of the folder are not followed, links inside are', async () => {
  using folder = temporaryFolder()
  model(folder, 'elsewhere/secret')
  const inner = model(folder, 'models/real')
  symlinkSync(join(folder.path, 'elsewhere/secret'), join(folder.path, 'models/out'))
  symlinkSync(inner, join(folder.path, 'models/again'))
  symlinkSync('/', join(folder.path, 'models/root'))
  symlinkSync('loop', join(folder.path, 'models/loop'))
  const { library } = await open(folder)
  await library.addFolder(join(folder.path, 'models'))
  expect(await ids(library)).toEqual(['guide', inner])
})

test('what is no model folder is refused with its reason', async () => {
  using folder = temporaryFolder()
  const { library } = await open(folder)
  mkdirSync(join(folder.path, 'empty'))
  expect(await serviceCode(() => library.addFolder(join(folder.path, 'absent')))).toBe('library/no-folder')
  expect(await serviceCode(() => library.addFolder(folder.write('file.txt', 'x')))).toBe('library/not-a-directory')
  expect(await serviceCode(() => library.addFolder(join(folder.path, 'empty')))).toBe('library/no-model')
  expect(await ids(library)).toEqual(['guide'])
})

test.skipIf(process.platform === 'win32')('a pipe named config.json is not waited for', async () => {
  using folder = temporaryFolder()
  mkdirSync(join(folder.path, 'models/pipe'), { recursive: true })
  execFileSync('sh', ['-c', 'mkfifo "$0"', join(folder.path, 'models/pipe/config.json')])
  const { library } = await open(folder)
  expect(await serviceCode(() => library.addFolder(join(folder.path, 'models')))).toBe('library/no-model')
})

test('a huge folder is looked at only so far', async () => {
  using folder = temporaryFolder()
  for (let index = 0; index < 1_500; index++) mkdirSync(join(folder.path, `models/${index}`), { recursive: true })
  const { library } = await open(folder)
  expect(await serviceCode(() => library.addFolder(join(folder.path, 'models')))).toBe('library/no-model')
})

test('a folder that has gone is left out and comes back', async () => {
  using folder = temporaryFolder()
  const path = model(folder, 'models/a')
  const { library } = await open(folder)
  await library.addFolder(path)
  rmSync(path, { recursive: true })
  expect(await ids(library)).toEqual(['guide'])
  model(folder, 'models/a')
  expect(await ids(library)).toEqual(['guide', path])
})

test('a model is read again only when its files change', async () => {
  using folder = temporaryFolder()
  const path = model(folder, 'models/a')
  const { library, described } = await open(folder)
  await library.addFolder(path)
  await library.list()
  expect(described.filter((each) => each === path)).toHaveLength(1)
  folder.write('models/a/model.safetensors', 'new')
  await library.list()
  expect(described.filter((each) => each === path)).toHaveLength(2)
})

test('a reading that failed is shown and tried again', async () => {
  using folder = temporaryFolder()
  let fails = true
  const { library } = await open(folder, () =>
    fails
      ? Promise.reject(serviceError('engine/crashed', { reason: 'killed', signal: 'SIGKILL', exitCode: null }))
      : Promise.resolve(ready),
  )
  expect(await library.list()).toMatchObject([{ state: 'broken', problem: { code: 'engine/crashed' } }])
  fails = false
  expect(await library.list()).toMatchObject([{ state: 'ready', problem: null }])
})

test('complete models of the Hugging Face cache are shown by their names, at the commit of main', async () => {
  using folder = temporaryFolder()
  const path = cachedModel(folder, 'org/some--model', { 'config.json': '{}', 'model.safetensors': 'x' })
  mkdirSync(join(folder.path, 'hub/models--org--some--model/snapshots', 'c'.repeat(40)))
  const { library } = await open(folder)
  expect((await library.list())[1]).toMatchObject({ id: path, name: 'org/some--model', source: 'hf-cache', state: 'ready' })
  expect(await library.locate(path)).toEqual({ modelId: path, name: 'org/some--model', path })
})

test('without a ref the newest snapshot counts', async () => {
  using folder = temporaryFolder()
  const path = cachedModel(folder, 'org/m', { 'config.json': '{}' }, null)
  expect(await ids((await open(folder)).library)).toEqual(['guide', path])
})

test('a snapshot with a link to nothing is incomplete and says which file is missing', async () => {
  using folder = temporaryFolder()
  cachedModel(folder, 'org/m', { 'config.json': '{}', 'model.safetensors': null })
  expect((await (await open(folder)).library.list())[1]).toMatchObject({
    state: 'incomplete',
    problem: { code: 'library/incomplete', details: { missing: ['model.safetensors'] } },
  })
})

test('a download that has only begun is shown as incomplete', async () => {
  using folder = temporaryFolder()
  folder.write('hub/models--org--m/blobs/abc.incomplete', 'x')
  const { library } = await open(folder, () =>
    Promise.resolve({ ...ready, state: 'incomplete', problem: { code: 'config/missing', message: '', details: {} } }),
  )
  expect((await library.list())[1]).toMatchObject({ name: 'org/m', state: 'incomplete' })
})

test('data sets, empty shells and strange refs are passed over', async () => {
  using folder = temporaryFolder()
  folder.write('hub/datasets--org--d/snapshots/x/config.json', '{}')
  folder.write('hub/models--org--shell/refs/main', 'a'.repeat(40))
  model(folder, 'secret')
  folder.write('hub/models--org--evil/refs/main', '../../../../secret')
  mkdirSync(join(folder.path, 'hub/models--org--evil/snapshots'), { recursive: true })
  folder.write('hub/version.txt', '1')
  expect(await ids((await open(folder)).library)).toEqual(['guide'])
})

test('a path is reported as the model it is, the folder of models it is, or why it is neither', async () => {
  using folder = temporaryFolder()
  const path = model(folder, 'models/a')
  const weights = folder.write('models/a/model.safetensors', 'x')
  const { library } = await open(folder, (each) =>
    Promise.resolve(
      each.endsWith('bare') ? { ...ready, state: 'incomplete', problem: { code: 'config/missing', message: 'm', details: {} } } : ready,
    ),
  )
  expect(await library.inspectPath(path)).toMatchObject({ path, model: { id: path, state: 'ready' }, problem: null })
  expect(await library.inspectPath(weights)).toMatchObject({ path, model: { id: path } })
  expect(await library.inspectPath(join(folder.path, 'models'))).toMatchObject({
    model: null,
    problem: { code: 'library/folder-of-models', details: { count: 1 } },
  })
  mkdirSync(join(folder.path, 'bare'))
  expect(await library.inspectPath(join(folder.path, 'bare'))).toMatchObject({ model: null, problem: { code: 'config/missing' } })
  expect(await library.inspectPath(folder.write('lone.txt', 'x'))).toMatchObject({
    model: null,
    problem: { code: 'library/not-a-directory' },
  })
  expect(await library.inspectPath(join(folder.path, 'absent'))).toMatchObject({ model: null, problem: { code: 'library/no-folder' } })
  expect(await library.locate(path)).toMatchObject({ path })
})

test('only what was listed or looked at can be located', async () => {
  using folder = temporaryFolder()
  const path = model(folder, 'models/a')
  const { library } = await open(folder)
  for (const id of [path, '../guide', '/etc', '']) expect(await serviceCode(() => library.locate(id)), id).toBe('library/not-found')
})

test('a folder of GGUF files lists each of them, split files once, encoders of pictures not at all', async () => {
  using folder = temporaryFolder()
  const { library } = await open(folder)
  for (const name of ['a-Q4_0.gguf', 'b-00001-of-00002.gguf', 'b-00002-of-00002.gguf', 'mmproj-a.gguf', 'inner/c.gguf'])
    folder.write(`models/${name}`, 'GGUF')
  const path = (name: string): string => join(folder.path, 'models', name)
  const entries = await library.addFolder(join(folder.path, 'models'))
  expect(entries.slice(1).map(({ id, name }) => [id, name])).toEqual([
    [path('a-Q4_0.gguf'), 'a-Q4_0'],
    [path('b-00001-of-00002.gguf'), 'b-00001-of-00002'],
    [path('inner/c.gguf'), 'c'],
  ])
})

test('a dropped GGUF file is a model by itself, and a dropped ONNX file is its folder unless there are several', async () => {
  using folder = temporaryFolder()
  const { library } = await open(folder)
  const gguf = folder.write('anywhere/one.gguf', 'GGUF')
  const only = folder.write('single/onnx/model.onnx', 'x')
  model(folder, 'single')
  const variant = folder.write('several/onnx/model_q4.onnx', 'x')
  folder.write('several/onnx/model.onnx', 'x')
  model(folder, 'several')
  const report = async (path: string) => (await library.inspectPath(path)).model
  expect(await report(gguf)).toMatchObject({ id: gguf, name: 'one', state: 'ready' })
  expect(await report(only)).toMatchObject({ id: join(folder.path, 'single'), name: 'single' })
  expect(await report(variant)).toMatchObject({ id: variant, name: 'several/model_q4' })
  expect(await library.locate(gguf)).toMatchObject({ path: gguf })
})

test('a cached repository of GGUF files lists every file under the name of the repository', async () => {
  using folder = temporaryFolder()
  const { library } = await open(folder)
  cachedModel(folder, 'org/tiny-GGUF', { 'config.json': '{}', 'tiny-Q4_0.gguf': 'GGUF', 'tiny-Q8_0.gguf': 'GGUF' })
  const names = (await library.list()).slice(1).map(({ name, path }) => [name, path.endsWith('.gguf')])
  expect(names).toEqual([
    ['org/tiny-GGUF/tiny-Q4_0', true],
    ['org/tiny-GGUF/tiny-Q8_0', true],
  ])
})
