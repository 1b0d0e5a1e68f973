// The folder of unfinished files beside a destination: nothing has its final name before everything is complete and proven.
import { mkdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { EngineError, engineError } from '../errors'
import type { Destination } from './destination'
import { journalStart, readJournal, recordFinishing, type JournalContent } from './journal'
import { systemCode, writeError } from './output-file'

/** Ending of a file that is not complete, or not known to be. */
const UNFINISHED = '.part'

/** File that holds the number of the process at work. */
const LOCK = 'process'

/** Staging folders that conversions of this process are using. */
const active = new Set<string>()

/** Path of the staging folder of a destination: in the same folder, so that renaming stays within one file system. */
function stagingPath(destination: Destination): string {
  return join(dirname(destination.path), `.${basename(destination.path)}.weightroom-partial`)
}

/** Path of the journal of a destination. */
export function journalPath(destination: Destination): string {
  return join(stagingPath(destination), 'journal.jsonl')
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    // EPERM: it runs, as somebody else.
    return cause instanceof Error && 'code' in cause && cause.code === 'EPERM'
  }
}

/** How long a lock without an owner is waited for: between its creation and its content lies one system call. */
const LOCK_WAIT_MS = 50

/** Throws "convert/already-running" when the lock belongs to a living process. */
async function checkOwner(folder: string): Promise<void> {
  const path = join(folder, LOCK)
  let text = await readFile(path, 'utf8').catch(() => '')
  if (text === '') {
    await setTimeout(LOCK_WAIT_MS)
    text = await readFile(path, 'utf8').catch(() => '')
  }
  const pid = Number(text)
  // In a container a process often has the number of the one before it: our own number alone means nothing.
  if (pid === process.pid ? active.has(folder) : pid > 0 && isRunning(pid))
    throw engineError('convert/already-running', { path: folder, pid })
}

async function lock(folder: string): Promise<void> {
  const path = join(folder, LOCK)
  for (let attempt = 0; ; attempt++) {
    try {
      await writeFile(path, String(process.pid), { flag: 'wx' })
      active.add(folder)
      return
    } catch (cause) {
      if (attempt > 0 || systemCode(cause) !== 'EEXIST') throw cause
      await checkOwner(folder)
      await rm(path, { force: true })
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null
}

/** A locked staging folder. Dispose lets go of the lock and removes everything that is unfinished. */
export class Staging implements AsyncDisposable {
  readonly journal: string
  /** What an earlier run of the same conversion left. */
  readonly earlier: JournalContent | null
  readonly #folder: string
  readonly #files: string
  readonly #destination: Destination
  /** The outermost folder that was made for the destination, null when all were there. */
  readonly #madeFolder: string | null
  #finished = false

  private constructor(destination: Destination, state: { readonly earlier: JournalContent | null; readonly madeFolder: string | null }) {
    this.#folder = stagingPath(destination)
    this.#files = join(this.#folder, 'files')
    this.#destination = destination
    this.journal = journalPath(destination)
    this.earlier = state.earlier
    this.#madeFolder = state.madeFolder
  }

  /**
   * Takes the staging folder; what belongs to a conversion with another fingerprint is removed.
   * Throws "convert/already-running", "convert/write-failed", "convert/disk-full".
   */
  static async open(destination: Destination, fingerprint: string): Promise<Staging> {
    const folder = stagingPath(destination)
    let madeFolder: string | null = null
    let isLocked = false
    try {
      madeFolder = (await mkdir(dirname(folder), { recursive: true })) ?? null
      await mkdir(folder, { recursive: true })
      await lock(folder)
      isLocked = true
      const journal = await readJournal(journalPath(destination))
      const earlier = journal?.fingerprint === fingerprint ? journal : null
      if (earlier === null) {
        await rm(join(folder, 'files'), { recursive: true, force: true })
        await writeFile(journalPath(destination), journalStart(fingerprint))
      }
      await mkdir(join(folder, 'files'), { recursive: true })
      return new Staging(destination, { earlier, madeFolder })
    } catch (cause) {
      if (cause instanceof EngineError) throw cause
      const error = await writeError(folder, { cause, neededBytes: 0 })
      if (isLocked) active.delete(folder)
      await rm(folder, { recursive: true, force: true })
      if (madeFolder !== null) await removeEmptyFolders(dirname(folder), madeFolder)
      throw error
    }
  }

  /** Where a file is written. */
  path(file: string): string {
    return join(this.#files, `${file}${UNFINISHED}`)
  }

  /** Where a file of the earlier run is now: unfinished, or already under its final name. */
  async find(file: string): Promise<string | null> {
    const candidates = [
      this.path(file),
      ...(this.earlier?.finishing === true ? [join(this.#files, file), join(this.#destination.folder, file)] : []),
    ]
    for (const candidate of candidates) if (await exists(candidate)) return candidate
    return null
  }

  /** Gives the files their final names, the last one last; those in `replaced` go away first. */
  async finish(files: readonly string[], replaced: readonly string[]): Promise<void> {
    try {
      await recordFinishing(this.journal)
      const { path, kind, folder } = this.#destination
      if (kind === 'folder' && !(await exists(path))) await this.#finishAsFolder(files)
      else {
        for (const file of replaced) await rm(join(folder, file), { force: true })
        for (const file of files) await this.#giveName(file)
      }
      this.#finished = true
    } catch (cause) {
      throw await writeError(this.#destination.path, { cause, neededBytes: 0 })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The lock goes last: whoever takes it next must find nothing that is still being removed.
    await rm(this.#files, { recursive: true, force: true })
    await rm(this.journal, { force: true })
    await rm(join(this.#folder, LOCK), { force: true })
    active.delete(this.#folder)
    await rmdir(this.#folder).catch(() => undefined)
    if (!this.#finished && this.#madeFolder !== null) await removeEmptyFolders(dirname(this.#folder), this.#madeFolder)
  }

  /** A new folder appears at once, with everything in it. */
  async #finishAsFolder(files: readonly string[]): Promise<void> {
    for (const file of files) {
      if (await exists(this.path(file))) await rename(this.path(file), join(this.#files, file))
    }
    await rename(this.#files, this.#destination.path)
  }

  async #giveName(file: string): Promise<void> {
    const final = join(this.#destination.folder, file)
    if (await exists(this.path(file))) await rename(this.path(file), final)
    else if (await exists(join(this.#files, file))) await rename(join(this.#files, file), final)
  }
}

/** Bytes that an unfinished conversion to the same place already occupies. */
export async function stagedBytes(destination: Destination, files: readonly string[]): Promise<number> {
  const folder = join(stagingPath(destination), 'files')
  const sizes = await Promise.all(
    files.map(async (file) => (await stat(join(folder, `${file}${UNFINISHED}`)).catch(() => null))?.size ?? 0),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** Removes `innermost` and the folders around it up to `outermost`, as far as they are empty. */
async function removeEmptyFolders(innermost: string, outermost: string): Promise<void> {
  for (let folder = innermost; ; folder = dirname(folder)) {
    const isRemoved = await rmdir(folder).then(
      () => true,
      () => false,
    )
    if (!isRemoved || folder === outermost) return
  }
}
