// MODEL of the command line -> a path: a folder, a file, or the built-in model's name.
import { stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { resourcesFolder } from '../resources-folder'
import { cliError } from './cli-error'

/** Name of the built-in model; a folder of that name is reached as ./guide. */
const BUILT_IN = 'guide'

/** Absolute path of what MODEL names. Throws "cli/model-not-found", "cli/not-readable". */
export async function modelPath(model: string): Promise<string> {
  if (model === BUILT_IN) return join(resourcesFolder(), BUILT_IN)
  const path = resolve(model)
  try {
    await stat(path)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    if (code === 'ENOENT' || code === 'ENOTDIR') throw cliError('cli/model-not-found', { model }, cause)
    throw cliError('cli/not-readable', { path, reason: code }, cause)
  }
  return path
}

/** The model folder of a path: the folder itself, or the one that a weight file lies in. */
export async function modelFolder(path: string): Promise<string> {
  return (await stat(path)).isDirectory() ? path : dirname(path)
}
