// Where the result of a conversion goes when nobody said: beside its source, or among the app's own models where that cannot be written to.
import { access, constants, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Endings that say what a file is and not how it is called. */
const ENDINGS =
  /(?:\.safetensors|\.bin)?\.index\.json$|\.(?:safetensors|bin|pth|pt|ckpt|gguf|onnx|npz|npy|h5|hdf5|keras|msgpack|pb|tar|index)$/i
/** Folders tried before the name is left as it is; the plan then says that something is there. */
const MAX_TRIES = 99

/** A folder that is not there yet, named after the source and the format. */
export async function suggestPlace(
  source: string,
  options: { readonly to: string; readonly modelsFolder: string; readonly temporaryFolder: string },
): Promise<string> {
  const { folder, name } = await sourceName(source)
  const isTemporary = source.startsWith(options.temporaryFolder)
  const parent = !isTemporary && name.mayStandBeside && (await canWrite(folder)) ? folder : options.modelsFolder
  const wanted = join(parent, `${name.text}-${options.to}`)
  for (let number = 1; number <= MAX_TRIES; number += 1) {
    const path = number === 1 ? wanted : `${wanted}-${number}`
    if ((await stat(path).catch(() => null)) === null) return path
  }
  return wanted
}

async function sourceName(source: string): Promise<{ folder: string; name: { text: string; mayStandBeside: boolean } }> {
  const folder = dirname(source)
  const isFile = (await stat(source).catch(() => null))?.isFile() === true
  // A snapshot of the Hugging Face cache: models--org--name/snapshots/<commit>. Nothing of ours belongs into the cache.
  const snapshot = isFile ? folder : source
  const repository = basename(dirname(dirname(snapshot)))
  if (basename(dirname(snapshot)) === 'snapshots' && repository.startsWith('models--')) {
    return { folder, name: { text: repository.split('--').at(-1) ?? repository, mayStandBeside: false } }
  }
  const text = isFile ? basename(source).replace(ENDINGS, '') : basename(source)
  return { folder, name: { text: text === '' ? 'model' : text, mayStandBeside: true } }
}

async function canWrite(folder: string): Promise<boolean> {
  return await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  )
}
