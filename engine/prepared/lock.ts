// One process prepares a file, others wait for it: a lock file with the owner's number, kept fresh while the owner works.
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { engineError } from '../errors'
import { systemReason, writeFailure } from './write-failure'

/** The owner touches its lock this often. */
const FRESHEN_MS = 2_000
/** A lock this old has no living owner: the computer slept, or the owner runs elsewhere and is gone. */
const STALE_MS = 60_000
const POLL_MS = 100

/** Locks of this process: a number of an earlier process may be ours again. */
const mine = new Set<string>()

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    // EPERM: it runs, as somebody else.
    return systemReason(cause) === 'EPERM'
  }
}

/** Whether somebody holds the lock. */
export async function isLocked(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null)
  if (found === null) return false
  if (mine.has(path)) return true
  if (Date.now() - found.mtimeMs > STALE_MS) return false
  const [pid, host] = (await readFile(path, 'utf8').catch(() => '')).split(' ')
  // Between a lock's creation and its content lies one system call; a fresh one without content is held.
  if (pid === undefined || pid === '') return Date.now() - found.mtimeMs < FRESHEN_MS
  return host !== hostname() || (Number(pid) !== process.pid && isRunning(Number(pid)))
}

/** Holds a lock until it is disposed. */
export type HeldLock = AsyncDisposable

/**
 * Takes the lock, waiting while another holds it. Two that find the same dead owner's lock at the same moment may both get in: they write the same bytes to the
 * same places, so that this does no harm. Throws "runtime/aborted", "prepared/write-failed", "prepared/disk-full".
 */
export async function takeLock(path: string, options: { readonly signal?: AbortSignal }): Promise<HeldLock> {
  for (;;) {
    if (options.signal?.aborted === true) throw engineError('runtime/aborted', { what: 'Preparing the weights' })
    // Taken before anything is awaited: a second load in this process must not look at the file at all.
    if (mine.has(path)) {
      await setTimeout(POLL_MS)
      continue
    }
    mine.add(path)
    if (await create(path).catch((cause: unknown) => giveBack(path, cause))) return held(path)
    mine.delete(path)
    // Moved away instead of removed: only one of those who found it dead succeeds.
    if (await isLocked(path)) await setTimeout(POLL_MS)
    else await moveAway(path)
  }
}

function giveBack(path: string, cause: unknown): never {
  mine.delete(path)
  throw cause
}

/** False where the lock exists. */
async function create(path: string): Promise<boolean> {
  try {
    await writeFile(path, `${process.pid} ${hostname()}`, { flag: 'wx' })
    return true
  } catch (cause) {
    if (systemReason(cause) === 'EEXIST') return false
    throw await writeFailure(path, { reason: cause, neededBytes: 0 })
  }
}

async function moveAway(path: string): Promise<void> {
  const aside = `${path}.${process.pid}`
  await rename(path, aside).catch(() => undefined)
  await rm(aside, { force: true })
}

function held(path: string): HeldLock {
  const freshen = setInterval(() => {
    const now = new Date()
    utimes(path, now, now).catch(() => undefined)
  }, FRESHEN_MS)
  freshen.unref()
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(freshen)
      await rm(path, { force: true })
      mine.delete(path)
    },
  }
}
