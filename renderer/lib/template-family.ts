// The name of a built-in chat template for people.
import { t } from './i18n/texts'

/** Families have proper names; only the one that belongs to none is a word of the window's language. */
export function templateFamily(family: string): string {
  return family === 'plain' ? t('template.plain') : family
}
