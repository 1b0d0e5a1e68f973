// The socket check itself: it must see a socket that is open to the outside, or its silence proves nothing.
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { outsideSockets } from './hosts/sockets'

async function listenOn(host: string): Promise<{ readonly close: () => Promise<void> }> {
  const server = createServer()
  await new Promise<void>((done) => server.listen({ host, port: 0 }, done))
  return { close: () => new Promise((done) => server.close(() => done())) }
}

describe.skipIf(process.platform !== 'linux')('the socket check', () => {
  it('sees a socket that listens on every interface', async () => {
    const before = outsideSockets(process.pid).length
    const server = await listenOn('0.0.0.0')
    expect(outsideSockets(process.pid).length).toBe(before + 1)
    await server.close()
  })

  it('does not mind loopback', async () => {
    const before = outsideSockets(process.pid).length
    const server = await listenOn('127.0.0.1')
    expect(outsideSockets(process.pid).length).toBe(before)
    await server.close()
  })
})
