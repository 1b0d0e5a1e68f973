// Types of the message catalogues: English gives the keys, and each text its placeholders.
import type { en } from '../../messages/en'

/** Languages that the app speaks. */
export type Language = 'en' | 'zh-TW' | 'zh-CN'

/** One text, or its plural forms by Intl.PluralRules category; the form is chosen by the placeholder `count`. */
export type MessageText = string | { readonly one?: string; readonly other: string }

/** Key of a text. */
export type MessageKey = keyof typeof en

/** A complete catalogue. */
export type Catalogue = Readonly<Record<MessageKey, MessageText>>

/** Error sentences by code, or by `code:reason` where one code has several; without one the error's own English message is shown. */
export type ErrorCatalogue = Readonly<Record<string, string>>

/** Sentences of remarks and reasons by code; without one the remark's own English text is shown. */
export type RemarkCatalogue = Readonly<Record<string, string>>

type Placeholders<T extends string> = T extends `${string}{${infer Name}}${infer Rest}` ? Name | Placeholders<Rest> : never
type LongForm<T> = T extends { readonly other: infer O } ? O : T

/** Values for the placeholders of a text: numbers are formatted in the language, strings are put in as they are. */
export type MessageValues<K extends MessageKey> = {
  readonly [P in Placeholders<LongForm<(typeof en)[K]> & string>]: P extends 'count' ? number : string | number
}
