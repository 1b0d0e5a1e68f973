// Text that is HTML already. Follows markupsafe 3.0: what is added to it is escaped.
import type { MarkupValue } from './values'

const HTML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' }

/** What markupsafe.escape writes. */
export function htmlEscape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => HTML[character] ?? character)
}

/** Text marked as HTML. */
export function markup(text: string): MarkupValue {
  return { kind: 'markup', text }
}
