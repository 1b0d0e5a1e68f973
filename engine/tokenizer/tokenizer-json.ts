// A Tokenizer from a tokenizer.json: @huggingface/tokenizers 0.2.0 normalizes, cuts and merges; added tokens, special tokens and decoding are done here.
import { Tokenizer as Pipeline } from '@huggingface/tokenizers'
import { isJsonObject, readJsonFile, type JsonObject, type JsonValue } from '../bytes/json'
import { engineError } from '../errors'
import { createSplitter, type NumberedToken, type TextPart } from './added-tokens'
import { decodeWith } from './decode'
import { inputText } from './input-text'
import { createDecoder, type DecoderFactory } from './json-decoder'
import { readPostProcessor } from './json-post-processor'
import { rewriteNormalizer, rewritePreTokenizer } from './json-rewrites'
import { readJsonVocabulary, type JsonVocabulary } from './json-vocabulary'
import { buildTokenTable } from './token-table'
import { MAX_ADDED_TOKENS, readAddedToken, type TokenizerConfig } from './tokenizer-config'
import type { Tokenizer } from './types'

/** The largest public file has 35 MB. */
export const MAX_TOKENIZER_JSON_BYTES = 128 * 1024 * 1024

const MODELS: ReadonlySet<string> = new Set(['BPE', 'Unigram', 'WordPiece'])

/**
 * Loads the tokenizer.json at `path` with the configuration beside it, if any.
 * Throws "tokenizer/corrupt-json", "tokenizer/duplicate-id", "tokenizer/limit-exceeded", "tokenizer/unsupported" and what readJsonFile throws.
 */
export async function loadTokenizerJson(path: string, config: TokenizerConfig | null): Promise<Tokenizer> {
  const read = await readJsonFile(path, { maxBytes: MAX_TOKENIZER_JSON_BYTES })
  if (!isJsonObject(read)) throw engineError('tokenizer/corrupt-json', { path, reason: 'it holds no JSON object' })
  const model = read['model']
  if (!isJsonObject(model)) throw engineError('tokenizer/corrupt-json', { path, reason: 'it has no model' })
  const file = config ? asTransformersRebuilds(read, config) : read
  const vocabulary = readJsonVocabulary(model, path)
  const table = buildTokenTable({
    path,
    config,
    fileTokens: readFileTokens(read['added_tokens'], path),
    defaults: {},
    idOfPiece: (piece) => vocabulary.idOf.get(piece),
    vocabularySize: vocabulary.tokens.length,
  })
  const { encodePart, normalize } = createPipeline({ file, vocabulary, path })
  const split = createSplitter({ tokens: table.tokens, normalize })
  const frame = readPostProcessor(file['post_processor'], path)
  const createSteps = createDecoder(file['decoder'], path)
  const tokenText = (id: number) => table.byId.get(id)?.content ?? vocabulary.tokens[id] ?? null
  const isSpecial = (id: number) => table.byId.get(id)?.special ?? false
  const streamDecoder: Tokenizer['streamDecoder'] = ({ skipSpecial }) =>
    stepsToStream(createSteps, (id) => (skipSpecial && isSpecial(id) ? null : tokenText(id)))
  const namedId = (name: string): number | null => {
    const content = table.named[name]
    return content === undefined ? null : (table.idOf(content) ?? null)
  }

  return {
    source: { file: path, kind: 'tokenizer-json' },
    vocabSize: table.size,
    bosTokenId: namedId('bos_token'),
    eosTokenId: namedId('eos_token'),
    specialTokens: table.named,
    parsesSpecialByDefault: true,
    encode: (text, { addSpecial, parseSpecial }) => {
      const ids: number[] = addSpecial ? [...frame.before] : []
      for (const part of split(inputText(text), { parseSpecial })) {
        if (part.kind === 'token') ids.push(part.id)
        else for (const id of encodePart(part)) ids.push(id)
      }
      if (addSpecial) ids.push(...frame.after)
      return ids
    },
    decode: (ids, options) => decodeWith(streamDecoder(options), ids),
    streamDecoder,
    piece: tokenText,
    isSpecial,
  }
}

