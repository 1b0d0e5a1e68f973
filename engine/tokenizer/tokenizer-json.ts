// A Tokenizer from a tokenizer.json, as Hugging Face tokenizers 0.23 works: added tokens are cut out, the rest is normalized, pre-tokenized and given to the model.
import { isJsonObject, readJsonFile, type JsonObject, type JsonValue } from '../bytes/json'
import { engineError } from '../errors'
import { createSplitter, type NumberedToken, type TextPart } from './added-tokens'
import { withCleanUp } from './clean-up'
import { decodeWith } from './decode'
import { inputText } from './input-text'
import { createDecoder, type DecoderFactory } from './json-decoder'
import { inFrame, readPostProcessor, type Frame } from './json-post-processor'
import { readJsonVocabulary, type JsonVocabulary } from './json-vocabulary'
import { createModel } from './pipeline/model'
import { readNormalizer } from './pipeline/normalizers'
import { readPreTokenizer } from './pipeline/pre-tokenizers'
import { MAX_TOKENIZE_MS, tokenizeWithin } from './tokenize-within'
import { runWithin } from './time-limit'
import { buildTokenTable } from './token-table'
import { specialTokensOfClass } from './tokenizer-class'
import { MAX_ADDED_TOKENS, readAddedToken, type TokenizerConfig } from './tokenizer-config'
import type { Tokenizer } from './types'

/** The largest public file has 35 MB. */
export const MAX_TOKENIZER_JSON_BYTES = 128 * 1024 * 1024

/**
 * Loads the tokenizer.json at `path` with the configuration beside it, if any.
 * Throws what createJsonTokenizer and readJsonFile throw.
 */
export async function loadTokenizerJson(path: string, config: TokenizerConfig | null): Promise<Tokenizer> {
  const read = await readJsonFile(path, { maxBytes: MAX_TOKENIZER_JSON_BYTES })
  if (!isJsonObject(read)) throw engineError('tokenizer/corrupt-json', { path, reason: 'it holds no JSON object' })
  return createJsonTokenizer(config ? asTransformersRebuilds(read, config) : read, { path, config, kind: 'tokenizer-json' })
}

/** Where a definition in the form of tokenizer.json comes from; other vocabularies are brought into that form. */
export interface DefinitionSource {
  readonly path: string
  readonly config: TokenizerConfig | null
  readonly kind: Tokenizer['source']['kind']
  /** Ids around a text, where they are not what the post-processor says. */
  readonly frame?: Frame
  /** Texts of `bos_token` and its kind where no configuration names them. */
  readonly specialTokens?: Readonly<Record<string, string>>
}

/**
 * Makes the tokenizer that a definition in the form of tokenizer.json describes.
 * Throws "tokenizer/corrupt-json", "tokenizer/duplicate-id", "tokenizer/limit-exceeded", "tokenizer/unsupported"; encoding also "tokenizer/too-slow".
 */
export function createJsonTokenizer(file: JsonObject, source: DefinitionSource): Tokenizer {
  const { path, config } = source
  const model = file['model']
  if (!isJsonObject(model)) throw engineError('tokenizer/corrupt-json', { path, reason: 'it has no model' })
  const vocabulary = readJsonVocabulary(model, path)
  const fileTokens = readFileTokens(file['added_tokens'], path)
  const exists = (content: string) => vocabulary.idOf.has(content) || fileTokens.some((token) => token.content === content)
  const classTokens = Object.entries(config ? specialTokensOfClass(config) : {}).filter(([, content]) => exists(content))
  const table = buildTokenTable({
    path,
    config,
    fileTokens,
    fileFlagsHold: true,
    defaults: source.specialTokens ?? Object.fromEntries(classTokens),
    idOfPiece: (piece) => vocabulary.idOf.get(piece),
    vocabularySize: vocabulary.tokens.length,
  })
  const { encodePart, normalize } = createPipeline({ file, vocabulary, path })
  const split = runWithin(() => createSplitter({ tokens: table.tokens, normalize, path }), {
    maxMs: MAX_TOKENIZE_MS,
    onTimeout: () => engineError('tokenizer/too-slow', { path, maxMs: MAX_TOKENIZE_MS }),
  })
  const namedId = (name: string): number | null => {
    const content = table.named[name]
    return content === undefined ? null : (table.idOf(content) ?? null)
  }
  // Transformers ignores add_bos_token and add_eos_token beside a tokenizer.json: its post-processor says what stands around a text.
  const postProcess = source.frame ? inFrame(source.frame) : readPostProcessor(file['post_processor'], path)
  const createSteps = createDecoder(file['decoder'], path)
  const tokenText = (id: number) => table.byId.get(id)?.content ?? vocabulary.tokens[id] ?? null
  // The library keeps tokens that are looked for in normalized text as the normalizer leaves them.
  const normalizedTexts = new Map(table.tokens.filter((token) => token.normalized).map(({ id, content }) => [id, normalize(content)]))
  const isSpecial = (id: number) => table.byId.get(id)?.special ?? false
  const shownText = (id: number) => normalizedTexts.get(id) ?? tokenText(id)
  const specialTexts = new Set(table.tokens.filter((token) => token.special).map(({ content }) => content))
  // The library asks by text: a token whose normalized text is not the special one's own is shown.
  const textUnlessSpecial = (id: number) => {
    const text = shownText(id)
    return text !== null && specialTexts.has(text) ? null : text
  }
  // Transformers cleans up after no BPE, which would lose spaces of the text, unless it is told to all the same.
  const cleansUp = config !== null && config.cleanUp.asked && (model['type'] !== 'BPE' || config.cleanUp.evenBpe)
  const streamDecoder: Tokenizer['streamDecoder'] = ({ skipSpecial }) => {
    const plain = stepsToStream(createSteps, skipSpecial ? textUnlessSpecial : shownText)
    return cleansUp ? withCleanUp(plain) : plain
  }

  return {
    source: { file: path, kind: source.kind },
    vocabSize: table.size,
    bosTokenId: namedId('bos_token'),
    eosTokenId: namedId('eos_token'),
    specialTokens: table.named,
    parsesSpecialByDefault: true,
    encode: (text, { addSpecial, parseSpecial }) => {
      const input = inputText(text)
      return tokenizeWithin({ path, text: input }, () => {
        const ids: number[] = []
        for (const part of split(input, { parseSpecial })) {
          if (part.kind === 'token') ids.push(part.id)
          else for (const id of encodePart(part)) ids.push(id)
        }
        return [...postProcess(ids, { addSpecial })]
      })
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

interface Pipeline {
  readonly normalize: (text: string) => string
  /** Ids of a normalized text between added tokens. */
  readonly encodePart: (part: TextPart & { kind: 'text' }) => readonly number[]
}

function createPipeline(parts: { readonly file: JsonObject; readonly vocabulary: JsonVocabulary; readonly path: string }): Pipeline {
  const { file, vocabulary, path } = parts
  const model = file['model']
  if (!isJsonObject(model)) throw engineError('tokenizer/corrupt-json', { path, reason: 'it has no model' })
  const preTokenize = readPreTokenizer(file['pre_tokenizer'], path)
  const encodePiece = createModel(model, { vocabulary, path })
  return {
    normalize: readNormalizer(file['normalizer'], path),
    encodePart: ({ text, atStart }) => {
      const ids: number[] = []
      for (const piece of preTokenize([{ text, atStart }])) for (const id of encodePiece(piece.text)) ids.push(id)
      return ids
    },
  }
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
