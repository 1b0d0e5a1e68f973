// The interpreter's memory right after its start, kept on disk: starting from it takes an eighth of the time. Made once per version by a child of its own that runs no foreign code.
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'

/** SHA-256 before the memory. */
const DIGEST_BYTES = 32

/** A snapshot that another version has not started from for so long is of no use any more; two versions in turn do not take each other's away. */
const FORGOTTEN_MS = 30 * 24 * 3600 * 1000

const digest = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

/** Where the snapshot of these program texts lies: the system's place for what can be made again. */
export function snapshotPath(
  texts: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
  system: { readonly platform: NodeJS.Platform; readonly home: string } = { platform: process.platform, home: homedir() },
): string {
  const name = `python-${digest(Buffer.from(texts.join('\0')))
    .toString('hex')
    .slice(0, 32)}.snapshot`
  const { LOCALAPPDATA: local, XDG_CACHE_HOME: xdg } = env
  if (system.platform === 'win32') return join(local ? local : join(system.home, 'AppData', 'Local'), 'Weightroom', name)
  if (system.platform === 'darwin') return join(system.home, 'Library', 'Caches', 'Weightroom', name)
  return join(xdg ? xdg : join(system.home, '.cache'), 'weightroom', name)
}

/** The memory, or null: there is none, or it is not what was written. */
export async function readSnapshot(path: string): Promise<Uint8Array | null> {
  const file = await readFile(path).catch(() => null)
  if (file === null || file.length <= DIGEST_BYTES) return null
  const memory = file.subarray(DIGEST_BYTES)
  return digest(memory).equals(file.subarray(0, DIGEST_BYTES)) ? memory : null
}

/** Keeps the memory for the next start, for this user only. A folder that takes no file costs nothing but time. */
export async function keepSnapshot(path: string, memory: Uint8Array): Promise<void> {
  const unfinished = `${path}.${process.pid}`
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(unfinished, Buffer.concat([digest(memory), memory]), { mode: 0o600 })
    await rename(unfinished, path)
    await removeForgotten(path)
  } catch {
    await rm(unfinished, { force: true }).catch(() => undefined)
  }
}

/** Removes snapshots of other versions, and what an interrupted start left, from the folder of this one. */
async function removeForgotten(path: string): Promise<void> {
  const folder = dirname(path)
  for (const name of await readdir(folder)) {
    if (!/^python-[0-9a-f]{32}\.snapshot(\.\d+)?$/.test(name) || name === basename(path)) continue
    const other = join(folder, name)
    const { mtimeMs, atimeMs } = await stat(other)
    if (Date.now() - Math.max(mtimeMs, atimeMs) > FORGOTTEN_MS) await rm(other, { force: true })
  }
}
