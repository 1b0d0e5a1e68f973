// A model's tokenizer as GGUF metadata: from tokenizer.model, else from tokenizer.json. Keys and kinds follow the GGUF specification and llama.cpp (convert_hf_to_gguf.py `_set_vocab_sentencepiece`, `_set_vocab_gpt2`).
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isJsonObject, readJsonFile, type JsonObject, type JsonValue } from '../../bytes/json'
import type { GgufEntries, GgufEntryValue } from '../../checkpoint/writers/gguf-entries'
import { EngineError, engineError } from '../../errors'
import { ggufPreTokenizerName } from '../../tokenizer/gguf/patterns'
import { loadTokenizer } from '../../tokenizer/load'
import { MAX_MODEL_FILE_BYTES, PIECE_TYPE, readSentencePieceModel } from '../../tokenizer/sentencepiece-model'
import { readTokenizerConfig } from '../../tokenizer/tokenizer-config'

/** The largest public tokenizer.json files have about 35 MB. */
const MAX_TOKENIZER_JSON_BYTES = 128 * 1024 * 1024
/** Below every score of a real piece. */
const ABSENT_SCORE = -10_000

interface Vocabulary {
  /** 'llama' merges SentencePiece's BPE, 't5' is its Unigram, 'gpt2' BPE over bytes. */
  readonly model: 'llama' | 't5' | 'gpt2'
  readonly pre: string
  readonly tokens: string[]
  readonly scores: number[] | null
  readonly types: number[]
  readonly merges: readonly string[] | null
  readonly addSpacePrefix: boolean | null
  /** Of a Unigram model: what it does to text before it cuts it, and which piece is the unknown one. */
  readonly unigram?: { readonly charsmap: Uint8Array | null; readonly removeExtraWhitespaces: boolean; readonly unkId: number }
}

const refuse = (what: string): Error => engineError('convert/gguf-not-expressible', { what })

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() === true
}

async function sentencePieceVocabulary(path: string): Promise<Vocabulary> {
  const { size } = await stat(path)
  if (size > MAX_MODEL_FILE_BYTES) throw engineError('bytes/file-too-large', { path, sizeBytes: size, maxBytes: MAX_MODEL_FILE_BYTES })
  const model = readSentencePieceModel(await readFile(path), path)
  const { normalizer, unkId } = model
  const { charsmap, removeExtraWhitespaces } = normalizer
  if (model.algorithm === 'word' || model.algorithm === 'char') throw refuse(`a SentencePiece vocabulary of the kind "${model.algorithm}"`)
  if (model.whitespaceAsSuffix) throw refuse('a SentencePiece vocabulary whose spaces end words')
  return {
    model: model.algorithm === 'bpe' ? 'llama' : 't5',
    pre: 'default',
    tokens: [...model.pieces],
    scores: [...model.scores],
    types: [...model.types],
    merges: null,
    addSpacePrefix: normalizer.addDummyPrefix,
    ...(model.algorithm === 'unigram' && { unigram: { charsmap, removeExtraWhitespaces, unkId } }),
  }
}

function list(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [] // Array.isArray leaves any[]
}

/** Expressions that a pre-tokenizer cuts with, in llama.cpp's terms; null for parts that have none. */
function cutExpressions(json: JsonValue | undefined): readonly string[] | null {
  if (!isJsonObject(json)) return null
  if (json['type'] === 'Sequence') {
    const parts = list(json['pretokenizers']).map(cutExpressions)
    return parts.every((part) => part !== null) ? parts.flat() : null
  }
  if (json['type'] === 'ByteLevel') return json['use_regex'] === false ? [] : ['gpt-2']
  if (json['type'] === 'Digits') return json['individual_digits'] === true ? ['\\p{N}'] : null
  const pattern = json['pattern']
  if (json['type'] !== 'Split' || !isJsonObject(pattern)) return null
  const expression = pattern['Regex']
  return typeof expression === 'string' ? [expression] : null
}

