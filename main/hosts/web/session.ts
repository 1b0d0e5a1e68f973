// Who may talk to the browser host: the holder of the printed address, from this machine, from this page.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Cookie and token carry 256 bits. */
const SECRET_BYTES = 32
/** A Cookie header beyond this is not from our page. */
const MAX_COOKIE_CHARS = 8_192

/** The secrets of one run of the host. The token is printed; the cookie is what it is exchanged for. */
export interface Session {
  readonly token: string
  readonly isToken: (given: string | null) => boolean
  /** True when the request carries the session's cookie. */
  readonly isKnown: (request: IncomingMessage) => boolean
  /** Set-Cookie value. */
  readonly cookie: (port: number) => string
}

/** Makes fresh secrets. Cookies are shared between ports of a host, so the cookie's name holds the port. */
export function createSession(port: () => number): Session {
  const token = randomBytes(SECRET_BYTES).toString('base64url')
  const secret = randomBytes(SECRET_BYTES).toString('base64url')
  return {
    token,
    isToken: (given) => given !== null && isSameSecret(given, token),
    isKnown: (request) => {
      const given = readCookie(request.headers.cookie, cookieName(port()))
      return given !== null && isSameSecret(given, secret)
    },
    cookie: (ownPort) => `${cookieName(ownPort)}=${secret}; Path=/; HttpOnly; SameSite=Strict`,
  }
}

/** True when the Host header names this machine at this port: a foreign name that resolves to us (DNS rebinding) does not. */
export function isOwnHost(request: IncomingMessage, port: number): boolean {
  const { host } = request.headers
  return host !== undefined && ownHosts(port).includes(host.toLowerCase())
}

/** True when the Origin header is the page that we served under the same name. Absent, 'null' and foreign origins are refused. */
export function isOwnOrigin(request: IncomingMessage, port: number): boolean {
  const { host, origin } = request.headers
  return isOwnHost(request, port) && origin !== undefined && host !== undefined && origin.toLowerCase() === `http://${host.toLowerCase()}`
}

/** Names under which the host may be addressed. */
function ownHosts(port: number): readonly string[] {
  return ['127.0.0.1', 'localhost', '[::1]'].flatMap((name) => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`]))
}

/** Compares in constant time; hashing makes the lengths equal. */
function isSameSecret(given: string, secret: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(secret))
}

function cookieName(port: number): string {
  return `weightroom-${port}`
}

function readCookie(header: string | undefined, name: string): string | null {
  if (header === undefined || header.length > MAX_COOKIE_CHARS) return null
  for (const part of header.split(';')) {
    const [key, ...value] = part.trim().split('=')
    if (key === name) return value.join('=')
  }
  return null
}
