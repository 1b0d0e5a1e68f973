// Texts for components: `t` for the catalogue, `describeError` for failures. Both read the spoken language, so they are reactive where used.
import type { ContractError, Remark } from '../../../preload/contract'
import { en } from '../../messages/en'
import { zhCn } from '../../messages/zh-cn'
import { zhCnErrors } from '../../messages/zh-cn-errors'
import { zhCnRemarks } from '../../messages/zh-cn/remarks'
import { zhTw } from '../../messages/zh-tw'
import { zhTwErrors } from '../../messages/zh-tw-errors'
import { zhTwRemarks } from '../../messages/zh-tw/remarks'
import type { Catalogue, ErrorCatalogue, Language, MessageKey, MessageValues, RemarkCatalogue } from './catalogue'
import { formatMessage, hasAllValues, type Values } from './format-message'
import { spoken } from './spoken.svelte'

/** All catalogues by language. */
export const catalogues: Readonly<Record<Language, Catalogue>> = { en, 'zh-TW': zhTw, 'zh-CN': zhCn }

/** Error sentences by language; in English the failure brings its own. */
export const errorCatalogues: Readonly<Record<Exclude<Language, 'en'>, ErrorCatalogue>> = { 'zh-TW': zhTwErrors, 'zh-CN': zhCnErrors }

/** Sentences of remarks by language; in English the remark brings its own. */
export const remarkCatalogues: Readonly<Record<Exclude<Language, 'en'>, RemarkCatalogue>> = { 'zh-TW': zhTwRemarks, 'zh-CN': zhCnRemarks }

/** The text of a key in the spoken language. */
export function t<K extends MessageKey>(key: K, ...values: [keyof MessageValues<K>] extends [never] ? [] : [MessageValues<K>]): string {
  const given: Values = values[0] ?? {}
  return formatMessage({ text: catalogues[spoken.language][key], values: given, language: spoken.language })
}

/** The sentence for an error: from the catalogue where it has the code and the details fill the sentence, otherwise the error's own message. */
export function describeError(error: ContractError): string {
  const { language } = spoken
  if (language === 'en') return error.message
  const sentences = errorCatalogues[language]
  const text = sentences[`${error.code}:${String(error.details['reason'])}`] ?? sentences[error.code]
  if (text === undefined || !hasAllValues(text, error.details)) return error.message
  return formatMessage({ text, values: error.details, language })
}

/** The sentence for a remark or a reason. A failure that became a remark has its sentence among the errors. */
export function describeRemark({ code, data, text }: Remark): string {
  const { language } = spoken
  if (language === 'en') return text
  const sentence = remarkCatalogues[language][code]
  if (sentence === undefined) return describeError({ code, message: text, details: data })
  return hasAllValues(sentence, data) ? formatMessage({ text: sentence, values: data, language }) : text
}