function mergeTexts(model: JsonObject): readonly string[] {
  return list(model['merges']).map((merge) => (typeof merge === 'string' ? merge : list(merge).map(String).join(' ')))
}

function readTokens(model: JsonObject): { readonly tokens: string[]; readonly types: number[] } {
  const vocabulary = model['vocab']
  if (!isJsonObject(vocabulary)) throw refuse('a tokenizer without a vocabulary')
  const tokens: string[] = []
  const types: number[] = []
  for (const [token, id] of Object.entries(vocabulary)) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > Object.keys(vocabulary).length * 2)
      throw refuse('a vocabulary with gaps')
    tokens[id] = token
    types[id] = PIECE_TYPE.normal
  }
  return { tokens, types }
}

async function jsonVocabulary(path: string): Promise<Vocabulary> {
  const json = await readJsonFile(path, { maxBytes: MAX_TOKENIZER_JSON_BYTES })
  const model = isJsonObject(json) ? json['model'] : undefined
  if (!isJsonObject(json) || !isJsonObject(model) || (model['type'] ?? 'BPE') !== 'BPE') throw refuse('a tokenizer.json that is no BPE')
  const { tokens, types } = readTokens(model)
  for (const added of list(json['added_tokens'])) {
    if (!isJsonObject(added) || typeof added['id'] !== 'number' || typeof added['content'] !== 'string') continue
    tokens[added['id']] = added['content']
    types[added['id']] = added['special'] === true ? PIECE_TYPE.control : PIECE_TYPE.userDefined
  }
  const expressions = cutExpressions(json['pre_tokenizer'])
  if (expressions !== null) {
    const pre = ggufPreTokenizerName(expressions, { ignoreMerges: model['ignore_merges'] === true })
    if (pre === null) throw refuse('this pre-tokenizer')
    return { model: 'gpt2', pre, tokens, scores: null, types, merges: mergeTexts(model), addSpacePrefix: null }
  }
  if (model['byte_fallback'] !== true) throw refuse('this pre-tokenizer')
  // A SentencePiece vocabulary in another coat: merges in the order of their ids, bytes as pieces.
  tokens.forEach((token, id) => {
    if (/^<0x[0-9A-F]{2}>$/.test(token)) types[id] = PIECE_TYPE.byte
    else if (token === model['unk_token']) types[id] = PIECE_TYPE.unknown
  })
  return { model: 'llama', pre: 'default', tokens, scores: tokens.map((_, id) => -id), types, merges: null, addSpacePrefix: true }
}

/** Ids that the vocabulary lacks, up to the model's, and tokens that stand beside tokenizer.model. */
function filledUp(
  vocabulary: Vocabulary,
  options: { readonly vocabSize: number; readonly added: ReadonlyMap<number, { readonly content: string; readonly special: boolean }> },
): Vocabulary {
  const { vocabSize, added } = options
  const count = Math.max(vocabSize, vocabulary.tokens.length)
  const ids = Array.from({ length: count }, (_, id) => id)
  const extra = (id: number) => added.get(id)
  const isKnown = (id: number): boolean => vocabulary.tokens[id] !== undefined
  const typeOf = (id: number): number => {
    if (isKnown(id)) return vocabulary.types[id] ?? PIECE_TYPE.normal
    return extra(id) ? (extra(id)?.special === true ? PIECE_TYPE.control : PIECE_TYPE.userDefined) : PIECE_TYPE.unused
  }
  return {
    ...vocabulary,
    tokens: ids.map((id) => vocabulary.tokens[id] ?? extra(id)?.content ?? `[PAD${id}]`),
    types: ids.map(typeOf),
    scores: vocabulary.scores && ids.map((id) => vocabulary.scores?.[id] ?? ABSENT_SCORE),
  }
}

async function chatTemplate(folder: string, configured: JsonValue | undefined): Promise<string | null> {
  const path = join(folder, 'chat_template.jinja')
  if (await exists(path)) return readFile(path, 'utf8')
  if (typeof configured === 'string') return configured
  const named = list(configured).find((each) => isJsonObject(each) && each['name'] === 'default')
  return isJsonObject(named) && typeof named['template'] === 'string' ? named['template'] : null
}

