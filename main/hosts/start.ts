// Serving until told to stop: prints the address, ends cleanly on Ctrl-C or a system's request.
import { startWebHost } from './web/index'
import type { WebHostOptions } from './web/index'

/** A second Ctrl-C, or this long after the first, ends the process at once. */
const CLOSE_LIMIT_MS = 8_000

/**
 * Runs the browser host in the foreground until SIGINT or SIGTERM. `print` gets lines for the person. Resolves after everything is closed.
 * Throws what startWebHost throws.
 */
export async function serve(options: WebHostOptions & { readonly print: (line: string) => void }): Promise<void> {
  const { print } = options
  const host = await startWebHost(options)
  if (host.takenPort !== null) print(`Port ${host.takenPort} is in use by another program; using ${host.port} instead.`)
  print(`Weightroom is open at ${host.address}`)
  print('Open this address in a browser on this machine. Press Ctrl-C to stop.')
  await stopRequested()
  print('Closing ...')
  const limit = setTimeout(() => process.exit(1), CLOSE_LIMIT_MS).unref()
  await host.close()
  clearTimeout(limit)
}

/** Resolves on the first SIGINT, SIGTERM or SIGHUP; the second ends the process. */
async function stopRequested(): Promise<void> {
  await new Promise<void>((resolve) => {
    let asked = false
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (asked) process.exit(130)
        asked = true
        resolve()
      })
    }
  })
}