/** Transformers 5.18 takes vocabulary and merges of a Llama tokenizer from the file and builds the rest anew, by the `legacy` rule. */
function asTransformersRebuilds(file: JsonObject, config: TokenizerConfig): JsonObject {
  const model = file['model']
  if (config.tokenizerClass === 'files' || !isJsonObject(model) || model['type'] !== 'BPE') return file
  const always = config.legacy && config.tokenizerClass === 'llama'
  const scheme = config.addPrefixSpace ? (always ? 'always' : 'first') : 'never'
  const strip: JsonObject[] = config.addPrefixSpace ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []
  return {
    ...file,
    model: { ...model, unk_token: null, fuse_unk: true, byte_fallback: true, ignore_merges: false },
    normalizer: null,
    pre_tokenizer: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: scheme, split: false },
    decoder: {
      type: 'Sequence',
      decoders: [{ type: 'Replace', pattern: { String: '\u2581' }, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' }, ...strip],
    },
  }
}

function readFileTokens(value: JsonValue | undefined, path: string): NumberedToken[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw engineError('tokenizer/corrupt-json', { path, reason: 'added_tokens is not a list' })
  if (value.length > MAX_ADDED_TOKENS) {
    throw engineError('tokenizer/limit-exceeded', { path, what: 'the number of added tokens', found: value.length, max: MAX_ADDED_TOKENS })
  }
  return value.map((entry: JsonValue) => {
    const token = readAddedToken(entry, { special: false })
    const id = isJsonObject(entry) ? entry['id'] : undefined
    if (!token || typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0) {
      throw engineError('tokenizer/corrupt-json', { path, reason: 'an added token is not a text with an id' })
    }
    return { ...token, id }
  })
}

interface PipelineParts {
  readonly normalize: (text: string) => string
  /** Ids of a normalized text between added tokens. */
  readonly encodePart: (part: TextPart & { kind: 'text' }) => number[]
}

function createPipeline(parts: { readonly file: JsonObject; readonly vocabulary: JsonVocabulary; readonly path: string }): PipelineParts {
  const { file, vocabulary, path } = parts
  const model = file['model']
  const type = isJsonObject(model) ? model['type'] : undefined
  if (!isJsonObject(model) || typeof type !== 'string' || !MODELS.has(type)) {
    throw engineError('tokenizer/unsupported', { path, what: `the model ${typeof type === 'string' ? type : 'without a type'}` })
  }
  const definition = {
    model,
    normalizer: rewriteNormalizer(file['normalizer'], path),
    pre_tokenizer: rewritePreTokenizer(file['pre_tokenizer'], path),
    post_processor: null,
    decoder: null,
    // Added tokens are found before the package sees the text.
    added_tokens: [],
  }
  const pipeline = build(definition, path)
  const fallsBackToBytes = type === 'Unigram' && model['byte_fallback'] === true
  const unkId = unknownId(model, vocabulary)

  const idsOf = (token: string): readonly number[] => {
    const id = vocabulary.idOf.get(token)
    if (id !== undefined) return [id]
    if (fallsBackToBytes) {
      const bytes = Array.from(new TextEncoder().encode(token), (byte) =>
        vocabulary.idOf.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
      )
      if (bytes.every((byte) => byte !== undefined)) return bytes
    }
    return unkId === null ? [] : [unkId]
  }
  return {
    normalize: (text) => pipeline.normalizer?.normalize(text) ?? text,
    encodePart: ({ text, atStart }) => {
      try {
        // The package's Metaspace puts its space in front of section 0 only, when it does so for the first part.
        const words = pipeline.pre_tokenizer?.pre_tokenize(text, { section_index: atStart ? 0 : 1 }) ?? [text]
        return (pipeline.model?._call(words.filter((word) => word !== '')) ?? []).flatMap(idsOf)
      } catch (cause) {
        throw engineError('tokenizer/segmentation-failed', { path, reason: cause instanceof Error ? cause.message : String(cause) }, cause)
      }
    },
  }
}

function build(definition: Readonly<Record<string, unknown>>, path: string): Pipeline {
  try {
    return new Pipeline(definition, {})
  } catch (cause) {
    throw engineError('tokenizer/corrupt-json', { path, reason: cause instanceof Error ? cause.message : String(cause) }, cause)
  }
}

function unknownId(model: JsonObject, vocabulary: JsonVocabulary): number | null {
  const id = model['unk_id']
  if (typeof id === 'number') return id
  const token = model['unk_token']
  return typeof token === 'string' ? (vocabulary.idOf.get(token) ?? null) : null
}

/** A stream decoder over the steps; `textOf` gives null for ids that are left out. */
function stepsToStream(createSteps: DecoderFactory, textOf: (id: number) => string | null): ReturnType<Tokenizer['streamDecoder']> {
  const steps = createSteps()
  return {
    push: (id) => {
      const token = textOf(id)
      return token === null ? '' : steps.push(token).join('')
    },
    flush: () => steps.end().join(''),
  }
}
