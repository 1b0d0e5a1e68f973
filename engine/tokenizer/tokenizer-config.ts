// What stands beside a tokenizer: tokenizer_config.json, and the older special_tokens_map.json and added_tokens.json. Read as Transformers 5.18 reads them (tokenization_utils_base.py).
import { join } from 'node:path'
import { isJsonObject, MAX_CONFIG_JSON_BYTES, readOptionalJsonFile, type JsonObject, type JsonValue } from '../bytes/json'
import { engineError } from '../errors'
import type { AddedToken } from './added-tokens'
import { resolveTokenizerClass, type TokenizerClass } from './tokenizer-class'

/** Public models add at most a few thousand tokens; every one costs a place in the search tree. */
export const MAX_ADDED_TOKENS = 100_000

/** The configuration of a tokenizer; absent keys are null. */
export interface TokenizerConfig {
  readonly path: string
  readonly tokenizerClass: TokenizerClass
  /** `tokenizer_class` as written. */
  readonly className: string | null
  /** `model_type` of config.json. */
  readonly modelType: string | null
  /** `add_prefix_space` is there and true. */
  readonly spacePrefixAsked: boolean
  /** What a BERT tokenizer does to a text. */
  readonly bert: { readonly lowercase: boolean; readonly stripAccents: boolean | null; readonly chinese: boolean }
  readonly legacy: boolean
  readonly addPrefixSpace: boolean
  readonly addBosToken: boolean
  readonly addEosToken: boolean
  /** `clean_up_tokenization_spaces`, and whether it is to hold for BPE too. */
  readonly cleanUp: { readonly asked: boolean; readonly evenBpe: boolean }
  /** `bos_token`, `eos_token`, ... and the model's own `*_token` keys, in the order of the file. */
  readonly namedTokens: ReadonlyMap<string, AddedToken>
  /** Further special tokens; null when the files say nothing about them. */
  readonly extraTokens: readonly AddedToken[] | null
  /** Tokens with ids given by the configuration. */
  readonly addedTokens: ReadonlyMap<number, AddedToken>
  /** `chat_template`, unread. */
  readonly chatTemplate: JsonValue | undefined
}

const NAMED = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token']

/**
 * Reads the configuration of the tokenizer in `directory`; null when it has no tokenizer_config.json.
 * Throws "tokenizer/corrupt-config", "tokenizer/limit-exceeded" and what readJsonFile throws.
 */
export async function readTokenizerConfig(directory: string): Promise<TokenizerConfig | null> {
  const path = join(directory, 'tokenizer_config.json')
  const file = await readObject(path)
  if (!file) return null
  const modelConfig = await readObject(join(directory, 'config.json'))
  const hasDecoder = file['added_tokens_decoder'] !== undefined
  // Files since 2023 hold everything; the older ones are spread over three, of which special_tokens_map.json wins.
  const special = hasDecoder ? null : await readObject(join(directory, 'special_tokens_map.json'))
  const merged: JsonObject = { ...file, ...special }
  const namedTokens = readNamedTokens(merged, path)
  const extraTokens = readExtraTokens(file, path)
  const specialTexts = new Set(
    [...namedTokens.values(), ...(extraTokens ?? []), ...(readExtraTokens(special ?? {}, path) ?? [])].map((token) => token.content),
  )
  const addedTokens = hasDecoder
    ? readAddedTokensDecoder(file['added_tokens_decoder'], path)
    : await readAddedTokensFile(join(directory, 'added_tokens.json'), specialTexts)
  if (addedTokens.size > MAX_ADDED_TOKENS) {
    throw engineError('tokenizer/limit-exceeded', {
      path,
      what: 'the number of added tokens',
      found: addedTokens.size,
      max: MAX_ADDED_TOKENS,
    })
  }
  return {
    path,
    tokenizerClass: resolveTokenizerClass({
      hubClass: text(file['tokenizer_class']) ?? text(modelConfig?.['tokenizer_class']),
      modelType: text(modelConfig?.['model_type']),
    }),
    className: text(file['tokenizer_class']) ?? text(modelConfig?.['tokenizer_class']),
    modelType: text(modelConfig?.['model_type']),
    spacePrefixAsked: file['add_prefix_space'] === true,
    bert: {
      lowercase: file['do_lower_case'] !== false,
      stripAccents: typeof file['strip_accents'] === 'boolean' ? file['strip_accents'] : null,
      chinese: file['tokenize_chinese_chars'] !== false,
    },
    legacy: file['legacy'] === true,
    addPrefixSpace: file['add_prefix_space'] !== false,
    addBosToken: file['add_bos_token'] === true,
    addEosToken: file['add_eos_token'] === true,
    cleanUp: {
      asked: file['clean_up_tokenization_spaces'] === true,
      evenBpe: file['clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output'] === true,
    },
    namedTokens,
    extraTokens,
    addedTokens,
    chatTemplate: file['chat_template'],
  }
}

