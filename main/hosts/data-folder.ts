// Where chats and settings lie: one folder per person for every host, so that a chat begun in the browser is there in the desktop window.
import { homedir } from 'node:os'
import { join } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/** WEIGHTROOM_DATA, else the place where the system keeps such data. An empty variable counts as absent. */
export function dataFolder(
  env: Environment,
  system: { readonly platform: NodeJS.Platform; readonly home: string } = { platform: process.platform, home: homedir() },
): string {
  const { WEIGHTROOM_DATA: given, APPDATA: roaming, XDG_DATA_HOME: xdg } = env
  if (given) return given
  if (system.platform === 'win32') return join(roaming ? roaming : join(system.home, 'AppData', 'Roaming'), 'Weightroom')
  if (system.platform === 'darwin') return join(system.home, 'Library', 'Application Support', 'Weightroom')
  return join(xdg ? xdg : join(system.home, '.local', 'share'), 'weightroom')
}
