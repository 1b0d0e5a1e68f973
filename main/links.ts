// Links that leave the app: parsed, then only http, https and mailto.
import type { Host } from './host'
import { serviceError } from './service-error'

const ALLOWED_PROTOCOLS = new Set(['http:', 'https:', 'mailto:'])

/** Opens a link outside the app. Throws "app/link-refused", or "app/unsupported" where the host cannot. */
export async function openLink(host: Host, url: string): Promise<null> {
  const parsed = URL.canParse(url) ? new URL(url) : null
  if (parsed === null || !ALLOWED_PROTOCOLS.has(parsed.protocol)) throw serviceError('app/link-refused', { url: url.slice(0, 200) })
  if (host.openExternal === undefined) throw serviceError('app/unsupported', { what: 'opening a link outside the app', host: host.kind })
  await host.openExternal(parsed.href)
  return null
}
