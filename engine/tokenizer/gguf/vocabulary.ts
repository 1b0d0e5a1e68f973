// The vocabulary of a GGUF file: tokens, scores, kinds, merges and special ids, checked. Follows the keys `tokenizer.ggml.*` of the GGUF specification and how llama.cpp (src/llama-vocab.cpp) reads them.
import { readGgufArray } from '../../checkpoint/gguf/array'
import { ggufInteger } from '../../checkpoint/gguf/header'
import type { GgufArray, GgufScalar, GgufValue } from '../../checkpoint/gguf/values'
import { engineError } from '../../errors'
import { MAX_VOCABULARY } from '../json-vocabulary'
import { PIECE_TYPE } from '../sentencepiece-model'

/** The metadata of a GGUF header. */
export type GgufMetadata = ReadonlyMap<string, GgufValue>

/** What every kind of vocabulary has. `types[id]` is one of PIECE_TYPE. */
export interface GgufVocabulary {
  readonly tokens: readonly string[]
  readonly types: Uint8Array
  readonly idOf: ReadonlyMap<string, number>
}

/** The parts a vocabulary is made of. */
export interface GgufTokenizerParts {
  readonly metadata: GgufMetadata
  readonly vocabulary: GgufVocabulary
  /** The GGUF file, for messages and for `source`. */
  readonly path: string
}

/** Texts that end a turn. Converters have written them as ordinary tokens, so llama.cpp makes them control tokens by their text. */
export const END_OF_TURN_TEXTS: ReadonlySet<string> = new Set([
  '<|eot_id|>',
  '<|im_end|>',
  '<|end|>',
  '<end_of_turn>',
  '<|endoftext|>',
  '<|end_of_text|>',
  '<EOT>',
  '_<EOT>',
  '[EOT]',
  '<\uff5cend\u2581of\u2581sentence\uff5c>',
  '<end_of_utterance>',
  '<|eom_id|>',
])

/** The array under `key`, or null. Throws "tokenizer/corrupt-gguf" for anything but an array. */
function arrayOf(metadata: GgufMetadata, options: { readonly key: string; readonly path: string }): GgufArray | null {
  const value = metadata.get(options.key)
  if (value === undefined) return null
  if (value.type === 'array') return value
  throw engineError('tokenizer/corrupt-gguf', { path: options.path, reason: `${options.key} is not a list` })
}

/** All texts of a list; null where there is none. Throws "tokenizer/corrupt-gguf" for other elements. */
export async function ggufTexts(
  metadata: GgufMetadata,
  options: { readonly key: string; readonly path: string },
): Promise<readonly string[] | null> {
  const array = arrayOf(metadata, options)
  if (!array) return null
  if (array.elementType !== 'string')
    throw engineError('tokenizer/corrupt-gguf', { path: options.path, reason: `${options.key} is not a list of texts` })
  return (await readGgufArray(array)).map(String)
}

/** All numbers of a list; null where there is none. Throws "tokenizer/corrupt-gguf" for other elements. */
export async function ggufNumbers(
  metadata: GgufMetadata,
  options: { readonly key: string; readonly path: string },
): Promise<readonly number[] | null> {
  const array = arrayOf(metadata, options)
  if (!array) return null
  const isNumber = (value: GgufScalar) => typeof value === 'number'
  const values = await readGgufArray(array)
  if (!values.every(isNumber))
    throw engineError('tokenizer/corrupt-gguf', { path: options.path, reason: `${options.key} is not a list of numbers` })
  return values.map(Number)
}

/** The text under `key`, or null. */
export function ggufString(metadata: GgufMetadata, key: string): string | null {
  const value = metadata.get(key)
  return value?.type === 'string' ? value.value : null
}

/** The flag under `key`, or `fallback`. */
export function ggufFlag(metadata: GgufMetadata, key: string, fallback: boolean): boolean {
  const value = metadata.get(key)
  return value?.type === 'bool' ? value.value : fallback
}

/** The id under `tokenizer.ggml.<name>_token_id`; out of the vocabulary, or absent, `fallback` if that is inside of it. */
export function ggufTokenId(
  metadata: GgufMetadata,
  options: { readonly name: string; readonly vocabulary: GgufVocabulary; readonly fallback: number | null },
): number | null {
  const { name, vocabulary, fallback } = options
  const inside = (id: number | null) => (id !== null && id >= 0 && id < vocabulary.tokens.length ? id : null)
  return inside(ggufInteger(metadata, `tokenizer.ggml.${name}_token_id`)) ?? inside(fallback)
}

/** Reads tokens and kinds. Throws "tokenizer/corrupt-gguf", "tokenizer/limit-exceeded". */
export async function readGgufVocabulary(metadata: GgufMetadata, path: string): Promise<GgufVocabulary> {
  const corrupt = (reason: string) => engineError('tokenizer/corrupt-gguf', { path, reason })
  const count = arrayOf(metadata, { key: 'tokenizer.ggml.tokens', path })?.count ?? 0
  if (count > MAX_VOCABULARY)
    throw engineError('tokenizer/limit-exceeded', { path, what: 'the number of tokens', found: count, max: MAX_VOCABULARY })
  const written = await ggufTexts(metadata, { key: 'tokenizer.ggml.tokens', path })
  if (!written || written.length === 0) throw corrupt('it has no tokens')
  const kinds = await ggufNumbers(metadata, { key: 'tokenizer.ggml.token_type', path })
  if (kinds && kinds.length < written.length) throw corrupt(`it has ${written.length} tokens, but kinds of only ${kinds.length}`)
  // llama.cpp gives empty tokens a name, so that ids stay what they are.
  const tokens = written.map((token, id) => (token === '' ? `[EMPTY_${id}]` : token))
  const idOf = new Map<string, number>()
  const types = new Uint8Array(tokens.length)
  for (const [id, token] of tokens.entries()) {
    const first = idOf.get(token)
    if (first !== undefined) throw corrupt(`tokens ${first} and ${id} are both "${token.slice(0, 100)}"`)
    idOf.set(token, id)
    const kind = kinds?.[id] ?? PIECE_TYPE.normal
    const known = kind >= PIECE_TYPE.normal && kind <= PIECE_TYPE.byte ? kind : PIECE_TYPE.normal
    types[id] = END_OF_TURN_TEXTS.has(token) ? PIECE_TYPE.control : known
  }
  return { tokens, types, idOf }
}
