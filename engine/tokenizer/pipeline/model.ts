// The model of a tokenizer.json: the algorithm that turns pieces into ids. Reads the options Hugging Face tokenizers 0.23 writes (models/*/serialization.rs); dropout is for training and is ignored.
import type { JsonObject, JsonValue } from '../../bytes/json'
import { engineError } from '../../errors'
import { readMerges, type JsonVocabulary } from '../json-vocabulary'
import { createBpe, type EncodePiece } from './bpe'
import { createUnigram } from './unigram'
import { createWordLevel, createWordPiece } from './words'

/** Words beyond the limit are unknown; the library's default is 100, and a longer one costs its square in time. */
const MAX_WORD_CHARACTERS = 10_000

/** Makes the encoder of pieces. Throws "tokenizer/unsupported", "tokenizer/corrupt-json", "tokenizer/limit-exceeded". */
export function createModel(model: JsonObject, options: { readonly vocabulary: JsonVocabulary; readonly path: string }): EncodePiece {
  const { vocabulary, path } = options
  const { idOf } = vocabulary
  const unkToken = model['unk_token']
  const unkId = typeof unkToken === 'string' ? (idOf.get(unkToken) ?? null) : null
  switch (typeOfModel(model)) {
    case 'BPE':
      return createBpe({
        idOf,
        merges: readMerges(model, { vocabulary, path }),
        unkId,
        lacksUnk: typeof unkToken === 'string' && unkId === null,
        fuseUnk: model['fuse_unk'] === true,
        byteFallback: model['byte_fallback'] === true,
        ignoreMerges: model['ignore_merges'] === true,
        continuingSubwordPrefix: text(model['continuing_subword_prefix'], ''),
        endOfWordSuffix: text(model['end_of_word_suffix'], ''),
      })
    case 'Unigram':
      return createUnigram({
        pieces: vocabulary.scored,
        unkId: unigramUnkId(model, options),
        byteFallback: model['byte_fallback'] === true,
      })
    case 'WordPiece':
      return createWordPiece({
        idOf,
        unkId: idOf.get(text(unkToken, '[UNK]')) ?? null,
        continuingSubwordPrefix: text(model['continuing_subword_prefix'], '##'),
        maxInputCharsPerWord: maxCharacters(model['max_input_chars_per_word']),
      })
    case 'WordLevel':
      return createWordLevel({ idOf, unkId: idOf.get(text(unkToken, '<unk>')) ?? null })
    default:
      throw engineError('tokenizer/unsupported', { path, what: `the model ${text(model['type'], 'without a type')}` })
  }
}

/** The type; older files leave it out, and the fields say which it is. */
function typeOfModel(model: JsonObject): string | null {
  const type = model['type']
  if (typeof type === 'string') return type
  if (type !== undefined && type !== null) return null
  if (model['merges'] !== undefined) return 'BPE'
  if (Array.isArray(model['vocab'])) return 'Unigram'
  return model['continuing_subword_prefix'] === undefined ? 'WordLevel' : 'WordPiece'
}

function text(value: JsonValue | undefined, fallback: string): string {
  return typeof value === 'string' ? value : fallback
}

function maxCharacters(value: JsonValue | undefined): number {
  return typeof value === 'number' && value >= 0 ? Math.min(value, MAX_WORD_CHARACTERS) : 100
}

function unigramUnkId(
  model: JsonObject,
  { vocabulary, path }: { readonly vocabulary: JsonVocabulary; readonly path: string },
): number | null {
  const id = model['unk_id']
  if (id === undefined || id === null) return null
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0 || id >= vocabulary.tokens.length)
    throw engineError('tokenizer/corrupt-json', { path, reason: 'unk_id is no place in the vocabulary' })
  return id
}
