// The model library: the built-in guide, folders added in place, and what lies in the Hugging Face cache. No file is copied, moved or deleted.
import { basename, dirname, join } from 'node:path'
import * as v from 'valibot'
import type { ContractError, ModelEntry, PathReport } from '../../preload/contract'
import type { ModelDescription } from '../engine/protocol'
import type { Clock, HostPaths, Log } from '../host'
import { openJsonFile } from '../json-file'
import { contractErrorOf, reasonOf, serviceError } from '../service-error'
import { listCachedModels } from './hf-cache'
import { findModels, isFile, modelOfFile, modelsOfFolder, realFolder } from './model-folders'
import { directorySignature } from './signature'

/** Id of the built-in model. */
export const GUIDE_ID = 'guide'
/** Every folder is looked through on each listing. */
const MAX_FOLDERS = 200
/** Descriptions asked of the engine at once. */
const DESCRIBE_AT_ONCE = 4

/** The models of this machine. */
export interface LibraryService {
  readonly list: () => Promise<readonly ModelEntry[]>
  /** Throws "library/no-folder", "library/not-a-directory", "library/no-model", "library/too-many-folders", "settings/not-saved". */
  readonly addFolder: (path: string) => Promise<readonly ModelEntry[]>
  readonly removeFolder: (path: string) => Promise<readonly ModelEntry[]>
  readonly inspectPath: (path: string) => Promise<PathReport>
  /** Name and directory of an entry, or of a directory that inspectPath found to be a model. Throws "library/not-found". */
  readonly locate: (modelId: string) => Promise<Located>
}

/** Where a model of the library lies. */
interface Located {
  readonly modelId: string
  readonly name: string
  readonly path: string
}

interface Place extends Located {
  readonly source: ModelEntry['source']
  readonly missing: readonly string[]
}

const foldersSchema = v.object({ folders: v.array(v.string()) })

