// A Tokenizer from a tokenizer.model: alone as the C++ library 0.2 works, with a tokenizer_config.json as Transformers 5.18 converts it.
import { openRandomAccessFile } from '../bytes/random-access-file'
import { engineError } from '../errors'
import { createSplitter, type NumberedToken } from './added-tokens'
import { decodeWith } from './decode'
import { createSentencePieceDecoder, type LeadingSpace } from './sentencepiece-decoder'
import { MAX_MODEL_FILE_BYTES, PIECE_TYPE, readSentencePieceModel, type SentencePieceModel } from './sentencepiece-model'
import { loadSegmenter, type ModelFile } from './sentencepiece-segmenter'
import { buildTokenTable, type TokenTable } from './token-table'
import { addedToken, type TokenizerConfig } from './tokenizer-config'
import type { Tokenizer } from './types'
import { inputText } from './input-text'

const SPACE_SYMBOL = '\u2581'

/** Ids of a stretch of text that lies between added tokens. */
type SegmentPart = (part: { readonly text: string; readonly atStart: boolean }) => number[]

/** How a tokenizer class treats spaces at the borders of a text. */
export interface Conventions {
  /** What happens to a text before added tokens marked `normalized` are looked for. */
  readonly normalize: (text: string) => string
  readonly segment: SegmentPart
  readonly leadingSpace: LeadingSpace
}

/**
 * Loads the tokenizer.model at `path`; `config` is null when it stands alone.
 * Throws "tokenizer/corrupt-model", "tokenizer/limit-exceeded", "tokenizer/unsupported", "tokenizer/duplicate-id", "bytes/file-too-large".
 */
