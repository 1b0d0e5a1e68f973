// The web host: `weightroom serve` and a page of Chromium on the address it prints.
import { mkdirSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { removeFolder } from '../../support/remove-folder'
import { shortTemporaryPath } from '../../support/temporary-path'
import { chromiumArgs, chromiumPath, startApp, waitForOutput } from './app-process'
import type { HostKind } from './types'

export const webHost: HostKind = {
  name: 'web',
  missing: chromiumPath() === null ? 'Chromium is not installed' : null,
  start: async ({ dataFolder, env = {} }) => {
    const app = startApp({ args: ['out/main/cli.mjs', 'serve', '--port', '0'], dataFolder, env })
    const address = await waitForOutput(app, /(http:\/\/127\.0\.0\.1:\d+\/\S*)/)
    const temporary = shortTemporaryPath()
    mkdirSync(temporary)
    const browser = await chromium.launch({
      executablePath: chromiumPath() ?? '',
      args: [...chromiumArgs],
      env: { ...process.env, TMPDIR: temporary },
    })
    const page = await browser.newPage({ viewport: { width: 1180, height: 800 } })
    await page.goto(address)
    return {
      page,
      pid: app.child.pid ?? 0,
      dataFolder,
      offerFolder: () => Promise.resolve(false),
      externalLinks: () => [],
      quit: async () => {
        await browser.close()
        removeFolder(temporary)
        app.child.kill('SIGTERM')
        await app.exited
        return app.eventLoop()
      },
    }
  },
}
