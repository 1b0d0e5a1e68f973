// WordPiece vocabularies of GGUF ("bert") as a definition in the form of tokenizer.json. The converter writes word starts with U+2581 and drops "##"; this turns it back.
import type { JsonObject } from '../../bytes/json'
import { PIECE_TYPE } from '../sentencepiece-model'
import { createJsonTokenizer } from '../tokenizer-json'
import type { Tokenizer } from '../types'
import { specialTexts } from './special-tokens'
import { ggufFlag, ggufTokenId, type GgufTokenizerParts } from './vocabulary'

/** llama.cpp has no limit on words; a longer one than this is unknown. */
const MAX_WORD = 1000

/** Makes the tokenizer. Begin and separator stand around a text unless the metadata says otherwise. */
export function wordPieceTokenizer(parts: GgufTokenizerParts): Tokenizer {
  const { metadata, vocabulary, path } = parts
  const lowercase = ggufFlag(metadata, 'tokenizer.ggml.normalizer.lowercase', true)
  const idOf = (name: string, fallback: number) => ggufTokenId(metadata, { name, vocabulary, fallback })
  const unkId = idOf('unknown', 100)
  const tokens = vocabulary.tokens.map((token, id) => (isWord(parts, id) ? bertSpelling(token) : token))
  const file: JsonObject = {
    added_tokens: vocabulary.tokens.flatMap((content, id) =>
      isWord(parts, id) ? [] : [{ id, content, special: true, normalized: false }],
    ),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      lowercase,
      strip_accents: ggufFlag(metadata, 'tokenizer.ggml.normalizer.strip_accents', lowercase),
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: null,
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      unk_token: unkId === null ? '[UNK]' : (tokens[unkId] ?? '[UNK]'),
      continuing_subword_prefix: '##',
      max_input_chars_per_word: MAX_WORD,
    },
  }
  const [begin, end] = [idOf('bos', 101) ?? idOf('cls', 101), idOf('seperator', 102)]
  const addsEnd = ggufFlag(metadata, 'tokenizer.ggml.add_sep_token', true)
  return createJsonTokenizer(file, {
    path,
    config: null,
    kind: 'gguf',
    frame: {
      before: ggufFlag(metadata, 'tokenizer.ggml.add_bos_token', true) && begin !== null ? [begin] : [],
      after: addsEnd && end !== null ? [end] : [],
    },
    specialTokens: specialTexts(parts, { bos: 101, unknown: 100, seperator: 102, padding: 0, mask: 103 }),
  })
}

function isWord({ vocabulary }: GgufTokenizerParts, id: number): boolean {
  const type = vocabulary.types[id]
  return type === PIECE_TYPE.normal || type === PIECE_TYPE.userDefined || type === PIECE_TYPE.unused
}

function bertSpelling(token: string): string {
  if (token.startsWith('[') && token.endsWith(']')) return token
  return token.startsWith('\u2581') ? token.slice(1) : `##${token}`
}
