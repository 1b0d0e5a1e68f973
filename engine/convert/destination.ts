// Where a result goes, and whether it may: never over its own input, over other files only when asked to, and only where it fits.
import { readdir, realpath, stat, statfs } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { fileError } from '../bytes/random-access-file'
import { isShardName } from '../checkpoint/writers/shards'
import type { WritableFormat } from '../checkpoint/writers/formats'
import { engineError } from '../errors'

/** A folder that holds the result, or the one file that is it. `folder` is where the files go in both cases. */
export interface Destination {
  readonly path: string
  readonly kind: 'folder' | 'file'
  readonly folder: string
  readonly exists: boolean
}

/** Finds out what `out` is. Throws "convert/output-exists" where a file has the name of the folder. */
export async function findDestination(out: string, format: WritableFormat): Promise<Destination> {
  const path = resolve(out)
  const found = await stat(path).catch(() => null)
  const looksLikeFile = format.extensions.some((extension) => basename(path).toLowerCase().endsWith(extension))
  if (found?.isDirectory() === true) return { path, kind: 'folder', folder: path, exists: true }
  if (looksLikeFile) return { path, kind: 'file', folder: dirname(path), exists: found !== null }
  if (found) throw engineError('convert/output-exists', { path })
  return { path, kind: 'folder', folder: path, exists: false }
}

async function identity(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null)
  return found && `${found.dev}:${found.ino}`
}

/**
 * Checks every file that the result would replace. Returns the files of an earlier result, by name, that do not belong to the new one.
 * Throws "convert/output-is-input" (also through links) and "convert/output-exists".
 */
export async function checkReplacements(
  destination: Destination,
  options: {
    readonly outputs: readonly string[]
    readonly inputs: readonly string[]
    readonly format: WritableFormat
    readonly force: boolean
  },
): Promise<readonly string[]> {
  const { outputs, inputs, format, force } = options
  if (!destination.exists) return []
  const inputOf = new Map<string, string>()
  for (const input of inputs) {
    const id = await identity(input)
    if (id !== null) inputOf.set(id, input)
  }
  const names = await readdir(destination.folder).catch((cause: unknown) => {
    throw fileError(destination.folder, cause)
  })
  const belongsToFormat = (name: string): boolean => destination.kind === 'folder' && isShardName(name, format.naming)
  const inTheWay = names.filter((name) => outputs.includes(name) || belongsToFormat(name))
  const folder = await realpath(destination.folder)
  const inputFolders = new Set(await Promise.all(inputs.map(async (input) => dirname(await realpath(input)))))
  for (const name of inTheWay) {
    const path = join(destination.folder, name)
    const input = inputOf.get((await identity(path)) ?? '')
    // The index of the source's shards is an input too, though no tensor lies in it.
    if (input !== undefined) throw engineError('convert/output-is-input', { path, input })
    if (belongsToFormat(name) && inputFolders.has(folder)) throw engineError('convert/output-is-input', { path, input: path })
  }
  const [first] = inTheWay
  if (first !== undefined && !force) throw engineError('convert/output-exists', { path: join(destination.folder, first) })
  return inTheWay.filter((name) => !outputs.includes(name))
}

/** Free bytes of the disk that `path` is or will be on. */
export async function freeDiskBytes(path: string): Promise<number> {
  for (let folder = path; ; folder = dirname(folder)) {
    const found = await statfs(folder).catch(() => null)
    if (found) return found.bavail * found.bsize
    if (dirname(folder) === folder) throw engineError('bytes/not-found', { path })
  }
}
