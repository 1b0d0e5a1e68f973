// Finds models: a folder with a config.json or genai_config.json, a GGUF file, or those directly inside a folder. Bounded, one level, nothing outside the folder.
import { opendir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { reasonOf, serviceError } from '../service-error'

/** A folder of models has tens of entries; one with more than this is something else, and the rest is not looked at. */
const MAX_FOLDER_ENTRIES = 1_000

/** The files that make a folder a model directory: Transformers' configuration, or onnxruntime-genai's. */
const CONFIG_FILES = ['config.json', 'genai_config.json']

/** Later parts of a split file, and encoders of pictures, are no models of their own. */
const NO_MODEL = /-(?!00001-)\d{5}-of-\d{5}\.gguf$|^mmproj/i

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

/** True when the folder has a regular configuration file (a link to one counts: that is how the Hugging Face cache stores it). */
export async function isModelDirectory(folder: string): Promise<boolean> {
  for (const name of CONFIG_FILES) if (await isFile(join(folder, name))) return true
  return false
}

/** True for a regular file, or a link to one. */
export async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}

/** Models that a folder is, not looking into folders inside: its GGUF files where they are its only weights, or itself. */
export async function modelsOfFolder(folder: string): Promise<readonly string[]> {
  const names = await fileNames(folder)
  const gguf = names.filter((name) => /\.gguf$/i.test(name) && !NO_MODEL.test(name))
  const hasOthers = names.some((name) => /\.(safetensors|bin|onnx)$/i.test(name))
  if (gguf.length > 0 && !hasOthers) return gguf.map((name) => join(folder, name))
  return (await isModelDirectory(folder)) ? [folder] : []
}

/**
 * What a dropped file stands for: a GGUF file and one of several ONNX variants for themselves, any other file for the model folder it lies in.
 * Null where that is no model. The path keeps the file's own name, which a link in a cache has and the blob behind it has not.
 */
export async function modelOfFile(path: string): Promise<string | null> {
  const folder = await realFolder(dirname(path))
  if (/\.gguf$/i.test(path)) return join(folder, basename(path))
  const above = basename(folder) === 'onnx' ? dirname(folder) : folder
  if (!(await isModelDirectory(above))) return (await isModelDirectory(folder)) ? folder : null
  const variants = (await fileNames(folder)).filter((name) => /\.onnx$/i.test(name))
  return /\.onnx$/i.test(path) && variants.length > 1 ? join(folder, basename(path)) : above
}

/** Paths of the models that a folder is or directly holds, by name: model directories and GGUF files. Links that lead out of the folder are not followed. */
export async function findModels(folder: string): Promise<readonly string[]> {
  const own = await modelsOfFolder(folder)
  if (own.length > 0 && (await isModelDirectory(folder))) return own
  const found: string[] = [...own]
  for (const name of await folderNames(folder)) {
    const inner = await realpath(join(folder, name)).catch(() => null)
    if (inner?.startsWith(folder.endsWith(sep) ? folder : folder + sep) === true) found.push(...(await modelsOfFolder(inner)))
  }
  return found
}

/** Names of the files (and links) in a folder, sorted, at most MAX_FOLDER_ENTRIES; none where it cannot be read. */
async function fileNames(folder: string): Promise<readonly string[]> {
  const names: string[] = []
  try {
    let seen = 0
    for await (const entry of await opendir(folder)) {
      if (++seen > MAX_FOLDER_ENTRIES) break
      if (!entry.isDirectory()) names.push(entry.name)
    }
  } catch {
    return []
  }
  return names.sort()
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
