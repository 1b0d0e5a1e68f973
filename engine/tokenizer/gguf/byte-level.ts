// Byte-pair vocabularies of GGUF ("gpt2", and "gemma4" over plain text) as a definition in the form of tokenizer.json.
import type { JsonObject } from '../../bytes/json'
import { engineError } from '../../errors'
import { PIECE_TYPE } from '../sentencepiece-model'
import { createJsonTokenizer } from '../tokenizer-json'
import type { Tokenizer } from '../types'
import { ggufPreTokenizer, type GgufPreTokenizer } from './patterns'
import { specialTexts } from './special-tokens'
import { ggufFlag, ggufString, ggufTexts, ggufTokenId, type GgufTokenizerParts } from './vocabulary'

/** Makes the tokenizer. Throws "tokenizer/unsupported" for a pre-tokenizer without a rule, "tokenizer/corrupt-gguf" where merges are missing. */
export async function byteLevelTokenizer(parts: GgufTokenizerParts): Promise<Tokenizer> {
  const { metadata, vocabulary, path } = parts
  const isGemma = ggufString(metadata, 'tokenizer.ggml.model') === 'gemma4'
  const name = isGemma ? 'gemma4' : ggufString(metadata, 'tokenizer.ggml.pre')
  const rule = ggufPreTokenizer(name)
  if (!rule) throw engineError('tokenizer/unsupported', { path, what: `the GGUF pre-tokenizer "${(name ?? '').slice(0, 50)}"` })
  const merges = await ggufTexts(metadata, { key: 'tokenizer.ggml.merges', path })
  if (!merges) throw engineError('tokenizer/corrupt-gguf', { path, reason: 'it has no merges' })
  const idOf = (token: string, fallback: number | null) => ggufTokenId(metadata, { name: token, vocabulary, fallback })
  const bosId = idOf('bos', 11)
  const eosId = idOf('eos', 11)
  const addsBos = ggufFlag(metadata, 'tokenizer.ggml.add_bos_token', rule.addsBos === true) || isGemma
  const addsEos = ggufFlag(metadata, 'tokenizer.ggml.add_eos_token', false)
  return createJsonTokenizer(definition({ parts, rule, merges }), {
    path,
    config: null,
    kind: 'gguf',
    frame: { before: addsBos && bosId !== null ? [bosId] : [], after: addsEos && eosId !== null ? [eosId] : [] },
    specialTokens: specialTexts(parts, { bos: 11, eos: 11 }),
  })
}

function definition(options: {
  readonly parts: GgufTokenizerParts
  readonly rule: GgufPreTokenizer
  readonly merges: readonly string[]
}): JsonObject {
  const { vocabulary } = options.parts
  const { rule } = options
  const plain = rule.byteEncoded === false
  const cuts = rule.expressions.map((regex) => ({ type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false }))
  return {
    added_tokens: addedTokens(options.parts),
    normalizer: plain ? { type: 'Replace', pattern: { String: ' ' }, content: '\u2581' } : null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: plain ? cuts : [...cuts, { type: 'ByteLevel', add_prefix_space: false, use_regex: false }],
    },
    post_processor: null,
    decoder: plain
      ? {
          type: 'Sequence',
          decoders: [{ type: 'Replace', pattern: { String: '\u2581' }, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' }],
        }
      : { type: 'ByteLevel' },
    model: {
      type: 'BPE',
      // Every token is its own key, `__proto__` too.
      vocab: Object.fromEntries(vocabulary.tokens.map((token, id) => [token, id])),
      merges: options.merges.map(mergePair),
      byte_fallback: plain,
      ignore_merges: rule.ignoreMerges === true,
    },
  }
}

/** The first space that is not the first character parts the two. */
function mergePair(merge: string): readonly string[] {
  const space = merge.indexOf(' ', 1)
  return space === -1 ? [merge] : [merge.slice(0, space), merge.slice(space + 1)]
}

function addedTokens({ vocabulary }: GgufTokenizerParts): JsonObject[] {
  const tokens: JsonObject[] = []
  for (const [id, content] of vocabulary.tokens.entries()) {
    const type = vocabulary.types[id]
    const special = type === PIECE_TYPE.control || type === PIECE_TYPE.unknown
    if (special || type === PIECE_TYPE.userDefined) tokens.push({ id, content, special, normalized: false })
  }
  return tokens
}
