// generation_config.json -> GenerationDefaults. Follows Transformers 5.18 GenerationConfig; a missing file is fine.
import { join } from 'node:path'
import { isJsonObject, MAX_CONFIG_JSON_BYTES, readOptionalJsonFile, type JsonValue } from '../bytes/json'
import { engineError } from '../errors'
import { optionalBoolean, optionalInteger, optionalNumber, type ConfigFields } from './config-fields'
import type { DecoderConfig, GenerationDefaults } from './decoder-config'
import { CONFIG_LIMITS } from './limits'
import { optionalTokenId, tokenIds } from './token-ids'

/** The part of a decoder's configuration that stands in where generation_config.json is silent. */
export type TokenFallback = Pick<DecoderConfig, 'bosTokenId' | 'eosTokenIds' | 'padTokenId'>

/**
 * Turns a parsed generation_config.json into defaults; token ids that it does not give come from `fallback`.
 * Throws "config/not-an-object", "config/wrong-type", "config/out-of-range".
 */
export function parseGenerationDefaults(
  json: JsonValue,
  options: { readonly fallback: TokenFallback; readonly path?: string },
): GenerationDefaults {
  const { fallback, path = 'generation_config.json' } = options
  if (!isJsonObject(json)) throw engineError('config/not-an-object', { path })
  const fields: ConfigFields = { json, path, prefix: '' }
  const eosTokenIds = tokenIds(fields, 'eos_token_id')
  return {
    doSample: optionalBoolean(fields, 'do_sample'),
    temperature: optionalNumber(fields, 'temperature', CONFIG_LIMITS.temperature),
    topK: optionalInteger(fields, 'top_k', CONFIG_LIMITS.topK),
    topP: optionalNumber(fields, 'top_p', CONFIG_LIMITS.probability),
    minP: optionalNumber(fields, 'min_p', CONFIG_LIMITS.probability),
    repetitionPenalty: optionalNumber(fields, 'repetition_penalty', CONFIG_LIMITS.penalty),
    maxNewTokens: optionalInteger(fields, 'max_new_tokens', CONFIG_LIMITS.tokens),
    eosTokenIds: eosTokenIds.length > 0 ? eosTokenIds : fallback.eosTokenIds,
    bosTokenId: optionalTokenId(fields, 'bos_token_id') ?? fallback.bosTokenId,
    padTokenId: optionalTokenId(fields, 'pad_token_id') ?? fallback.padTokenId,
  }
}

/** Reads a model folder's generation_config.json; without the file every default is null and the ids are the decoder's. Throws as parseGenerationDefaults and readJsonFile do. */
export async function loadGenerationDefaults(
  directory: string,
  options: { readonly fallback: TokenFallback; readonly signal?: AbortSignal },
): Promise<GenerationDefaults> {
  const { fallback, signal } = options
  const path = join(directory, 'generation_config.json')
  const json = await readOptionalJsonFile(path, { maxBytes: MAX_CONFIG_JSON_BYTES, ...(signal && { signal }) })
  return parseGenerationDefaults(json ?? {}, { fallback, path })
}
