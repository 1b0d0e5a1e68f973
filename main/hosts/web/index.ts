// The browser host: the app and its server on this machine, without a window of its own.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { createApp } from '../../app'
import type { Host } from '../../host'
import { consoleLog } from '../console-log'
import { dataFolder } from '../data-folder'
import { bundleFolder, engineWorker, workbenchWorker } from '../engine-worker'
import { watchEventLoop } from '../event-loop-gap'
import { forkNode } from '../fork-node'
import { hubCacheFolder } from '../hub-cache-folder'
import { resourcesFolder } from '../resources-folder'
import { findFileManager } from './file-manager'
import { DEFAULT_PORT } from './listen'
import { startWebServer } from './server'

/** A running browser host. Close finishes replies, closes the database and ends the engine process; safe to call twice. */
export interface WebHost {
  readonly address: string
  readonly port: number
  /** The port that was asked for, when it was taken and another was chosen. */
  readonly takenPort: number | null
  readonly close: () => Promise<void>
}

/** How to serve. */
export interface WebHostOptions {
  /** Undefined tries DEFAULT_PORT, 0 takes any. A taken port is answered with another one. */
  readonly port?: number
  /** Loopback only. */
  readonly hostname?: string
  /** `import.meta.dirname` of the built code; this module's own when absent. */
  readonly codeFolder?: string
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** Starts the app and serves it to a browser. Throws "web/not-loopback", "web/no-port" and "app/resources-missing". */
export async function startWebHost(options: WebHostOptions = {}): Promise<WebHost> {
  const env = options.env ?? process.env
  watchEventLoop(env)
  const codeFolder = options.codeFolder ?? import.meta.dirname
  const bundles = bundleFolder(codeFolder)
  const showFolder = findFileManager({ platform: process.platform, env, log: consoleLog })
  const host: Host = {
    kind: 'web',
    version: readVersion(join(bundles, '..', '..', 'package.json')),
    paths: { dataFolder: dataFolder(env), resourcesFolder: resourcesFolder(codeFolder), hfCacheFolder: hubCacheFolder(env) },
    forkEngine: () => forkNode(engineWorker(codeFolder)),
    forkWorkbench: () => forkNode(workbenchWorker(codeFolder)),
    canDropPaths: false,
    ...(showFolder && { showFolder }),
    clock: { now: Date.now },
    log: consoleLog,
  }
  const app = await createApp(host)
  try {
    const rendererFolder = join(bundles, '..', 'renderer')
    const server = await startWebServer({
      app,
      rendererFolder,
      hostname: options.hostname ?? '127.0.0.1',
      port: options.port ?? DEFAULT_PORT,
      log: consoleLog,
    })
    const { address, port, takenPort } = server
    return {
      address,
      port,
      takenPort,
      close: async () => {
        await server.close()
        await app.close()
      },
    }
  } catch (failure) {
    await app.close()
    throw failure
  }
}

function readVersion(manifestPath: string): string {
  return v.parse(v.object({ version: v.string() }), JSON.parse(readFileSync(manifestPath, 'utf8'))).version
}
