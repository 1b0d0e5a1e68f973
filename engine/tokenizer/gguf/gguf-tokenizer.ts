// A Tokenizer from the metadata of a GGUF file: `tokenizer.ggml.model` says which algorithm, and every one is brought to a reader that exists. Follows llama.cpp (src/llama-vocab.cpp).
import { engineError } from '../../errors'
import type { Tokenizer } from '../types'
import { byteLevelTokenizer } from './byte-level'
import { sentencePieceTokenizer } from './sentencepiece'
import { END_OF_TURN_TEXTS, ggufString, ggufTokenId, readGgufVocabulary, type GgufMetadata, type GgufTokenizerParts } from './vocabulary'
import { wordPieceTokenizer } from './word-piece'

/** What writers call a file without a tokenizer. */
const WITHOUT_VOCABULARY: ReadonlySet<string> = new Set(['none', 'no_vocab'])

/**
 * Makes the tokenizer of a GGUF file from the metadata of its header (of the first file, where the model is split); `path` names the file.
 * Throws "tokenizer/missing", "tokenizer/corrupt-gguf", "tokenizer/unsupported", "tokenizer/limit-exceeded" and the codes of the readers.
 */
export async function loadGgufTokenizer(metadata: GgufMetadata, options: { readonly path: string }): Promise<Tokenizer> {
  const { path } = options
  const model = ggufString(metadata, 'tokenizer.ggml.model')
  if (model === null || WITHOUT_VOCABULARY.has(model)) throw engineError('tokenizer/missing', { directory: path })
  const build = BUILDERS.get(model)
  if (!build) throw engineError('tokenizer/unsupported', { path, what: `the GGUF vocabulary "${model.slice(0, 50)}"` })
  return await build({ metadata, vocabulary: await readGgufVocabulary(metadata, path), path })
}

const BUILDERS = new Map<string, (parts: GgufTokenizerParts) => Promise<Tokenizer> | Tokenizer>([
  ['llama', (parts) => sentencePieceTokenizer(parts, 'bpe')],
  ['t5', (parts) => sentencePieceTokenizer(parts, 'unigram')],
  ['gpt2', byteLevelTokenizer],
  ['gemma4', byteLevelTokenizer],
  ['bert', wordPieceTokenizer],
])

/** Ids that end a reply: those the metadata names as end of text, of turn and of message, and tokens known by their text. Without duplicates, ascending; none without a vocabulary. */
export async function ggufEndTokenIds(metadata: GgufMetadata, options: { readonly path: string }): Promise<readonly number[]> {
  if (WITHOUT_VOCABULARY.has(ggufString(metadata, 'tokenizer.ggml.model') ?? '')) return []
  const vocabulary = await readGgufVocabulary(metadata, options.path)
  const named = ['eos', 'eot', 'eom'].map((name) => ggufTokenId(metadata, { name, vocabulary, fallback: null }))
  const known = [...END_OF_TURN_TEXTS].map((text) => vocabulary.idOf.get(text))
  return [...new Set([...named, ...known].filter((id) => id !== null && id !== undefined))].sort((a, b) => a - b)
}
