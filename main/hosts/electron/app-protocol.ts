// The app:// protocol: serves the built renderer from disk with a strict content security policy; nothing else is reachable through it.
import { readFile } from 'node:fs/promises'
import { protocol } from 'electron'
import { contentSecurityPolicy, securityHeaders } from '../content-security-policy'
import { findStaticFile } from '../static-files'

const SCHEME = 'app'
const HOST = 'weightroom'

/** Address of the app's page. */
export const appUrl = `${SCHEME}://${HOST}/index.html`

const headers = { ...securityHeaders, 'content-security-policy': contentSecurityPolicy({ connect: [] }) }

/** True for addresses of the app's own page. */
export function isAppUrl(url: string): boolean {
  return URL.canParse(url) && new URL(url).protocol === `${SCHEME}:` && new URL(url).host === HOST
}

/** Must run before Electron is ready. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } }])
}

/** Serves `folder` (the built renderer) under app://weightroom/. */
export function serveRenderer(folder: string): void {
  protocol.handle(SCHEME, async (request) => {
    const { host, pathname } = new URL(request.url)
    const file = request.method === 'GET' && host === HOST ? await findStaticFile(folder, pathname) : null
    if (file === null) return new Response(null, { status: 404, headers })
    return new Response(new Uint8Array(await readFile(file.path)), { headers: { ...headers, 'content-type': file.contentType } })
  })
}
