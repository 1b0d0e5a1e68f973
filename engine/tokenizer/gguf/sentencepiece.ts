// SentencePiece vocabularies of GGUF ("llama" is BPE by scores, "t5" Unigram): written as the tokenizer.model they were made from, and segmented by the C++ library. Spaces before words are put as llama.cpp puts them.
import { createProtoWriter } from '../../bytes/protobuf-writer'
import { engineError } from '../../errors'
import { addedToken } from '../tokenizer-config'
import { createSentencePieceTokenizer, type Conventions } from '../sentencepiece'
import { PIECE_TYPE, readSentencePieceModel, type SentencePieceModel } from '../sentencepiece-model'
import { loadSegmenter } from '../sentencepiece-segmenter'
import { buildTokenTable } from '../token-table'
import type { Tokenizer } from '../types'
import { specialTexts } from './special-tokens'
import { ggufFlag, ggufNumbers, ggufTokenId, type GgufTokenizerParts } from './vocabulary'

const SPACE_SYMBOL = '\u2581'

/** Ids that llama.cpp takes where the metadata names none. */
const DEFAULTS = {
  bpe: { bos: 1, eos: 2, unknown: 0, addsBos: true, addsEos: false, addsSpace: true },
  unigram: { bos: null, eos: 1, unknown: 2, addsBos: false, addsEos: true, addsSpace: false },
} as const

/** Makes the tokenizer. Throws "tokenizer/corrupt-gguf", "tokenizer/corrupt-model", "tokenizer/limit-exceeded". */
export async function sentencePieceTokenizer(parts: GgufTokenizerParts, algorithm: 'bpe' | 'unigram'): Promise<Tokenizer> {
  const { metadata, vocabulary, path } = parts
  const defaults = DEFAULTS[algorithm]
  const addsSpace = ggufFlag(metadata, 'tokenizer.ggml.add_space_prefix', defaults.addsSpace)
  const idOf = (name: string, fallback: number | null) => ggufTokenId(metadata, { name, vocabulary, fallback })
  const bytes = await modelBytes(parts, { algorithm, addsSpace, unkId: idOf('unknown', defaults.unknown) })
  const model = readSentencePieceModel(bytes, path)
  const fileTokens = vocabulary.tokens.flatMap((content, id) => {
    const special = model.types[id] === PIECE_TYPE.control || model.types[id] === PIECE_TYPE.unknown
    if (!special && model.types[id] !== PIECE_TYPE.userDefined) return []
    return [{ ...addedToken({ content, special }), normalized: false, id }]
  })
  const table = buildTokenTable({
    path,
    config: null,
    fileTokens,
    defaults: specialTexts(parts, { eos: defaults.eos, unknown: defaults.unknown, ...(defaults.bos !== null && { bos: defaults.bos }) }),
    idOfPiece: (piece) => vocabulary.idOf.get(piece),
    vocabularySize: vocabulary.tokens.length,
  })
  const [bosId, eosId] = [idOf('bos', defaults.bos), idOf('eos', defaults.eos)]
  return createSentencePieceTokenizer({
    path,
    kind: 'gguf',
    model,
    table,
    conventions: await conventionsOf({ path, bytes, model }, { algorithm, addsSpace }),
    begin: ggufFlag(metadata, 'tokenizer.ggml.add_bos_token', defaults.addsBos) && bosId !== null ? [bosId] : [],
    end: ggufFlag(metadata, 'tokenizer.ggml.add_eos_token', defaults.addsEos) && eosId !== null ? [eosId] : [],
    parsesSpecialByDefault: true,
    unknownIsToken: true,
  })
}

/** A space goes before every stretch of text that follows a special token or nothing, also where one stands already. */
async function conventionsOf(
  file: { readonly path: string; readonly bytes: Uint8Array; readonly model: SentencePieceModel },
  options: { readonly algorithm: 'bpe' | 'unigram'; readonly addsSpace: boolean },
): Promise<Conventions> {
  const { algorithm, addsSpace } = options
  const normalize = (text: string) => text
  if (algorithm === 'unigram') {
    const segment = await loadSegmenter(file, { normalization: 'as-file', mergeOrder: 'score' })
    return { leadingSpace: 'sentencepiece', normalize, segment: ({ text }) => segment(text) }
  }
  const segment = await loadSegmenter(file, { normalization: 'none', mergeOrder: 'score' })
  return { leadingSpace: addsSpace ? 'strip-one' : 'keep', normalize, segment: ({ text }) => segment(addsSpace ? ` ${text}` : text) }
}

/** The ModelProto: pieces (1: text 1, score 2, type 3), trainer_spec (2), normalizer_spec (3). */
async function modelBytes(
  { metadata, vocabulary, path }: GgufTokenizerParts,
  options: { readonly algorithm: 'bpe' | 'unigram'; readonly addsSpace: boolean; readonly unkId: number | null },
): Promise<Uint8Array> {
  const { tokens, types } = vocabulary
  const scores = await ggufNumbers(metadata, { key: 'tokenizer.ggml.scores', path })
  if (!scores || scores.length < tokens.length)
    throw engineError('tokenizer/corrupt-gguf', { path, reason: `it has ${tokens.length} tokens, but ${scores?.length ?? 0} scores` })
  const writer = createProtoWriter()
  let hasBytes = false
  for (const [id, token] of tokens.entries()) {
    const written = types[id] ?? PIECE_TYPE.normal
    // The library wants exactly one unknown piece; the special id decides which.
    const type = id === options.unkId ? PIECE_TYPE.unknown : written === PIECE_TYPE.unknown ? PIECE_TYPE.control : written
    if (type === PIECE_TYPE.byte) hasBytes = true
    const piece = createProtoWriter()
    // Symbols of the user's stand in the file with real spaces; the model spells them with its own.
    piece.bytes(1, type === PIECE_TYPE.userDefined ? token.replaceAll(' ', SPACE_SYMBOL) : token)
    piece.float(2, scores[id] ?? 0)
    piece.varint(3, type)
    writer.bytes(1, piece.finish())
  }
  const trainer = createProtoWriter()
  trainer.varint(3, options.algorithm === 'bpe' ? 2 : 1)
  trainer.varint(35, hasBytes ? 1 : 0)
  writer.bytes(2, trainer.finish())
  const normalizer = createProtoWriter()
  const charsmap =
    options.algorithm === 'unigram' ? await ggufNumbers(metadata, { key: 'tokenizer.ggml.precompiled_charsmap', path }) : null
  // The list is of signed bytes in some files.
  if (charsmap && charsmap.length > 0)
    normalizer.bytes(
      2,
      Uint8Array.from(charsmap, (byte) => byte & 0xff),
    )
  normalizer.varint(3, options.addsSpace ? 1 : 0)
  normalizer.varint(4, options.algorithm === 'unigram' && ggufFlag(metadata, 'tokenizer.ggml.remove_extra_whitespaces', false) ? 1 : 0)
  writer.bytes(3, normalizer.finish())
  return writer.finish()
}
