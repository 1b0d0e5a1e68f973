// Finds the tokenizer of a model and opens it: tokenizer.json before tokenizer.model, as Transformers does; a GGUF file brings its own.
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileError } from '../bytes/random-access-file'
import { readGgufHeader } from '../checkpoint/gguf/header'
import { engineError } from '../errors'
import { loadGgufTokenizer } from './gguf/gguf-tokenizer'
import { loadSentencePiece } from './sentencepiece'
import { readTokenizerConfig } from './tokenizer-config'
import { loadTokenizerJson } from './tokenizer-json'
import type { Tokenizer } from './types'

/**
 * Opens the tokenizer of a model directory, or a tokenizer or GGUF file. In a directory tokenizer.json wins over tokenizer.model, and that over a GGUF file
 * (`source` of the result says which it was); a file is read with the configuration that stands beside it.
 * Throws "tokenizer/missing" and the codes of the readers.
 */
export async function loadTokenizer(pathOrDirectory: string): Promise<Tokenizer> {
  const isDirectory = await isFolder(pathOrDirectory)
  const directory = isDirectory ? pathOrDirectory : dirname(pathOrDirectory)
  const file = isDirectory ? await findFile(directory) : pathOrDirectory
  if (isGguf(file)) return await loadGgufTokenizer((await readGgufHeader(file)).metadata, { path: file })
  const config = await readTokenizerConfig(directory)
  return basename(file).endsWith('.json') ? await loadTokenizerJson(file, config) : await loadSentencePiece(file, config)
}

async function findFile(directory: string): Promise<string> {
  const names = new Set(await readdir(directory))
  const found = ['tokenizer.json', 'tokenizer.model'].find((name) => names.has(name)) ?? [...names].filter(isGguf).sort()[0]
  if (found === undefined) throw engineError('tokenizer/missing', { directory })
  return join(directory, found)
}

function isGguf(name: string): boolean {
  return name.toLowerCase().endsWith('.gguf')
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (cause) {
    throw fileError(path, cause)
  }
}