/** Reads the list of added folders; `describe` reads one model directory (in the engine process). */
export async function createLibraryService(options: {
  readonly paths: HostPaths
  readonly describe: (path: string) => Promise<ModelDescription>
  readonly clock: Clock
  readonly log: Log
}): Promise<LibraryService> {
  const { paths, clock, log } = options
  const file = await openJsonFile({
    path: join(paths.dataFolder, 'library.json'),
    schema: foldersSchema,
    fallback: { folders: [] },
    clock,
    log,
  })
  /** Places seen so far: loading a model does not look through every folder again. */
  const known = new Map<string, Place>()
  const described = new Map<string, { readonly signature: string; readonly description: ModelDescription }>()

  async function places(): Promise<readonly Place[]> {
    const all: Place[] = [guidePlace(paths)]
    for (const folder of file.value().folders.slice(0, MAX_FOLDERS)) {
      for (const path of await findModels(folder).catch(() => [])) all.push(folderPlace(path))
    }
    for (const { name, folder, missing } of await listCachedModels(paths.hfCacheFolder)) {
      all.push({ modelId: folder, name, path: folder, source: 'hf-cache', missing })
    }
    const distinct = [...new Map(all.reverse().map((place) => [place.modelId, place])).values()].reverse()
    for (const place of distinct) known.set(place.modelId, place)
    return distinct
  }

  async function describe(path: string): Promise<ModelDescription> {
    const signature = await directorySignature(path)
    const before = described.get(path)
    if (before?.signature === signature) return before.description
    try {
      const description = await options.describe(path)
      described.set(path, { signature, description })
      return description
    } catch (failure) {
      const problem = contractErrorOf(failure) ?? { code: 'app/internal', message: String(failure), details: {} }
      return { ...unknownModel, state: 'broken', problem }
    }
  }

  async function entryOf(place: Place): Promise<ModelEntry> {
    const { modelId: id, name, path, source, missing } = place
    const described = await describe(path)
    if (missing.length === 0) return { id, name, path, source, ...described }
    return { id, name, path, source, ...described, state: 'incomplete', problem: described.problem ?? incompleteProblem(path, missing) }
  }

  async function list(): Promise<readonly ModelEntry[]> {
    const all = await places()
    const entries: ModelEntry[] = []
    for (let start = 0; start < all.length; start += DESCRIBE_AT_ONCE) {
      entries.push(...(await Promise.all(all.slice(start, start + DESCRIBE_AT_ONCE).map(entryOf))))
    }
    return entries
  }

  async function inspectModel(path: string): Promise<PathReport> {
    const place = (await places()).find((listed) => listed.path === path) ?? folderPlace(path)
    known.set(place.modelId, place)
    return { path, model: await entryOf(place), problem: null }
  }

  async function inspectFolder(folder: string): Promise<PathReport> {
    const [only, ...others] = await modelsOfFolder(folder)
    if (only !== undefined && others.length === 0) return await inspectModel(only)
    const { length: count } = await findModels(folder)
    if (count > 0) throw serviceError('library/folder-of-models', { path: folder, count })
    const { problem } = await describe(folder)
    if (problem === null) throw serviceError('library/no-model', { path: folder })
    return { path: folder, model: null, problem }
  }

  async function changeFolders(change: (folders: readonly string[]) => readonly string[]): Promise<readonly ModelEntry[]> {
    try {
      await file.update(({ folders }) => ({ folders: [...change(folders)] }))
    } catch (failure) {
      if (contractErrorOf(failure) !== null) throw failure
      throw serviceError('settings/not-saved', { path: file.path, reason: reasonOf(failure) }, failure)
    }
    return await list()
  }

  return {
    list,
    addFolder: async (path) => {
      const folder = await realFolder(path)
      if ((await findModels(folder)).length === 0) throw serviceError('library/no-model', { path: folder })
      return await changeFolders((folders) => {
        if (folders.includes(folder)) return folders
        if (folders.length >= MAX_FOLDERS) throw serviceError('library/too-many-folders', { limit: MAX_FOLDERS })
        return [...folders, folder]
      })
    },
    removeFolder: async (path) => {
      const folder = await realFolder(path).catch(() => path)
      return await changeFolders((folders) => folders.filter((added) => added !== folder && added !== path))
    },
    inspectPath: async (path) => {
      try {
        const model = (await isFile(path)) ? await modelOfFile(path) : null
        return model === null ? await inspectFolder(await realFolder(path)) : await inspectModel(model)
      } catch (failure) {
        const problem = contractErrorOf(failure)
        if (problem === null) throw failure
        return { path, model: null, problem }
      }
    },
    locate: async (modelId) => {
      const place = known.get(modelId) ?? (await places()).find((listed) => listed.modelId === modelId)
      if (place === undefined) throw serviceError('library/not-found', { modelId })
      return { modelId: place.modelId, name: place.name, path: place.path }
    },
  }
}

const unknownModel = { sizeBytes: 0, modelType: null, dtype: null, parameterCount: null, contextLength: null, description: null } as const

function guidePlace(paths: HostPaths): Place {
  return { modelId: GUIDE_ID, name: GUIDE_ID, path: join(paths.resourcesFolder, GUIDE_ID), source: 'built-in', missing: [] }
}

function folderPlace(path: string): Place {
  return { modelId: path, name: modelFileName(path), path, source: 'folder', missing: [] }
}

/** A folder's own name, a GGUF file's without its ending; a variant of an export is named with the folder it belongs to. */
function modelFileName(path: string): string {
  if (!/\.onnx$/i.test(path)) return basename(path).replace(/\.gguf$/i, '')
  const folder = dirname(path)
  const model = basename(folder) === 'onnx' ? dirname(folder) : folder
  return `${basename(model)}/${basename(path).replace(/\.onnx$/i, '')}`
}

function incompleteProblem(path: string, missing: readonly string[]): ContractError {
  return asContract(serviceError('library/incomplete', { path, missing: missing.slice(0, 10) }))
}

function asContract(error: ContractError): ContractError {
  return { code: error.code, message: error.message, details: error.details }
}
