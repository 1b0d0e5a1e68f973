// The browser host's server: the built renderer and one WebSocket on loopback, for the holder of the printed address only.
import { createReadStream } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'
import type { Dispatch } from '../../dispatch'
import type { Log } from '../../host'
import { contentSecurityPolicy, securityHeaders } from '../content-security-policy'
import { findStaticFile } from '../static-files'
import { CONNECTION_LIMITS, serveConnection } from './frames'
import { listen } from './listen'
import { createSession, isOwnHost, isOwnOrigin } from './session'
import type { Session } from './session'

/** Windows open at once; each is one connection. */
const MAX_CONNECTIONS = 16
/** A page that went to sleep is found out by a missed answer. */
const PING_MS = 30_000
/** Slow senders of headers are cut off. */
const HEADERS_TIMEOUT_MS = 10_000
const MAX_HEADER_BYTES = 16 * 1024
/** Request targets are paths; this completes them for parsing. */
const BASE = 'http://localhost'

/** A listening browser host. Close ends every connection, and with it every stream. */
export interface WebServer {
  readonly port: number
  /** What the person opens; holds the token. */
  readonly address: string
  /** The port that was asked for, when it was taken and another was chosen. */
  readonly takenPort: number | null
  readonly close: () => Promise<void>
}

/** Serves `app` and the files of `rendererFolder`. Throws "web/not-loopback" and "web/no-port". */
export async function startWebServer(options: {
  readonly app: Dispatch
  readonly rendererFolder: string
  readonly hostname: string
  readonly port: number
  readonly log: Log
}): Promise<WebServer> {
  const { app, rendererFolder, log } = options
  let port = 0
  const session = createSession(() => port)
  const server = createServer(
    { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: HEADERS_TIMEOUT_MS, maxHeaderSize: MAX_HEADER_BYTES },
    (request, response) => {
      answer(request, response, { session, port, rendererFolder }).catch((failure: unknown) => {
        log.warn('a file could not be sent', { failure: String(failure) })
        response.destroy()
      })
    },
  )
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: CONNECTION_LIMITS.frameBytes,
    perMessageDeflate: false,
    clientTracking: true,
  })
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const status = refusal(request, { session, port, connections: sockets.clients.size })
    if (status !== null) {
      log.warn('a connection was refused', { status, host: request.headers.host ?? '', origin: request.headers.origin ?? '' })
      stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    sockets.handleUpgrade(request, stream, head, (socket) => {
      socket.on('error', (failure) => log.warn('a connection failed', { failure: String(failure) }))
      keepAlive(socket)
      serveConnection(socket, app)
    })
  })
  const listening = await listen(server, options)
  port = listening.port
  const name = options.hostname === '::1' ? '[::1]' : options.hostname
  return { ...listening, address: `http://${name}:${port}/?token=${session.token}`, close: async () => await closeServer(server, sockets) }
}

interface Serving {
  readonly session: Session
  readonly port: number
  readonly rendererFolder: string
}

async function answer(request: IncomingMessage, response: ServerResponse, { session, port, rendererFolder }: Serving): Promise<void> {
  const sources = [`ws://${request.headers.host ?? ''}`]
  const known = isOwnHost(request, port)
  response.setHeader('content-security-policy', contentSecurityPolicy({ connect: known ? sources : [] }))
  for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value)
  if (!known) {
    refuse(response, 403, 'This address is not Weightroom.')
    return
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    refuse(response, 405, 'Only reading is possible here.')
    return
  }
  const target = request.url ?? '/'
  if (!URL.canParse(target, BASE)) {
    refuse(response, 400, 'This is not an address.')
    return
  }
  const url = new URL(target, BASE)
  if (session.isToken(url.searchParams.get('token'))) {
    // The token leaves the address bar and the history at once.
    response.writeHead(303, { location: '/', 'set-cookie': session.cookie(port), 'cache-control': 'no-store' }).end()
    return
  }
  if (!session.isKnown(request)) {
    refuse(response, 401, 'Open the address that Weightroom printed when it started.')
    return
  }
  const file = await findStaticFile(rendererFolder, url.pathname)
  if (file === null) {
    refuse(response, 404, 'There is no such page.')
    return
  }
  response.writeHead(200, {
    'content-type': file.contentType,
    'content-length': file.sizeBytes,
    'cache-control': file.immutable ? 'private, max-age=31536000, immutable' : 'no-store',
  })
  if (request.method === 'HEAD') response.end()
  else await pipeline(createReadStream(file.path), response)
}

/** Why an upgrade is refused, as a status line, or null. */
function refusal(
  request: IncomingMessage,
  { session, port, connections }: { readonly session: Session; readonly port: number; readonly connections: number },
): string | null {
  if (!isOwnHost(request, port) || !isOwnOrigin(request, port)) return '403 Forbidden'
  if (!session.isKnown(request)) return '401 Unauthorized'
  if (request.url !== '/socket') return '404 Not Found'
  return connections >= MAX_CONNECTIONS ? '503 Service Unavailable' : null
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }).end(`${text}\n`)
}

function keepAlive(socket: WebSocket): void {
  let answered = true
  const timer = setInterval(() => {
    if (!answered) {
      socket.terminate()
      return
    }
    answered = false
    socket.ping()
  }, PING_MS)
  socket.on('pong', () => (answered = true))
  socket.on('close', () => clearInterval(timer))
}

async function closeServer(server: Server, sockets: WebSocketServer): Promise<void> {
  for (const socket of sockets.clients) socket.terminate()
  sockets.close()
  server.closeAllConnections()
  await new Promise<void>((resolve) => server.close(() => resolve()))
}
