// Real Electron, where its binary is present. `require('electron')` is never asked: it would start a download.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { _electron } from 'playwright-core'
import { readEventLoop, root } from './app-process'
import type { HostKind } from './types'

function binaryPath(): string | null {
  const folder = join(root, 'node_modules/electron')
  const pathFile = join(folder, 'path.txt')
  if (!existsSync(pathFile)) return null
  const binary = join(folder, 'dist', readFileSync(pathFile, 'utf8').trim())
  return existsSync(binary) ? binary : null
}

function missing(): string | null {
  if (binaryPath() === null) return "Electron's binary is not installed"
  if (process.platform === 'linux' && !process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY']) return 'there is no display'
  return null
}

export const electronHost: HostKind = {
  name: 'electron',
  missing: missing(),
  start: async ({ dataFolder, env = {} }) => {
    const report = join(dataFolder, 'stalls.json')
    const app = await _electron.launch({
      executablePath: binaryPath() ?? '',
      args: [...(process.platform === 'linux' ? ['--no-sandbox'] : []), root],
      env: { ...(process.env as Record<string, string>), WEIGHTROOM_DATA: dataFolder, WEIGHTROOM_REPORT_STALLS: report, ...env },
    })
    const page = await app.firstWindow()
    return {
      page,
      pid: app.process().pid ?? 0,
      dataFolder,
      offerFolder: async (path) => {
        await app.evaluate(({ dialog }, chosen) => {
          dialog.showOpenDialog = () => Promise.resolve({ canceled: false, filePaths: [chosen] })
        }, path)
        return false
      },
      externalLinks: () => [],
      quit: async () => {
        await app.close()
        return readEventLoop(report)
      },
    }
  },
}
