// Files beside an ONNX model that hold its weights. Their paths are hostile input: only plain files of the model's own folder are opened. Follows docs/ExternalData.md (ONNX 1.20).
import { lstat, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileError, openRandomAccessFile } from '../../bytes/random-access-file'
import { EngineError, engineError } from '../../errors'

/** A data file that may be read. */
export interface ExternalFile {
  readonly path: string
  readonly sizeBytes: number
}

/** Different data files of one model: one for all tensors, or one for each. */
const MAX_EXTERNAL_FILES = 100_000

function isPlainName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\\0:]/.test(name)
}

async function openExternal(modelPath: string, location: string): Promise<ExternalFile> {
  const unsafe = (): EngineError => engineError('checkpoint/unsafe-reference', { path: modelPath, reference: location.slice(0, 200) })
  const name = location.replace(/^\.\//, '')
  if (!isPlainName(name)) throw unsafe()
  const folder = dirname(modelPath)
  const path = join(folder, name)
  try {
    const real = await realpath(path)
    // In the Hugging Face cache model and data are both symlinks into one folder of blobs.
    const allowed = [await realpath(folder), dirname(await realpath(modelPath))]
    if (!allowed.includes(dirname(real))) throw unsafe()
    const stats = await lstat(real)
    // A second name of a file elsewhere would let a model read what was never given to it.
    if (stats.isFile() && stats.nlink > 1)
      throw engineError('checkpoint/hard-linked-reference', { path: modelPath, reference: location.slice(0, 200) })
    using file = await openRandomAccessFile(real)
    return { path: file.path, sizeBytes: file.sizeBytes }
  } catch (cause) {
    if (cause instanceof EngineError && cause.code !== 'bytes/not-found') throw cause
    const error = cause instanceof EngineError ? cause : fileError(path, cause)
    if (error instanceof EngineError && error.code === 'bytes/not-found')
      throw engineError('checkpoint/missing-shard', { shard: name, directory: folder }, cause)
    throw error
  }
}

/** Checks and remembers the data files of the model at `modelPath`. Throws "checkpoint/unsafe-reference", "checkpoint/hard-linked-reference", "checkpoint/missing-shard". */
export function createExternalFiles(modelPath: string) {
  const files = new Map<string, ExternalFile>()
  return {
    all: (): readonly ExternalFile[] => [...new Map([...files.values()].map((file) => [file.path, file])).values()],
    get: async (location: string): Promise<ExternalFile> => {
      const known = files.get(location)
      if (known) return known
      if (files.size >= MAX_EXTERNAL_FILES)
        throw engineError('checkpoint/too-many-tensors', { path: modelPath, count: files.size + 1, max: MAX_EXTERNAL_FILES })
      const file = await openExternal(modelPath, location)
      files.set(location, file)
      return file
    },
  }
}
