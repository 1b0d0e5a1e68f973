// Binds the browser host's port on loopback; a taken port is answered with another one.
import type { Server } from 'node:http'
import { reasonOf, serviceError } from '../../service-error'

/** The port tried when none is asked for: free of the ports that other local-model programs use. */
export const DEFAULT_PORT = 9637

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost'])

/** Starts listening. `takenPort` is the asked port when it was not free. Throws "web/not-loopback" and "web/no-port". */
export async function listen(
  server: Server,
  { hostname, port }: { readonly hostname: string; readonly port: number },
): Promise<{ readonly port: number; readonly takenPort: number | null }> {
  if (!LOOPBACK.has(hostname)) throw serviceError('web/not-loopback', { host: hostname })
  try {
    return { port: await bind(server, hostname, port), takenPort: null }
  } catch (failure) {
    const reason = reasonOf(failure)
    if (port === 0 || (reason !== 'EADDRINUSE' && reason !== 'EACCES')) throw serviceError('web/no-port', { reason }, failure)
  }
  try {
    return { port: await bind(server, hostname, 0), takenPort: port }
  } catch (failure) {
    throw serviceError('web/no-port', { reason: reasonOf(failure) }, failure)
  }
}

async function bind(server: Server, hostname: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: hostname, port, exclusive: true }, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}
