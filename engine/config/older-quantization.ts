// What quantizers wrote into a file of its own before config.json had a quantization_config: AutoGPTQ up to 0.4 (quantize_config.json), AutoAWQ up to 0.1 (quant_config.json).
import { join } from 'node:path'
import { isJsonObject, MAX_CONFIG_JSON_BYTES, readOptionalJsonFile, type JsonObject } from '../bytes/json'
import { engineError } from '../errors'

const OLDER_FILES = [
  { name: 'quantize_config.json', method: 'gptq' },
  { name: 'quant_config.json', method: 'awq' },
] as const

/** Fields under which config.json itself says how its matrices are packed. */
const OWN_FIELDS = ['quantization_config', 'compression_config', 'quantization'] as const

/**
 * config.json with the quantization that a file beside it describes, where it describes none itself.
 * Throws "config/not-an-object" and what readJsonFile throws.
 */
export async function withOlderQuantization(
  json: JsonObject,
  directory: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<JsonObject> {
  if (OWN_FIELDS.some((field) => isJsonObject(json[field]))) return json
  for (const { name, method } of OLDER_FILES) {
    const path = join(directory, name)
    const older = await readOptionalJsonFile(path, { maxBytes: MAX_CONFIG_JSON_BYTES, ...options })
    if (older === undefined) continue
    if (!isJsonObject(older)) throw engineError('config/not-an-object', { path })
    return { ...json, quantization_config: { quant_method: method, ...older } }
  }
  return json
}
