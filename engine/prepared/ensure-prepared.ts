// Gives the prepared file of a checkpoint: the one in the cache, or one made now, entry by entry, proven and renamed.
import { open, rename, rm, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import type { Checkpoint } from '../checkpoint/types'
import { engineError } from '../errors'
import { makeRoom, markUsed, preparedPaths, type PreparedFolder, type PreparedPaths } from './cache'
import { noteEntry, readJournal } from './journal'
import { takeLock } from './lock'
import { digestEntries, readIndex, verifyEntry, writeIndex } from './prepared-file'
import type { PlacedEntry } from './types'
import { startWorkerPool } from './worker-pool'
import { writeEntry, type WrittenChunk } from './write-entries'
import { writeFailure } from './write-failure'

/** What is wanted of the cache. */
export interface EnsureOptions {
  readonly cache: PreparedFolder
  /** The file's name, from `sourceKey`. */
  readonly key: string
  readonly checkpoint: Checkpoint
  readonly entries: readonly PlacedEntry[]
  /** Where the data ends, from the placement. */
  readonly endBytes: number
  /** For lists: what the file is of, and in which format. */
  readonly label: { readonly model: string; readonly format: string }
  readonly threads?: number
  readonly onProgress?: (progress: { readonly doneBytes: number; readonly totalBytes: number }) => void
  readonly signal?: AbortSignal
}

/** Workers beyond this wait for the disk. */
const MAX_WORKERS = 16

/**
 * Returns the path of the complete prepared file. Several processes may ask at once: one writes, the others wait. Work of a killed process is taken over after
 * it has been verified. The file gets its name when every entry has been read back.
 * Throws "prepared/not-finite", "prepared/disk-full", "prepared/write-failed", "prepared/read-failed", "prepared/verification-failed", "runtime/aborted".
 */
export async function ensurePrepared(options: EnsureOptions): Promise<string> {
  const { cache, key, entries, signal } = options
  const paths = preparedPaths(cache.folder, key)
  const digest = digestEntries(entries)
  if (await isComplete(paths, digest)) return paths.complete
  await makeRoom(cache, { neededBytes: options.endBytes, keep: key })
  await using _lock = await takeLock(paths.lock, signal ? { signal } : {})
  // Another process may have finished it meanwhile.
  if (await isComplete(paths, digest)) return paths.complete
  try {
    await prepare(options, { paths, digest })
  } catch (cause) {
    // Unfinished work is worth keeping only where there is room for the rest.
    if (cause instanceof Error && 'code' in cause && cause.code === 'prepared/disk-full') await removeUnfinished(paths)
    throw cause
  }
  return paths.complete
}

async function isComplete({ complete }: PreparedPaths, digest: string): Promise<boolean> {
  const index = await readIndex(complete)
  if (index?.entriesDigest !== digest) return false
  await markUsed(complete)
  return true
}

async function removeUnfinished({ partial, journal }: PreparedPaths): Promise<void> {
  await Promise.all([rm(partial, { force: true }), rm(journal, { force: true })])
}

async function prepare(
  options: EnsureOptions,
  { paths, digest }: { readonly paths: PreparedPaths; readonly digest: string },
): Promise<void> {
  const { checkpoint, entries, endBytes, label, signal, onProgress } = options
  const resumed = await readJournal(paths.journal, digest)
  if (resumed.size === 0) await startOver(paths, { digest, endBytes })
  const handle = await open(paths.partial, 'r+').catch(async (cause: unknown) => {
    throw await writeFailure(paths.partial, { reason: cause, neededBytes: endBytes })
  })
  try {
    const totalBytes = entries.reduce((sum, entry) => sum + entry.codes.sizeBytes, 0)
    let doneBytes = 0
    const onRows = (entry: PlacedEntry, rows: number): void => {
      doneBytes += (entry.codes.sizeBytes * rows) / Math.max(1, entry.source.shape.rows)
      onProgress?.({ doneBytes, totalBytes })
    }
    const written = new Map<string, readonly WrittenChunk[]>()
    await using pool = startWorkerPool(Math.min(options.threads ?? availableParallelism(), MAX_WORKERS))
    for (const entry of entries) {
      if (signal?.aborted === true) throw engineError('runtime/aborted', { what: 'Preparing the weights' })
      const before = resumed.get(entry.name)
      if (before !== undefined && (await verifyEntry(handle, { entry, chunks: before }))) {
        written.set(entry.name, before)
        onRows(entry, entry.source.shape.rows)
        continue
      }
      const target = { path: paths.partial, handle }
      const chunks = await writeEntry(entry, { checkpoint, target, pool, onRows, ...(signal && { signal }) })
      written.set(entry.name, chunks)
      await noteEntry(paths.journal, { name: entry.name, chunks })
    }
    await handle.sync()
    for (const entry of entries) {
      const chunks = written.get(entry.name) ?? []
      if (!(await verifyEntry(handle, { entry, chunks, ...(signal && { signal }) })))
        throw engineError('prepared/verification-failed', { path: paths.partial, entry: entry.name })
    }
    await writeIndex(handle, { path: paths.partial, endBytes, index: { ...label, entriesDigest: digest, entries: entries.length } })
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(paths.partial, paths.complete).catch(async (cause: unknown) => {
    throw await writeFailure(paths.complete, { reason: cause, neededBytes: 0 })
  })
  await rm(paths.journal, { force: true })
}

async function startOver(
  { partial, journal }: PreparedPaths,
  start: { readonly digest: string; readonly endBytes: number },
): Promise<void> {
  try {
    await rm(partial, { force: true })
    const handle = await open(partial, 'w')
    await handle.truncate(start.endBytes)
    await handle.close()
    await writeFile(journal, `${start.digest}\n`)
  } catch (cause) {
    throw await writeFailure(partial, { reason: cause, neededBytes: start.endBytes })
  }
}
