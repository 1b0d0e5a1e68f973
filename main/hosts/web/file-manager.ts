// Shows a folder of this machine in the desktop's file manager, for a browser host that runs on a desktop. Nothing of the path is interpreted.
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { stat } from 'node:fs/promises'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import type { Log } from '../../host'

/** What is known of the machine, and how a program is started; tests bring their own. */
export interface FileManagerOptions {
  readonly platform: NodeJS.Platform
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: Log
  readonly start?: (program: string, args: readonly string[]) => void
}

/** A way to show what lies at an absolute path, or undefined where nobody sits before a desktop of this machine. */
export function findFileManager(options: FileManagerOptions): ((path: string) => void) | undefined {
  const { platform, env, log } = options
  const start = options.start ?? ((program, args) => startProgram(program, args, log))
  // Whoever came through SSH sits before another machine; X11 alone brings its windows along.
  const isRemote = (env['SSH_CONNECTION'] ?? '') !== ''
  if (platform === 'darwin') return isRemote ? undefined : (path) => start('/usr/bin/open', ['-R', path])
  if (platform === 'win32')
    return isRemote ? undefined : (path) => start(join(env['SystemRoot'] ?? 'C:\\Windows', 'explorer.exe'), [`/select,${path}`])
  const hasDisplay = (env['DISPLAY'] ?? '') !== '' || (env['WAYLAND_DISPLAY'] ?? '') !== ''
  const opener = hasDisplay ? findProgram('xdg-open', env['PATH'] ?? '') : undefined
  if (opener === undefined) return undefined
  return (path) =>
    void folderOf(path).then(
      (folder) => start(opener, [folder]),
      (cause: unknown) => log.warn(`Could not show ${path}: ${String(cause)}`),
    )
}

/** xdg-open would open a file with its program; its folder is what is wanted. */
async function folderOf(path: string): Promise<string> {
  return (await stat(path)).isDirectory() ? path : dirname(path)
}

function findProgram(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

function startProgram(program: string, args: readonly string[], log: Log): void {
  const child = spawn(program, [...args], { stdio: 'ignore', detached: true, shell: false })
  child.on('error', (cause) => log.warn(`${program} could not be started: ${cause.message}`))
  child.unref()
}
