// Token ids of config.json and generation_config.json.
import { fieldValue, optionalInteger, wrongType, type ConfigFields } from './config-fields'
import { CONFIG_LIMITS } from './limits'

/** One id, or null when the field is absent, null or negative: old Llama files write -1 for "none". */
export function optionalTokenId(fields: ConfigFields, name: string): number | null {
  const value = fieldValue(fields, name)
  if (typeof value === 'number' && Number.isInteger(value) && value < 0) return null
  return optionalInteger(fields, name, CONFIG_LIMITS.tokenId)
}

/** A field that is one id, a list of ids, null or absent. */
export function tokenIds(fields: ConfigFields, name: string): readonly number[] {
  const value = fieldValue(fields, name)
  if (!Array.isArray(value)) {
    const id = optionalTokenId(fields, name)
    return id === null ? [] : [id]
  }
  const ids = value.map((id: unknown) => {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > CONFIG_LIMITS.tokenId.max) {
      throw wrongType(fields, name, 'a token id or a list of token ids')
    }
    return id
  })
  return [...new Set(ids)]
}
