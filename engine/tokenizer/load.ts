// Finds the tokenizer of a model and opens it: tokenizer.json before tokenizer.model, as Transformers does.
import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileError } from '../bytes/random-access-file'
import { engineError } from '../errors'
import { loadSentencePiece } from './sentencepiece'
import { readTokenizerConfig } from './tokenizer-config'
import { loadTokenizerJson } from './tokenizer-json'
import type { Tokenizer } from './types'

/**
 * Opens the tokenizer of a model directory, or a tokenizer file. In a directory tokenizer.json wins over tokenizer.model
 * (`source` of the result says which it was); a file is read with the configuration that stands beside it.
 * Throws "tokenizer/missing" and the codes of the readers.
 */
export async function loadTokenizer(pathOrDirectory: string): Promise<Tokenizer> {
  const isDirectory = await isFolder(pathOrDirectory)
  const directory = isDirectory ? pathOrDirectory : dirname(pathOrDirectory)
  const file = isDirectory ? await findFile(directory) : pathOrDirectory
  const config = await readTokenizerConfig(directory)
  return basename(file).endsWith('.json') ? await loadTokenizerJson(file, config) : await loadSentencePiece(file, config)
}

async function findFile(directory: string): Promise<string> {
  for (const name of ['tokenizer.json', 'tokenizer.model']) {
    const path = join(directory, name)
    if (await exists(path)) return path
  }
  throw engineError('tokenizer/missing', { directory })
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (cause) {
    throw fileError(path, cause)
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch {
    return false
  }
}