export async function loadSentencePiece(path: string, config: TokenizerConfig | null): Promise<Tokenizer> {
  const bytes = await readModelFile(path)
  const model = readSentencePieceModel(bytes, path)
  const file = { path, bytes, model }
  const conventions = config ? await transformersConventions(file, config) : await libraryConventions(file)
  const table = buildTokenTable({
    path,
    config,
    fileTokens: config?.extraTokens ? [] : fileTokens(model, { userDefined: config !== null }),
    defaults: config?.tokenizerClass === 'llama' ? { bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>' } : namedPieces(model),
    idOfPiece: (piece) => model.idOfPiece.get(piece),
    vocabularySize: model.pieces.length,
  })
  const [bosId, eosId] = [idOfNamed(table, 'bos_token'), idOfNamed(table, 'eos_token')]
  return createSentencePieceTokenizer({
    path,
    kind: `sentencepiece-${model.algorithm}`,
    model,
    table,
    conventions,
    begin: (config ? config.addBosToken : true) && bosId !== null ? [bosId] : [],
    end: config?.addEosToken && eosId !== null ? [eosId] : [],
    parsesSpecialByDefault: config !== null,
    unknownIsToken: config !== null,
  })
}

async function readModelFile(path: string): Promise<Uint8Array> {
  using file = await openRandomAccessFile(path)
  if (file.sizeBytes > MAX_MODEL_FILE_BYTES) {
    throw engineError('bytes/file-too-large', { path, sizeBytes: file.sizeBytes, maxBytes: MAX_MODEL_FILE_BYTES })
  }
  return await file.read({ offsetBytes: 0, sizeBytes: file.sizeBytes })
}

/** The library's own ways: a dummy prefix before the text, none after a special token. */
async function libraryConventions(file: ModelFile): Promise<Conventions> {
  const { addDummyPrefix, removeExtraWhitespaces, hasCharsmap } = file.model.normalizer
  const common = { leadingSpace: 'sentencepiece', normalize: unchanged } as const
  if (!addDummyPrefix) {
    const segment = await loadSegmenter(file, { normalization: 'as-file', mergeOrder: 'score' })
    return { ...common, segment: ({ text }) => segment(text) }
  }
  if (!hasCharsmap && !removeExtraWhitespaces && !file.model.whitespaceAsSuffix) {
    // Nothing but the prefix changes the text, so one instance serves both places.
    const segment = await loadSegmenter(file, { normalization: 'none', mergeOrder: 'score' })
    return { ...common, segment: ({ text, atStart }) => segment(atStart ? ` ${text}` : text) }
  }
  const first = await loadSegmenter(file, { normalization: 'as-file', mergeOrder: 'score' })
  const later = await loadSegmenter(file, { normalization: 'no-dummy-prefix', mergeOrder: 'score' })
  return { ...common, segment: ({ text, atStart }) => (atStart ? first(text) : later(text)) }
}

/** What Transformers makes of the file: LlamaTokenizer puts a space before words by its `legacy` rule, the others put none. */
async function transformersConventions(file: ModelFile, config: TokenizerConfig): Promise<Conventions> {
  const mergeOrder = file.model.algorithm === 'bpe' ? 'id' : 'score'
  if (config.tokenizerClass === 'files') {
    const segment = await loadSegmenter(file, { normalization: 'charsmap-only', mergeOrder }, 'double')
    return { leadingSpace: 'keep', normalize: (text) => text.replaceAll(' ', SPACE_SYMBOL), segment: ({ text }) => segment(text) }
  }
  const segment = await loadSegmenter(file, { normalization: 'none', mergeOrder }, 'double')
  if (!config.addPrefixSpace) return { leadingSpace: 'keep', normalize: unchanged, segment: ({ text }) => segment(text) }
  const always = config.legacy && config.tokenizerClass === 'llama'
  return {
    leadingSpace: 'strip-one',
    normalize: unchanged,
    segment: ({ text, atStart }) => segment(always || atStart ? withSpace(text) : text),
  }
}

function unchanged(text: string): string {
  return text
}

/** Metaspace adds no second space where the text begins with one. */
function withSpace(text: string): string {
  return text.startsWith(' ') || text.startsWith(SPACE_SYMBOL) ? text : ` ${text}`
}

/** Control pieces, and the symbols a user defined where Transformers cuts them out; the library finds those itself. */
function fileTokens(model: SentencePieceModel, options: { readonly userDefined: boolean }): NumberedToken[] {
  const tokens: NumberedToken[] = []
  for (const [id, content] of model.pieces.entries()) {
    const type = model.types[id]
    if (type !== PIECE_TYPE.control && !(type === PIECE_TYPE.userDefined && options.userDefined)) continue
    tokens.push({ ...addedToken({ content, special: type === PIECE_TYPE.control }), normalized: false, id })
  }
  return tokens
}

function namedPieces(model: SentencePieceModel): Record<string, string> {
  const names: Record<string, string> = {}
  const name = (key: string, id: number | null) => {
    const piece = id === null ? undefined : model.pieces[id]
    if (piece !== undefined) names[key] = piece
  }
  name('bos_token', model.bosId)
  name('eos_token', model.eosId)
  name('unk_token', model.unkId)
  return names
}

/** What a tokenizer over a SentencePiece model consists of. */
export interface SentencePieceParts {
  readonly path: string
  readonly kind: Tokenizer['source']['kind']
  readonly model: SentencePieceModel
  readonly table: TokenTable
  readonly conventions: Conventions
  /** Ids around a text. */
  readonly begin: readonly number[]
  readonly end: readonly number[]
  readonly parsesSpecialByDefault: boolean
  /** The unknown piece decodes as its text; otherwise as the library writes it. */
  readonly unknownIsToken: boolean
}

/** Puts the tokenizer together. */
export function createSentencePieceTokenizer(parts: SentencePieceParts): Tokenizer {
  const { path, kind, model, table, conventions, begin, end, parsesSpecialByDefault, unknownIsToken } = parts
  const split = createSplitter({ tokens: table.tokens, normalize: conventions.normalize, path })

  const surfaceOfToken = (skipSpecial: boolean) => (id: number) => {
    const token = table.byId.get(id)
    if (!token || (!unknownIsToken && model.types[id] === PIECE_TYPE.unknown)) return null
    return token.special && skipSpecial ? '' : token.content.replaceAll(SPACE_SYMBOL, ' ')
  }

  const streamDecoder: Tokenizer['streamDecoder'] = ({ skipSpecial }) =>
    createSentencePieceDecoder({ model, surfaceOfToken: surfaceOfToken(skipSpecial), leadingSpace: conventions.leadingSpace })

  return {
    source: { file: path, kind },
    vocabSize: table.size,
    bosTokenId: idOfNamed(table, 'bos_token'),
    eosTokenId: idOfNamed(table, 'eos_token'),
    specialTokens: table.named,
    parsesSpecialByDefault,
    encode: (text, { addSpecial, parseSpecial }) => {
      const ids: number[] = addSpecial ? [...begin] : []
      for (const part of split(inputText(text), { parseSpecial })) {
        if (part.kind === 'token') ids.push(part.id)
        else for (const id of conventions.segment(part)) ids.push(id)
      }
      if (addSpecial) ids.push(...end)
      return ids
    },
    decode: (ids, options) => decodeWith(streamDecoder(options), ids),
    streamDecoder,
    piece: (id) => table.byId.get(id)?.content ?? model.pieces[id] ?? null,
    isSpecial: (id) => table.byId.get(id)?.special ?? model.types[id] === PIECE_TYPE.control,
  }
}

function idOfNamed(table: TokenTable, name: string): number | null {
  const content = table.named[name]
  return content === undefined ? null : (table.idOf(content) ?? null)
}
