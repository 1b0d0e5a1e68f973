// Texts for components: `t` for the catalogue, `describeError` for failures. Both read the spoken language, so they are reactive where used.
import type { ContractError } from '../../../preload/contract'
import { en } from '../../messages/en'
import { enErrors } from '../../messages/en-errors'
import { zhCn } from '../../messages/zh-cn'
import { zhCnErrors } from '../../messages/zh-cn-errors'
import { zhTw } from '../../messages/zh-tw'
import { zhTwErrors } from '../../messages/zh-tw-errors'
import type { Catalogue, ErrorCatalogue, Language, MessageKey, MessageValues } from './catalogue'
import { formatMessage, hasAllValues, type Values } from './format-message'
import { spoken } from './spoken.svelte'

/** All catalogues by language. */
export const catalogues: Readonly<Record<Language, Catalogue>> = { en, 'zh-TW': zhTw, 'zh-CN': zhCn }

/** Error sentences by language. */
export const errorCatalogues: Readonly<Record<Language, ErrorCatalogue>> = { en: enErrors, 'zh-TW': zhTwErrors, 'zh-CN': zhCnErrors }

/** The text of a key in the spoken language. */
export function t<K extends MessageKey>(key: K, ...values: [keyof MessageValues<K>] extends [never] ? [] : [MessageValues<K>]): string {
  const given: Values = values[0] ?? {}
  return formatMessage({ text: catalogues[spoken.language][key], values: given, language: spoken.language })
}

/** The sentence for an error: from the catalogue where its code is known and its details fill the sentence, otherwise the error's own message. */
export function describeError(error: ContractError): string {
  const text = errorCatalogues[spoken.language][error.code]
  if (text === undefined || !hasAllValues(text, error.details)) return error.message
  return formatMessage({ text, values: error.details, language: spoken.language })
}
