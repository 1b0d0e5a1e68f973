// Which addresses may become a link. Everything else is shown as text.
import { MAX_URL_CHARS } from './limits'

const SCHEMES: ReadonlySet<string> = new Set(['http:', 'https:', 'mailto:'])

/** The normalised address of an http, https or mailto link, or null. Relative addresses are null: inside the app they lead nowhere. */
export function safeLink(address: string): string | null {
  if (address.length > MAX_URL_CHARS || !URL.canParse(address)) return null
  const url = new URL(address)
  if (!SCHEMES.has(url.protocol)) return null
  // A name before the host is a well-known way to disguise where a link leads.
  if (url.protocol !== 'mailto:' && (url.username !== '' || url.password !== '')) return null
  return url.href
}