/** An object of a JSON file, or null when there is no such file. */
async function readObject(path: string): Promise<JsonObject | null> {
  const value = await readOptionalJsonFile(path, { maxBytes: MAX_CONFIG_JSON_BYTES })
  if (value === undefined) return null
  if (!isJsonObject(value)) throw engineError('tokenizer/corrupt-config', { path, reason: 'it holds no JSON object' })
  return value
}

function text(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null
}

/** A token as the files write it: a text, or an object with `content` and flags. Null for anything else. */
export function readAddedToken(value: JsonValue | undefined, options: { readonly special: boolean }): AddedToken | null {
  if (typeof value === 'string') return addedToken({ content: value, special: options.special })
  if (!isJsonObject(value) || typeof value['content'] !== 'string') return null
  const special = options.special || value['special'] === true
  return {
    content: value['content'],
    special,
    normalized: typeof value['normalized'] === 'boolean' ? value['normalized'] : !special,
    lstrip: value['lstrip'] === true,
    rstrip: value['rstrip'] === true,
    singleWord: value['single_word'] === true,
  }
}

/** A token without flags; special ones are found before normalization. */
export function addedToken(token: { readonly content: string; readonly special: boolean }): AddedToken {
  return { ...token, normalized: !token.special, lstrip: false, rstrip: false, singleWord: false }
}

function readNamedTokens(file: JsonObject, path: string): Map<string, AddedToken> {
  const named = new Map<string, AddedToken>()
  for (const [key, value] of Object.entries(file)) {
    if (value === null || !(NAMED.includes(key) || (key.endsWith('_token') && typeof value === 'string'))) continue
    const token = readAddedToken(value, { special: true })
    if (!token) throw engineError('tokenizer/corrupt-config', { path, reason: `${key} is neither a text nor a token` })
    // What has a name is special, whatever its own flags say.
    named.set(key, { ...token, special: true })
  }
  return named
}

function readExtraTokens(file: JsonObject, path: string): AddedToken[] | null {
  const newer = file['extra_special_tokens']
  const value =
    newer !== undefined && newer !== null && Object.keys(newer).length > 0 ? newer : (file['additional_special_tokens'] ?? newer)
  if (value === undefined || value === null) return null
  // Written as an object, the values are tokens with names of their own.
  const entries = isJsonObject(value) ? Object.values(value) : value
  if (!Array.isArray(entries)) throw engineError('tokenizer/corrupt-config', { path, reason: 'the list of special tokens is not a list' })
  return entries.map((entry: JsonValue | undefined) => {
    const token = readAddedToken(entry, { special: true })
    if (!token) throw engineError('tokenizer/corrupt-config', { path, reason: 'a special token is neither a text nor a token' })
    return token
  })
}

function readAddedTokensDecoder(value: JsonValue | undefined, path: string): Map<number, AddedToken> {
  if (!isJsonObject(value)) throw engineError('tokenizer/corrupt-config', { path, reason: 'added_tokens_decoder is not an object' })
  const tokens = new Map<number, AddedToken>()
  for (const [key, entry] of Object.entries(value)) {
    const token = isJsonObject(entry) ? readAddedToken(entry, { special: false }) : null
    if (!token || !/^\d{1,9}$/.test(key)) {
      throw engineError('tokenizer/corrupt-config', {
        path,
        reason: `the entry "${key.slice(0, 50)}" of added_tokens_decoder is not an id and its token`,
      })
    }
    tokens.set(Number(key), token)
  }
  return tokens
}

async function readAddedTokensFile(path: string, specialTexts: ReadonlySet<string>): Promise<Map<number, AddedToken>> {
  const tokens = new Map<number, AddedToken>()
  for (const [content, id] of Object.entries((await readObject(path)) ?? {})) {
    if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0) {
      throw engineError('tokenizer/corrupt-config', { path, reason: `the id of "${content.slice(0, 50)}" is not a whole number` })
    }
    const first = tokens.get(id)
    if (first) throw engineError('tokenizer/duplicate-id', { path, id, first: first.content, second: content })
    tokens.set(id, addedToken({ content, special: specialTexts.has(content) }))
  }
  return tokens
}
