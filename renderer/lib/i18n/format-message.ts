// Fills the placeholders of one text. Pure: catalogue texts and values in, a sentence out.
import { formatBytes } from '../format/quantity'
import type { Language, MessageText } from './catalogue'

const PLACEHOLDER = /\{([a-zA-Z]+)(\|size)?\}/g

/** Values by placeholder name. */
export type Values = Readonly<Record<string, unknown>>

/** Writes a text with its values; a placeholder without a value stays visible as `{name}`; `{name|size}` writes bytes as people read them. */
export function formatMessage(options: { readonly text: MessageText; readonly values: Values; readonly language: Language }): string {
  const { text, values, language } = options
  return chooseForm(text, values, language).replace(PLACEHOLDER, (placeholder, name: string, size?: string) => {
    const value = values[name]
    if (typeof value === 'number' && size !== undefined) return formatBytes(value, language)
    if (typeof value === 'number') return formatNumber(value, language)
    if (typeof value === 'string') return value
    return Array.isArray(value) ? value.join(', ') : placeholder
  })
}

/** True where every placeholder of the text has a value that can be written. */
export function hasAllValues(text: string, values: Values): boolean {
  return placeholderNames(text).every((name) => {
    const value = values[name]
    return typeof value === 'number' || typeof value === 'string' || Array.isArray(value)
  })
}

/** Names of the placeholders of a text, sorted, each once. */
export function placeholderNames(text: MessageText): readonly string[] {
  const long = typeof text === 'string' ? text : text.other
  return [...new Set([...long.matchAll(PLACEHOLDER)].map((match) => match[1] ?? ''))].sort()
}

function chooseForm(text: MessageText, values: Values, language: Language): string {
  if (typeof text === 'string') return text
  const { count } = values
  const category = typeof count === 'number' ? new Intl.PluralRules(language).select(count) : 'other'
  return category === 'one' ? (text.one ?? text.other) : text.other
}

function formatNumber(value: number, language: Language): string {
  return new Intl.NumberFormat(language, { maximumFractionDigits: 2 }).format(value)
}
