// Where ONNX Runtime may read weights: every shard must really lie in the model's own folders, and one real folder must contain them all.
import { realpath } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { engineError } from '../errors'

/** The external-data folder of a session, and the location of a file relative to it with forward slashes, as ONNX writes it. */
export interface WeightFolder {
  readonly folder: string
  readonly locate: (file: string) => string
}

function contains(folder: string, file: string): boolean {
  const path = relative(folder, file)
  return path !== '' && path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path)
}

/**
 * The real folders that a model's weights may lie in: the model folder itself, and the `blobs` of its repository where the folder is a snapshot of the
 * Hugging Face cache (`models--org--name/snapshots/<revision>`), whose files are links into them.
 */
export async function weightFolders(modelDirectory: string): Promise<readonly string[]> {
  const real = await realpath(modelDirectory)
  const snapshots = dirname(real)
  const repository = dirname(snapshots)
  const isSnapshot = basename(snapshots) === 'snapshots' && /^(models|datasets|spaces)--/.test(basename(repository))
  return isSnapshot ? [real, join(repository, 'blobs')] : [real]
}

function commonFolder(files: readonly string[]): string {
  const [first, ...others] = files.map((file) => dirname(file))
  let folder = first ?? resolve('.')
  while (!others.every((other) => other === folder || contains(folder, other))) {
    const parent = dirname(folder)
    // Two Windows drives share no folder.
    if (parent === folder) throw engineError('runtime/weights-scattered', { files })
    folder = parent
  }
  return folder
}

/**
 * Checks and places the files of a checkpoint. `files` are opened read-only by ONNX Runtime afterwards: its own fence around external data stands at the folder returned here,
 * so this check is the one that keeps a link in a downloaded model from reaching into other folders. `locate` takes only files that were checked.
 * Throws "runtime/weights-outside-model", "runtime/weights-scattered".
 */
export async function placeWeightFiles(options: {
  readonly files: readonly string[]
  readonly allowedFolders: readonly string[]
  /** A file of our own that the folder must contain too: its real path, whether it exists yet or not. */
  readonly ownFile?: string
}): Promise<WeightFolder> {
  const { files, allowedFolders, ownFile } = options
  const real = new Map<string, string>()
  for (const file of files) {
    const path = await realpath(file)
    if (!allowedFolders.some((folder) => contains(folder, path))) {
      throw engineError('runtime/weights-outside-model', { file: path, allowedFolders })
    }
    real.set(file, path)
  }
  if (ownFile !== undefined) real.set(ownFile, ownFile)
  const folder = commonFolder([...real.values()])
  return {
    folder,
    locate: (file) => {
      const path = real.get(file)
      if (path === undefined) throw engineError('runtime/weights-outside-model', { file, allowedFolders })
      return relative(folder, path).split(sep).join('/')
    },
  }
}
