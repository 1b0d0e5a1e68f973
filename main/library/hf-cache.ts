// Models of the Hugging Face hub cache: `models--org--name/{blobs,refs,snapshots/<commit>}`, read in place. Layout as huggingface_hub 0.36 writes it.
import { opendir, readFile, readdir, realpath, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { folderNames, isFile, isModelDirectory, modelsOfFolder } from './model-folders'

/** One cached model; `folder` is the snapshot, or the GGUF file in it. `missing` names what an interrupted download lacks; then `folder` may be the repository folder. */
export interface CachedModel {
  readonly name: string
  readonly folder: string
  readonly missing: readonly string[]
}

const REPO_PREFIX = 'models--'
/** A ref holds a commit hash; anything else in it is not ours to follow. */
const COMMIT = /^[0-9a-f]{7,64}$/
const MAX_REF_BYTES = 256
/** Entries looked at in one snapshot or blob folder. */
const MAX_FILES = 2_000

/** Models in the cache, by name. No cache is an empty one. */
export async function listCachedModels(cacheFolder: string): Promise<readonly CachedModel[]> {
  const names = await folderNames(cacheFolder).catch(() => [])
  const models: CachedModel[] = []
  for (const name of names) {
    if (!name.startsWith(REPO_PREFIX)) continue
    models.push(...(await readRepository(join(cacheFolder, name), repositoryName(name))))
  }
  return models
}

/** `models--org--name` -> `org/name`; a name may itself hold dashes. */
function repositoryName(folderName: string): string {
  return folderName.slice(REPO_PREFIX.length).replace('--', '/')
}

async function readRepository(repository: string, name: string): Promise<readonly CachedModel[]> {
  const partial = (await fileNames(join(repository, 'blobs'))).filter((file) => file.endsWith('.incomplete'))
  const snapshot = await currentSnapshot(repository)
  const files = snapshot === null ? [] : (await modelsOfFolder(snapshot)).filter((path) => path !== snapshot)
  // Repositories of GGUF files hold the same model several times over; each is one to choose.
  const single = files.length === 1
  if (files.length > 0)
    return await Promise.all(
      files.map(async (path) => {
        const stem = basename(path).replace(/\.gguf$/i, '')
        return { name: single ? name : `${name}/${stem}`, folder: path, missing: (await isFile(path)) ? [] : [basename(path)] }
      }),
    )
  if (snapshot === null || !(await isModelDirectory(snapshot))) {
    // Without config.json and without a running download it is no model for us: a data file, an image model, an empty shell.
    return partial.length === 0 ? [] : [{ name, folder: snapshot ?? repository, missing: ['config.json'] }]
  }
  return [{ name, folder: snapshot, missing: await danglingFiles(snapshot) }]
}

/** Folder of the commit that refs/main names, else of the newest snapshot. */
async function currentSnapshot(repository: string): Promise<string | null> {
  const snapshots = join(repository, 'snapshots')
  const commit = await readRef(join(repository, 'refs', 'main'))
  if (commit !== null) {
    const folder = join(snapshots, commit)
    if (await isFolder(folder)) return await realpath(folder)
  }
  const dated = await Promise.all(
    (await folderNames(snapshots).catch(() => [])).map(async (name) => {
      const folder = join(snapshots, name)
      return {
        folder,
        mtimeMs: await stat(folder).then(
          (found) => (found.isDirectory() ? found.mtimeMs : 0),
          () => 0,
        ),
      }
    }),
  )
  const newest = dated.filter(({ mtimeMs }) => mtimeMs > 0).sort((a, b) => b.mtimeMs - a.mtimeMs)[0]
  return newest === undefined ? null : await realpath(newest.folder)
}

async function readRef(path: string): Promise<string | null> {
  try {
    if ((await stat(path)).size > MAX_REF_BYTES) return null
    const commit = (await readFile(path, 'utf8')).trim()
    return COMMIT.test(commit) ? commit : null
  } catch {
    return null
  }
}

/** Entries of a snapshot whose blob is gone or was never finished. */
async function danglingFiles(snapshot: string): Promise<readonly string[]> {
  const missing: string[] = []
  for (const name of await fileNames(snapshot)) {
    const reachable = await stat(join(snapshot, name)).then(
      () => true,
      () => false,
    )
    if (!reachable) missing.push(name)
  }
  return missing
}

async function fileNames(folder: string): Promise<readonly string[]> {
  const names: string[] = []
  try {
    for await (const entry of await opendir(folder)) {
      if (names.length >= MAX_FILES) break
      names.push(entry.name)
    }
  } catch {
    return []
  }
  return names.sort()
}

async function isFolder(path: string): Promise<boolean> {
  return await readdir(path).then(
    () => true,
    () => false,
  )
}
