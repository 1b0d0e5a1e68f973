// Which companion files of a Hugging Face model a folder holds.
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { fileError } from '../bytes/random-access-file'
import { engineError } from '../errors'

/** Files that belong to a tokenizer or its chat template. */
const TOKENIZER_FILES: ReadonlySet<string> = new Set([
  'tokenizer.json',
  'tokenizer.model',
  'tiktoken.model',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'vocab.txt',
  'chat_template.jinja',
  'chat_template.json',
])

/** Files that a tokenizer can be made from. */
const VOCABULARY_FILES: ReadonlySet<string> = new Set(['tokenizer.json', 'tokenizer.model', 'tiktoken.model', 'vocab.json', 'vocab.txt'])

/** Names of the tokenizer files in a folder, sorted; `complete` when one of them holds a vocabulary. */
export interface TokenizerFiles {
  readonly files: readonly string[]
  readonly complete: boolean
}

/** Lists a folder's tokenizer files. Throws "bytes/not-found", "bytes/unreadable". */
export async function listTokenizerFiles(directory: string): Promise<TokenizerFiles> {
  let names: readonly string[]
  try {
    names = await readdir(directory)
  } catch (cause) {
    throw fileError(directory, cause)
  }
  const files = names.filter((name) => TOKENIZER_FILES.has(name)).sort()
  return { files, complete: files.some((name) => VOCABULARY_FILES.has(name)) }
}

/** What a model folder or GGUF file is called: its own name, or `org/name` for a snapshot of the Hugging Face cache (models--org--name/snapshots/commit). */
export function modelName(directory: string): string {
  const snapshots = dirname(directory)
  const repository = basename(dirname(snapshots))
  if (basename(snapshots) === 'snapshots' && repository.startsWith('models--'))
    return repository.slice('models--'.length).replaceAll('--', '/')
  return basename(directory).replace(/\.gguf$/i, '')
}

/**
 * The folder of a tokenizer that a person names by itself: a folder, or a file in one. Absolute.
 * Throws "bytes/not-found", "bytes/unreadable", and "tokenizer/missing" where the folder holds none.
 */
export async function tokenizerFolder(path: string): Promise<string> {
  const absolute = resolve(path)
  const found = await stat(absolute).catch((cause: unknown) => {
    throw fileError(absolute, cause)
  })
  const directory = found.isDirectory() ? absolute : dirname(absolute)
  const { complete } = await listTokenizerFiles(directory)
  const names = complete ? [] : await readdir(directory)
  if (!complete && !names.some((name) => name.endsWith('.tiktoken'))) throw engineError('tokenizer/missing', { directory })
  return directory
}
