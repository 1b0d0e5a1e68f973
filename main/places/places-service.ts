// Folders of this machine, listed for the file chooser of windows that have no native one.
import { opendir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, parse } from 'node:path'
import type { PlaceEntry, PlaceListing } from '../../preload/contract'
import { reasonOf, serviceError } from '../service-error'
import { localPath } from './local-path'

/** Entries read of one folder; one with more is no place where people keep models. */
const MAX_READ = 10_000
/** Entries listed; the filter finds the others. */
const MAX_LISTED = 500

/** Names that weights and their indexes have. */
const WEIGHTS =
  /\.(?:safetensors|bin|pth|pt|ckpt|gguf|onnx|npz|npy|h5|hdf5|keras|msgpack|pb|index|tar)$|\.(?:safetensors|bin)\.index\.json$/i

/** What to list. */
interface PlaceRequest {
  readonly path: string | null
  readonly filter: string
  readonly hidden: boolean
}

/** Lists a folder; `shortcuts` that are not there are left out. Throws "places/not-absolute" and "places/unreadable". */
export async function listPlace(
  request: PlaceRequest,
  options: { readonly cacheFolder: string; readonly modelsFolder: string },
): Promise<PlaceListing> {
  const path = request.path === null ? homedir() : localPath(request.path)
  const names = await readNames(path, request)
  const found = await Promise.all(names.slice(0, MAX_LISTED).map((name) => entryOf(path, name)))
  const entries = found.filter((entry) => entry !== null).toSorted(foldersFirst)
  const parent = dirname(path)
  return {
    path,
    parent: parent === path ? null : parent,
    entries,
    leftOut: Math.max(0, names.length - MAX_LISTED),
    shortcuts: await shortcuts(path, options),
  }
}

async function readNames(path: string, { filter, hidden }: PlaceRequest): Promise<readonly string[]> {
  const wanted = filter.trim().toLowerCase()
  const names: string[] = []
  try {
    let seen = 0
    for await (const { name } of await opendir(path)) {
      if (++seen > MAX_READ) break
      if ((hidden || !name.startsWith('.')) && name.toLowerCase().includes(wanted)) names.push(name)
    }
  } catch (failure) {
    throw serviceError('places/unreadable', { path, reason: reasonOf(failure) }, failure)
  }
  return names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
}

/** An entry that is a folder or a plain file, also through a link; sockets, pipes and devices are none. */
async function entryOf(folder: string, name: string): Promise<PlaceEntry | null> {
  const path = join(folder, name)
  const found = await stat(path).catch(() => null)
  if (found?.isDirectory() === true) {
    const isModel = await isFile(join(path, 'config.json'))
    return { name, path, kind: 'folder', sizeBytes: null, hint: isModel ? 'model' : null }
  }
  if (found?.isFile() !== true) return null
  return { name, path, kind: 'file', sizeBytes: found.size, hint: WEIGHTS.test(name) ? 'weights' : null }
}

function foldersFirst(a: PlaceEntry, b: PlaceEntry): number {
  return Number(a.kind === 'file') - Number(b.kind === 'file')
}

async function shortcuts(
  path: string,
  { cacheFolder, modelsFolder }: { readonly cacheFolder: string; readonly modelsFolder: string },
): Promise<PlaceListing['shortcuts']> {
  const all: PlaceListing['shortcuts'] = [
    { kind: 'home', path: homedir() },
    { kind: 'models', path: modelsFolder },
    { kind: 'cache', path: cacheFolder },
    { kind: 'root', path: parse(path).root },
  ]
  const there = await Promise.all(all.map(async (shortcut) => await isFolder(shortcut.path)))
  return all.filter((_, index) => there[index] === true)
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() === true
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() === true
}
