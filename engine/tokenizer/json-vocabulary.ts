// Checks the vocabulary of a tokenizer.json before the package builds tables from it: ids in range and unique, merges that exist.
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
}

/** Reads `model.vocab` and checks `model.merges`. Throws "tokenizer/corrupt-json", "tokenizer/duplicate-id", "tokenizer/limit-exceeded". */
export function readJsonVocabulary(model: JsonObject, path: string): JsonVocabulary {
  const vocab = model['vocab']
  const entries = Array.isArray(vocab) ? unigramEntries(vocab, path) : isJsonObject(vocab) ? Object.entries(vocab) : null
  if (!entries) throw engineError('tokenizer/corrupt-json', { path, reason: 'the model has no vocabulary' })
  const tokens: (string | undefined)[] = []
  const idOf = new Map<string, number>()
  for (const [token, id] of entries) {
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
  if (model['type'] === 'BPE') checkMerges(model, { idOf, path })
  return { tokens, idOf }
}

function unigramEntries(vocab: readonly JsonValue[], path: string): [string, number][] {
  return vocab.map((entry, id) => {
    const pair: readonly unknown[] = Array.isArray(entry) ? entry : []
    const [piece, score] = pair
    if (typeof piece !== 'string' || typeof score !== 'number') {
      throw engineError('tokenizer/corrupt-json', { path, reason: `entry ${id} of the vocabulary is not a piece and its score` })
    }
    return [piece, id]
  })
}

function checkMerges(model: JsonObject, { idOf, path }: { readonly idOf: ReadonlyMap<string, number>; readonly path: string }): void {
  const merges = model['merges']
  const corrupt = (reason: string) => engineError('tokenizer/corrupt-json', { path, reason })
  if (!Array.isArray(merges)) throw corrupt('the BPE model has no merges')
  if (merges.length > MAX_MERGES)
    throw engineError('tokenizer/limit-exceeded', { path, what: 'the number of merges', found: merges.length, max: MAX_MERGES })
  const prefix = typeof model['continuing_subword_prefix'] === 'string' ? model['continuing_subword_prefix'] : ''
  if (prefix !== '') throw engineError('tokenizer/unsupported', { path, what: 'a BPE model with a continuing subword prefix' })
  for (const [index, merge] of merges.entries()) {
    const pair: readonly unknown[] = typeof merge === 'string' ? merge.split(' ') : Array.isArray(merge) ? merge : []
    if (pair.length !== 2) throw corrupt(`merge ${index} is not a pair of tokens`)
    const [left, right] = pair
    if (typeof left !== 'string' || typeof right !== 'string' || !idOf.has(left + right))
      throw corrupt(`merge ${index} makes a token that the vocabulary lacks`)
  }
}
