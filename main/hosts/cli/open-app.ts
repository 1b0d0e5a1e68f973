// `weightroom` without a command: the desktop window where Electron and a display are there, otherwise the app in the browser.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundleFolder } from '../engine-worker'
import type { Terminal } from './terminal'

/** Opens the app and stays until it is closed. */
export async function openApp(terminal: Terminal): Promise<void> {
  const codeFolder = import.meta.dirname
  const packageFolder = join(bundleFolder(codeFolder), '..', '..')
  const binary = hasDisplay(process.env) ? electronBinary(packageFolder) : null
  if (binary !== null) return openWindow(binary, packageFolder)
  const { serve } = await import('../start')
  await serve({ print: (line) => void terminal.stdout.write(`${line}\n`), codeFolder })
}

/** Whether windows can be shown; only Linux has machines where the environment says. */
export function hasDisplay(env: Readonly<Record<string, string | undefined>>, platform: NodeJS.Platform = process.platform): boolean {
  return platform !== 'linux' || Boolean(env['DISPLAY'] ?? env['WAYLAND_DISPLAY'])
}

/** Electron's binary beside the package, or null. The package itself is not asked: importing it would start a download. */
export function electronBinary(packageFolder: string): string | null {
  const electron = join(packageFolder, 'node_modules', 'electron')
  const pathFile = join(electron, 'path.txt')
  if (!existsSync(pathFile)) return null
  const binary = join(electron, 'dist', readFileSync(pathFile, 'utf8').trim())
  return existsSync(binary) ? binary : null
}

function openWindow(binary: string, packageFolder: string): Promise<void> {
  return new Promise((closed, failed) => {
    const child = spawn(binary, [packageFolder], { stdio: 'inherit' })
    child.on('error', failed)
    child.on('exit', () => closed())
  })
}
