// The files beside the weights that come along unchanged: configuration, tokenizer, licence, and the source code of a custom architecture, which is copied and never run.
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileError } from '../bytes/random-access-file'
import { MAX_CONFIG_JSON_BYTES, readJsonFile } from '../bytes/json'
import { listTokenizerFiles } from '../inspect/model-files'

/** A file to copy: from `path` to the name `file`. */
export interface Companion {
  readonly file: string
  readonly path: string
  readonly sizeBytes: number
  readonly modifiedMs: number
}

const CONFIG = 'config.json'

/** Names of a tokenizer beside those that it is read from here. */
const TOKENIZER_NAMES: readonly RegExp[] = [
  /^(tokenizer|spiece|sentencepiece\.bpe|vocab|bpe)\.model$/,
  /\.tiktoken$/,
  /^tokenization_\w+\.py$/,
]

/** Names that belong to a model whatever its tokenizer is. */
const MODEL_NAMES: readonly RegExp[] = [
  /^(config|generation_config|preprocessor_config|processor_config|image_processor_config)\.json$/,
  /^(LICEN[CS]E|NOTICE|COPYING|USE_POLICY)([._-].*)?$/i,
  /^README\.md$/i,
  /^(configuration|modeling|processing|image_processing|feature_extraction)_\w+\.py$/,
]

/**
 * The folder whose other files belong to the source: a model folder, or the one around a weight file that has a config.json.
 * A weight file whose configuration comes from elsewhere belongs to the tokenizer beside it.
 */
async function modelFolder(source: string, isConfigured: boolean): Promise<string | null> {
  if ((await stat(source)).isDirectory()) return source
  const folder = dirname(source)
  const config = await stat(join(folder, CONFIG)).catch(() => null)
  if (config?.isFile() === true) return folder
  return isConfigured && (await listTokenizerFiles(folder)).complete ? folder : null
}

async function describe(path: string, file: string): Promise<Companion | null> {
  const found = await stat(path).catch((cause: unknown) => {
    throw fileError(path, cause)
  })
  // A pipe or a device would never end; links of the Hugging Face cache lead to regular files.
  return found.isFile() ? { file, path, sizeBytes: found.size, modifiedMs: found.mtimeMs } : null
}

/** Files of a folder that a test of names takes. */
async function listNames(folder: string, isWanted: (name: string) => boolean): Promise<readonly string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw fileError(folder, cause)
  })
  return names.filter(isWanted)
}

/** Files of the tokenizer in a folder. */
async function tokenizerNames(folder: string): Promise<readonly string[]> {
  const known = new Set((await listTokenizerFiles(folder)).files)
  return listNames(folder, (name) => known.has(name) || TOKENIZER_NAMES.some((pattern) => pattern.test(name)))
}

/**
 * Lists what comes along, sorted by name; `config` takes the place of the source's own config.json, `tokenizer` is the folder that
 * the tokenizer comes from instead of the source's, and `mapped` says that a configuration is derived.
 * Throws "bytes/not-found", "bytes/unreadable", and what readJsonFile throws for a `config` that is not JSON.
 */
export async function listCompanions(
  source: string,
  options: { readonly config?: string; readonly mapped?: boolean; readonly tokenizer?: string; readonly signal?: AbortSignal },
): Promise<readonly Companion[]> {
  const { config, mapped = false, tokenizer, signal } = options
  const found: (Companion | null)[] = []
  if (config !== undefined) {
    await readJsonFile(config, { maxBytes: MAX_CONFIG_JSON_BYTES, ...(signal && { signal }) })
    found.push(await describe(config, CONFIG))
  }
  const folder = await modelFolder(source, mapped || config !== undefined)
  if (folder !== null) {
    const own = await listNames(folder, (name) => MODEL_NAMES.some((pattern) => pattern.test(name)))
    for (const name of own.filter((each) => each !== CONFIG || config === undefined)) found.push(await describe(join(folder, name), name))
  }
  const beside = tokenizer ?? folder
  if (beside !== null) for (const name of await tokenizerNames(beside)) found.push(await describe(join(beside, name), name))
  return found.filter((companion) => companion !== null).sort((left, right) => (basename(left.file) < basename(right.file) ? -1 : 1))
}

/** Leaves out the companions that are already where they would go: a result beside its own source needs no copies. */
export async function withoutThoseInPlace(companions: readonly Companion[], folder: string): Promise<readonly Companion[]> {
  const kept: Companion[] = []
  for (const companion of companions) {
    const [source, existing] = await Promise.all([stat(companion.path), stat(join(folder, companion.file)).catch(() => null)])
    if (existing?.dev !== source.dev || existing.ino !== source.ino) kept.push(companion)
  }
  return kept
}
