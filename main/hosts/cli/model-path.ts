// MODEL of the command line -> a path: a folder, a file, the built-in model's name, or a name from the library.
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { resourcesFolder } from '../resources-folder'
import { cliError } from './cli-error'

/** Name of the built-in model; a folder of that name is reached as ./guide. */
const BUILT_IN = 'guide'

/** Absolute path of what MODEL names. Throws "cli/model-not-found", "cli/ambiguous-model", "cli/not-readable". */
export async function modelPath(model: string, signal: AbortSignal): Promise<string> {
  if (model === BUILT_IN) return join(resourcesFolder(), BUILT_IN)
  const path = resolve(model)
  try {
    await stat(path)
    return path
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw cliError('cli/not-readable', { path, reason: code }, cause)
    return pathOfName(model, signal)
  }
}

/** The folder of a model that the library lists under this name. */
async function pathOfName(model: string, signal: AbortSignal): Promise<string> {
  // Most calls name a folder: the library is not looked through for those.
  const { openLibrary } = await import('./library')
  const named = (await (await openLibrary(signal)).list()).filter(({ name }) => name === model)
  const [first, ...others] = named
  if (first === undefined) throw cliError('cli/model-not-found', { model })
  if (others.length > 0) throw cliError('cli/ambiguous-model', { model, paths: named.map(({ path }) => path) })
  return first.path
}
