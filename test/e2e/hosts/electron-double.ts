// The Electron host on plain Node: the built main and preload bundles with `electron` resolved to the double.
import { basename } from 'node:path'
import { chromium } from 'playwright-core'
import { chromiumPath, startApp } from './app-process'
import type { HostKind } from './types'

type DoubleMessage = { readonly kind: 'window'; readonly endpoint: string } | { readonly kind: 'external'; readonly url: string }

export const electronDouble: HostKind = {
  name: 'electron-double',
  missing: chromiumPath() === null ? 'Chromium is not installed' : null,
  start: async ({ dataFolder, env = {} }) => {
    const links: string[] = []
    const app = startApp({
      args: ['--import', './test/support/electron-double/register.mjs', 'out/main/index.js'],
      dataFolder,
      env: { CHROMIUM_PATH: chromiumPath() ?? '', ELECTRON_DOUBLE_PROFILES: dataFolder, ...env },
    })
    const endpoint = await new Promise<string>((resolve, reject) => {
      app.child.on('message', (message: DoubleMessage) => {
        if (message.kind === 'window') resolve(message.endpoint)
        else links.push(message.url)
      })
      app.child.once('exit', () => reject(new Error(`The app ended:\n${app.output()}`)))
    })
    const browser = await chromium.connectOverCDP(endpoint)
    const page = browser.contexts()[0]?.pages()[0]
    if (page === undefined) throw new Error('The double opened no page.')
    return {
      page,
      pid: app.child.pid ?? 0,
      dataFolder,
      offerFolder: (path) => {
        app.child.send({ kind: 'drop-path', name: basename(path), path })
        app.child.send({ kind: 'choose-folder', path })
        return Promise.resolve(true)
      },
      externalLinks: () => links,
      quit: async () => {
        if (app.child.connected) app.child.send({ kind: 'quit' })
        await app.exited
        await browser.close().catch(() => undefined)
        return app.eventLoop()
      },
    }
  },
}