/** Ids and switches as the tokenizer itself has them; nothing where it cannot be read. */
async function specialEntries(folder: string): Promise<GgufEntries> {
  try {
    const tokenizer = await loadTokenizer(folder)
    const { bosTokenId, eosTokenId } = tokenizer
    const ids = tokenizer.encode('a', { addSpecial: true, parseSpecial: false })
    const flag = (value: boolean): GgufEntryValue => ({ type: 'bool', value })
    const id = (name: string, value: number | null): GgufEntries =>
      value === null ? [] : [[`tokenizer.ggml.${name}_token_id`, { type: 'u32', value }]]
    return [
      ...id('bos', bosTokenId),
      ...id('eos', eosTokenId),
      ['tokenizer.ggml.add_bos_token', flag(bosTokenId !== null && ids[0] === bosTokenId)],
      ['tokenizer.ggml.add_eos_token', flag(eosTokenId !== null && ids.length > 1 && ids.at(-1) === eosTokenId)],
    ]
  } catch (cause) {
    if (cause instanceof EngineError) return []
    throw cause
  }
}

function unigramEntries(unigram: Vocabulary['unigram']): GgufEntries {
  if (unigram === undefined) return []
  const { charsmap, removeExtraWhitespaces, unkId } = unigram
  return [
    ['tokenizer.ggml.remove_extra_whitespaces', { type: 'bool', value: removeExtraWhitespaces }],
    ['tokenizer.ggml.unknown_token_id', { type: 'u32', value: unkId }],
    ...(charsmap ? ([['tokenizer.ggml.precompiled_charsmap', { type: 'u8s', values: charsmap }]] satisfies GgufEntries) : []),
  ]
}

function vocabularyEntries({ model, pre, tokens, scores, types, merges, addSpacePrefix, unigram }: Vocabulary): GgufEntries {
  return [
    ['tokenizer.ggml.model', { type: 'string', value: model }],
    ['tokenizer.ggml.pre', { type: 'string', value: pre }],
    ['tokenizer.ggml.tokens', { type: 'strings', values: tokens }],
    ...(scores ? ([['tokenizer.ggml.scores', { type: 'f32s', values: scores }]] satisfies GgufEntries) : []),
    ['tokenizer.ggml.token_type', { type: 'i32s', values: types }],
    ...(merges ? ([['tokenizer.ggml.merges', { type: 'strings', values: merges }]] satisfies GgufEntries) : []),
    ...(addSpacePrefix === null
      ? []
      : ([['tokenizer.ggml.add_space_prefix', { type: 'bool', value: addSpacePrefix }]] satisfies GgufEntries)),
    ...unigramEntries(unigram),
  ]
}

/**
 * The tokenizer beside a model; a folder without one gives a file without vocabulary, which llama.cpp runs on ids alone.
 * Throws "convert/gguf-not-expressible" for kinds that llama.cpp does not have, and what the readers of broken files throw.
 */
export async function tokenizerEntries(folder: string, options: { readonly vocabSize: number }): Promise<GgufEntries> {
  const [piecePath, jsonPath] = [join(folder, 'tokenizer.model'), join(folder, 'tokenizer.json')]
  const hasPieces = await exists(piecePath)
  if (!hasPieces && !(await exists(jsonPath))) return [['tokenizer.ggml.model', { type: 'string', value: 'no_vocab' }]]
  const config = await readTokenizerConfig(folder)
  const vocabulary = hasPieces ? await sentencePieceVocabulary(piecePath) : await jsonVocabulary(jsonPath)
  const added = new Map<number, { readonly content: string; readonly special: boolean }>(config?.addedTokens ?? [])
  const template = await chatTemplate(folder, config?.chatTemplate)
  return [
    ...vocabularyEntries(filledUp(vocabulary, { ...options, added })),
    ...(await specialEntries(folder)),
    ...(template === null ? [] : ([['tokenizer.chat_template', { type: 'string', value: template }]] satisfies GgufEntries)),
  ]
}
