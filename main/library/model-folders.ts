// Finds model directories: a folder with a config.json, or the folders directly inside one. Bounded, one level, nothing outside the folder.
import { opendir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { reasonOf, serviceError } from '../service-error'

/** A folder of models has tens of entries; one with more than this is something else, and the rest is not looked at. */
const MAX_FOLDER_ENTRIES = 1_000

/** The file that makes a folder a model directory. */
const CONFIG_FILE = 'config.json'

/** The real path of a readable folder. Throws "library/no-folder" or "library/not-a-directory". */
export async function realFolder(path: string): Promise<string> {
  try {
    const real = await realpath(path)
    if (!(await stat(real)).isDirectory()) throw serviceError('library/not-a-directory', { path })
    return real
  } catch (failure) {
    if (failure instanceof Error && failure.name === 'ServiceError') throw failure
    throw serviceError('library/no-folder', { path, reason: reasonOf(failure) }, failure)
  }
}

/** True when the folder has a regular config.json (a link to one counts: that is how the Hugging Face cache stores it). */
export async function isModelDirectory(folder: string): Promise<boolean> {
  try {
    return (await stat(join(folder, CONFIG_FILE))).isFile()
  } catch {
    return false
  }
}

/** Real paths of the model directories that a folder is or directly holds, by name. Links that lead out of the folder are not followed. */
export async function findModelDirectories(folder: string): Promise<readonly string[]> {
  if (await isModelDirectory(folder)) return [folder]
  const found: string[] = []
  for (const name of await folderNames(folder)) {
    const inner = await realpath(join(folder, name)).catch(() => null)
    if (inner?.startsWith(folder.endsWith(sep) ? folder : folder + sep) === true && (await isModelDirectory(inner))) found.push(inner)
  }
  return found
}

/** Names of the folders (and links) in a folder, sorted, at most MAX_FOLDER_ENTRIES. Throws "library/no-folder". */
export async function folderNames(folder: string): Promise<readonly string[]> {
  const names: string[] = []
  try {
    let seen = 0
    for await (const entry of await opendir(folder)) {
      if (++seen > MAX_FOLDER_ENTRIES) break
      if (entry.isDirectory() || entry.isSymbolicLink()) names.push(entry.name)
    }
  } catch (failure) {
    throw serviceError('library/no-folder', { path: folder, reason: reasonOf(failure) }, failure)
  }
  return names.sort()
}
