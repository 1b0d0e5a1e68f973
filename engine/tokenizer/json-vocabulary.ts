// The vocabulary and the merges of a tokenizer.json, checked: ids in range and unique, merges of tokens that exist.
import { isJsonObject, type JsonObject, type JsonValue } from '../bytes/json'
import { engineError } from '../errors'

/** Four times the largest public vocabulary; ids become array indices. */
export const MAX_VOCABULARY = 1 << 20
/** A BPE vocabulary has at most as many merges as tokens, or a few for each when they were made from pieces. */
const MAX_MERGES = 1 << 22

/** Tokens by id. The array has holes where the file gives an id to no token. */
export interface JsonVocabulary {
  readonly tokens: readonly (string | undefined)[]
  readonly idOf: ReadonlyMap<string, number>
  /** Pieces with their scores by id; empty unless the vocabulary is a list. */
  readonly scored: readonly (readonly [piece: string, score: number])[]
}

/** Reads `model.vocab`. Throws "tokenizer/corrupt-json", "tokenizer/duplicate-id", "tokenizer/limit-exceeded". */
export function readJsonVocabulary(model: JsonObject, path: string): JsonVocabulary {
  const vocab = model['vocab']
  const scored = Array.isArray(vocab) ? unigramEntries(vocab, path) : []
  // Keys and then their values: a million pairs are twice as slow.
  const names = Array.isArray(vocab) ? scored.map(([piece]) => piece) : isJsonObject(vocab) ? Object.keys(vocab) : null
  if (!names) throw engineError('tokenizer/corrupt-json', { path, reason: 'the model has no vocabulary' })
  const tokens: (string | undefined)[] = []
  const idOf = new Map<string, number>()
  for (const [index, token] of names.entries()) {
    const id = isJsonObject(vocab) ? vocab[token] : index
    if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0) {
      throw engineError('tokenizer/corrupt-json', { path, reason: `the id of the token "${token.slice(0, 50)}" is not a whole number` })
    }
    if (id >= MAX_VOCABULARY)
      throw engineError('tokenizer/limit-exceeded', { path, what: 'a token id', found: id, max: MAX_VOCABULARY - 1 })
    const first = tokens[id]
    if (first !== undefined) throw engineError('tokenizer/duplicate-id', { path, id, first, second: token })
    tokens[id] = token
    idOf.set(token, id)
  }
  return { tokens, idOf, scored }
}

function unigramEntries(vocab: readonly JsonValue[], path: string): (readonly [string, number])[] {
  if (vocab.length > MAX_VOCABULARY)
    throw engineError('tokenizer/limit-exceeded', { path, what: 'the number of pieces', found: vocab.length, max: MAX_VOCABULARY })
  return vocab.map((entry, id) => {
    const pair: readonly unknown[] = Array.isArray(entry) ? entry : []
    const [piece, score] = pair
    if (typeof piece !== 'string' || typeof score !== 'number') {
      throw engineError('tokenizer/corrupt-json', { path, reason: `entry ${id} of the vocabulary is not a piece and its score` })
    }
    return [piece, scoreAsRead(score)]
  })
}

/**
 * The score as serde_json, the library's reader of numbers, has it: it rounds the digits and then their power of ten, which is one last place off for a
 * ninth of all scores and decides between paths of equal sums. The shortest digits of a double are those that the file has.
 */
function scoreAsRead(score: number): number {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(score)) ?? []
  const places = Number(exponent) - fraction.length
  // Beyond this a power of ten is no exact double, and no score is that small.
  if (whole === '' || Math.abs(places) > 22) return score
  const digits = Number(whole + fraction)
  const value = places < 0 ? digits / 10 ** -places : digits * 10 ** places
  return sign === '-' ? -value : value
}

/** Reads the merges of a BPE model, each a pair of tokens. Throws "tokenizer/corrupt-json", "tokenizer/limit-exceeded". */
export function readMerges(
  model: JsonObject,
  { vocabulary, path }: { readonly vocabulary: JsonVocabulary; readonly path: string },
): (readonly [string, string])[] {
  const { idOf } = vocabulary
  const merges = model['merges']
  const corrupt = (reason: string) => engineError('tokenizer/corrupt-json', { path, reason })
  if (!Array.isArray(merges)) throw corrupt('the BPE model has no merges')
  if (merges.length > MAX_MERGES)
    throw engineError('tokenizer/limit-exceeded', { path, what: 'the number of merges', found: merges.length, max: MAX_MERGES })
  const prefix = typeof model['continuing_subword_prefix'] === 'string' ? model['continuing_subword_prefix'] : ''
  return merges.map((merge: JsonValue, index) => {
    const pair: readonly unknown[] = typeof merge === 'string' ? merge.split(' ') : Array.isArray(merge) ? merge : []
    const [left, right] = pair
    if (pair.length !== 2 || typeof left !== 'string' || typeof right !== 'string') throw corrupt(`merge ${index} is not a pair of tokens`)
    for (const token of [left, right, left + right.slice(prefix.length)]) {
      if (!idOf.has(token)) throw corrupt(`merge ${index} needs the token "${token.slice(0, 50)}", which the vocabulary lacks`)
    }
    return [left, right]
  })
}
