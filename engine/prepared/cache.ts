// The prepared cache: a folder of files, each made once from a checkpoint, proven before it gets its name, and dropped when room is needed, the longest unused first.
import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { engineError } from '../errors'
import { isLocked } from './lock'
import { readIndex } from './prepared-file'
import { freeDiskBytes, writeFailure } from './write-failure'

/** Ending of a complete file; unfinished ones end in `.partial`, with `.journal` and `.lock` beside them. */
const COMPLETE = '.prepared'
/** Left free for everything else on the disk. */
const DISK_RESERVE_BYTES = 256 * 1024 * 1024
/** A file used this recently may be about to be mapped by another process. */
const IN_USE_MS = 5 * 60_000

/** Where prepared files lie, and how many bytes they may take together. */
export interface PreparedFolder {
  readonly folder: string
  readonly maxBytes: number
}

/** A file of the cache. */
export interface PreparedFile {
  readonly name: string
  readonly model: string
  readonly format: string
  readonly sizeBytes: number
  readonly lastUsedMs: number
}

/** The paths of one prepared file. */
export interface PreparedPaths {
  readonly complete: string
  readonly partial: string
  readonly journal: string
  readonly lock: string
}

/** Paths by the file's key. */
export function preparedPaths(folder: string, key: string): PreparedPaths {
  const at = (ending: string): string => join(folder, `${key}${ending}`)
  return { complete: at(COMPLETE), partial: at('.partial'), journal: at('.journal'), lock: at('.lock') }
}

/** Marks a file as used now. */
export async function markUsed(path: string): Promise<void> {
  const now = new Date()
  // A read-only folder still serves what it has.
  await utimes(path, now, now).catch(() => undefined)
}

async function filesIn(
  folder: string,
): Promise<readonly { readonly name: string; readonly path: string; readonly sizeBytes: number; readonly mtimeMs: number }[]> {
  const names = await readdir(folder).catch(() => [])
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name)
      const info = await stat(path).catch(() => null)
      return info?.isFile() === true ? { name, path, sizeBytes: info.size, mtimeMs: info.mtimeMs } : null
    }),
  )
  return found.filter((file) => file !== null)
}

const isOurs = (name: string): boolean => /^[0-9a-f]{40}\.(prepared|partial|journal|lock)$/.test(name)

/** The complete files of a cache, the latest used first. A folder that is not there is an empty cache. */
export async function listPrepared(folder: string): Promise<readonly PreparedFile[]> {
  const files = (await filesIn(folder)).filter(({ name }) => isOurs(name) && name.endsWith(COMPLETE))
  const listed = await Promise.all(
    files.map(async ({ name, path, sizeBytes, mtimeMs }) => {
      const index = await readIndex(path)
      return { name, model: index?.model ?? '', format: index?.format ?? '', sizeBytes, lastUsedMs: mtimeMs }
    }),
  )
  return listed.sort((a, b) => b.lastUsedMs - a.lastUsedMs)
}

/** Bytes that the cache takes, unfinished files included. */
export async function preparedBytes(folder: string): Promise<number> {
  return (await filesIn(folder)).filter(({ name }) => isOurs(name)).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

/**
 * Removes the file called `only`, or everything, except what a process is writing. A file that is mapped stays readable until its reader ends, except on Windows, where it is kept.
 * Returns the bytes that were freed.
 */
export async function clearPrepared(folder: string, only: string | null = null): Promise<number> {
  let freedBytes = 0
  for (const { name, path, sizeBytes } of await filesIn(folder)) {
    if (!isOurs(name) || (only !== null && name !== only)) continue
    const { lock } = preparedPaths(folder, name.slice(0, name.indexOf('.')))
    if (await isLocked(lock)) continue
    if (await removed(path)) freedBytes += sizeBytes
  }
  return freedBytes
}

async function removed(path: string): Promise<boolean> {
  return rm(path, { force: true }).then(
    () => true,
    () => false,
  )
}

/**
 * Makes room for a file of `neededBytes`: drops the longest unused files while the cache would be larger than its limit or the disk has no room.
 * Creates the folder. Throws "prepared/disk-full", "prepared/write-failed".
 */
export async function makeRoom(
  { folder, maxBytes }: PreparedFolder,
  options: { readonly neededBytes: number; readonly keep: string },
): Promise<void> {
  const { neededBytes, keep } = options
  try {
    await mkdir(folder, { recursive: true })
  } catch (cause) {
    throw await writeFailure(folder, { reason: cause, neededBytes })
  }
  const files = (await filesIn(folder)).filter(({ name }) => isOurs(name) && !name.startsWith(keep))
  const unused = files
    .filter(({ name, mtimeMs }) => !name.endsWith('.lock') && Date.now() - mtimeMs > IN_USE_MS)
    .sort((a, b) => a.mtimeMs - b.mtimeMs)
  let total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, neededBytes)
  let freeBytes = await freeDiskBytes(folder)
  for (const { path, sizeBytes } of unused) {
    if (total <= maxBytes && freeBytes >= neededBytes + DISK_RESERVE_BYTES) return
    if (!(await removed(path))) continue
    total -= sizeBytes
    freeBytes += sizeBytes
  }
  if (freeBytes < neededBytes + DISK_RESERVE_BYTES) throw engineError('prepared/disk-full', { folder, neededBytes, freeBytes })
}
