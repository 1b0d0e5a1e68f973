// Finds the tokenizer of a model and opens it: tokenizer.json before tokenizer.model, as Transformers does; a GGUF file brings its own.
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileError, openRandomAccessFile } from '../bytes/random-access-file'
import { readGgufHeader } from '../checkpoint/gguf/header'
import { modelFolderOfOnnx } from '../checkpoint/onnx/variants'
import { MAX_CONFIG_JSON_BYTES, readOptionalJsonFile } from '../bytes/json'
import { engineError } from '../errors'
import { customClassOf, readCustomCode, type CustomCode } from './custom/custom-code'
import { loadCustomTokenizer } from './custom/load-custom'
import { isGgufName } from './gguf/chat-templates'
import { loadGgufTokenizer } from './gguf/gguf-tokenizer'
import { loadTiktoken, loadVocabMerges, loadVocabTxt, looksLikeRanks } from './plain-vocabularies'
import { loadSentencePiece } from './sentencepiece'
import { readTokenizerConfig } from './tokenizer-config'
import { isKnownTokenizer } from './tokenizer-class'
import { loadTokenizerJson } from './tokenizer-json'
import type { Tokenizer } from './types'

/** Files a tokenizer is made from, the first that a folder has wins; *.tiktoken and *.gguf follow. merges.txt alone is none. */
const FILES = ['tokenizer.json', 'tokenizer.model', 'tiktoken.model', 'vocab.json', 'vocab.txt'] as const

/** How a tokenizer is loaded. */
export interface LoadTokenizerOptions {
  /** Hashes of custom tokenizer code that somebody looked at and agreed to run in the sandbox; other code is not run. */
  readonly trustedCode?: readonly string[]
}

/**
 * Opens the tokenizer of a model directory, a tokenizer or GGUF file, or of the model that an ONNX file belongs to. In a directory tokenizer.json wins over tokenizer.model, that over the older
 * vocabularies, and those over a GGUF file (`source` of the result says which it was); a file is read with the configuration that stands beside it.
 * A folder whose `auto_map` names a Python tokenizer, and whose files are no tokenizer that is known without it, needs `trustedCode`.
 * Throws "tokenizer/missing", "tokenizer/custom-code-needs-consent" and the codes of the readers.
 */
export async function loadTokenizer(pathOrDirectory: string, options: LoadTokenizerOptions = {}): Promise<Tokenizer> {
  const named = pathOrDirectory.toLowerCase().endsWith('.onnx') ? modelFolderOfOnnx(pathOrDirectory) : pathOrDirectory
  const isDirectory = await isFolder(named)
  const directory = isDirectory ? named : dirname(named)
  if (isDirectory) {
    const custom = await loadCustom(directory, options.trustedCode ?? [])
    if (custom !== null) return custom
  }
  const file = isDirectory ? await findFile(directory) : named
  if (isGgufName(file)) return await loadGgufTokenizer((await readGgufHeader(file)).metadata, { path: file })
  const config = await readTokenizerConfig(directory)
  const name = basename(file)
  if (name === 'vocab.json') return await loadVocabMerges(file, config)
  if (name.endsWith('.json')) return await loadTokenizerJson(file, config)
  if (name === 'vocab.txt') return await loadVocabTxt(file, config)
  return (await startsWithRanks(file)) ? await loadTiktoken(file, config) : await loadSentencePiece(file, config)
}

/** The tokenizer that the folder's own Python file makes, or null where the folder needs none. */
async function loadCustom(directory: string, trusted: readonly string[]): Promise<Tokenizer | null> {
  const code = await findCustomCode(directory)
  if (code === null) return null
  if (!trusted.includes(code.hash)) {
    const { className, hash, sources } = code
    throw engineError('tokenizer/custom-code-needs-consent', { directory, className, files: sources.map(({ name }) => name), hash })
  }
  return await loadCustomTokenizer(code)
}

/**
 * The Python code that the tokenizer of a folder needs, or null: where there is no such code, or another file that says the same without it.
 * Throws "tokenizer/custom-code-missing" and the codes of the readers. Nothing is run.
 */
export async function findCustomCode(directory: string): Promise<CustomCode | null> {
  const className = customClassOf(await readOptionalJsonFile(join(directory, 'tokenizer_config.json'), { maxBytes: MAX_CONFIG_JSON_BYTES }))
  if (className === null) return null
  const names = await readdir(directory)
  if (names.includes('tokenizer.json') || isKnownTokenizer(await readTokenizerConfig(directory))) return null
  return await readCustomCode(directory, className)
}

/** Names in a directory that a tokenizer can be made from, the one that wins first. */
export async function tokenizerCandidates(directory: string): Promise<readonly string[]> {
  const names = new Set(await readdir(directory))
  const sorted = [...names].sort()
  return [
    ...FILES.filter((name) => names.has(name) && (name !== 'vocab.json' || names.has('merges.txt'))),
    ...sorted.filter((name) => name.endsWith('.tiktoken')),
    ...sorted.filter(isGgufName),
  ]
}

async function findFile(directory: string): Promise<string> {
  const [found] = await tokenizerCandidates(directory)
  if (found === undefined) throw engineError('tokenizer/missing', { directory })
  return join(directory, found)
}

/** Long enough for the first rank of any vocabulary. */
const FIRST_LINE_BYTES = 256

async function startsWithRanks(path: string): Promise<boolean> {
  using file = await openRandomAccessFile(path)
  return looksLikeRanks(await file.read({ offsetBytes: 0, sizeBytes: Math.min(file.sizeBytes, FIRST_LINE_BYTES) }))
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (cause) {
    throw fileError(path, cause)
  }
}
