// The app:// protocol: serves the built renderer from disk with a strict content security policy; nothing else is reachable through it.
import { readFile } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'
import { protocol } from 'electron'

const SCHEME = 'app'
const HOST = 'weightroom'

/** Address of the app's page. */
export const appUrl = `${SCHEME}://${HOST}/index.html`

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.ttf': 'font/ttf',
}

const headers: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

/** True for addresses of the app's own page. */
export function isAppUrl(url: string): boolean {
  return URL.canParse(url) && new URL(url).protocol === `${SCHEME}:` && new URL(url).host === HOST
}

/** Must run before Electron is ready. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } }])
}

/** Path of the file a request means, or null when it lies outside the folder. */
function resolveFile(url: string, folder: string): string | null {
  const { host, pathname } = new URL(url)
  if (host !== HOST) return null
  const path = normalize(join(folder, decodeURIComponent(pathname)))
  return path.startsWith(normalize(folder) + sep) ? path : null
}

/** Serves `folder` (the built renderer) under app://weightroom/. */
export function serveRenderer(folder: string): void {
  protocol.handle(SCHEME, async (request) => {
    const file = request.method === 'GET' ? resolveFile(request.url, folder) : null
    const contentType = file === null ? undefined : contentTypes[extname(file)]
    if (file === null || contentType === undefined) return new Response(null, { status: 404, headers })
    try {
      return new Response(new Uint8Array(await readFile(file)), { headers: { ...headers, 'content-type': contentType } })
    } catch {
      return new Response(null, { status: 404, headers })
    }
  })
}
