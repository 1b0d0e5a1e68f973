// A small JSON document on disk: checked when read, kept aside when broken, replaced atomically when written.
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import * as v from 'valibot'
import type { Clock, Log } from './host'

/** A settings document beyond this is not ours. */
const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024

/** A document at one path. Writes are queued, so that the last one asked for is the one that stays. */
export interface JsonFile<T> {
  readonly path: string
  /** The document, or `fallback` when the file is absent or broken; a broken file is renamed to `<path>.broken-<ms>`. */
  readonly read: () => Promise<T>
  /** Writes to a temporary file, syncs it and renames it over the old one. Throws the file system's error. */
  readonly write: (value: T) => Promise<void>
}

/** Describes a JSON document; nothing is touched before `read` or `write`. */
export function jsonFile<T>(options: {
  readonly path: string
  readonly schema: v.GenericSchema<unknown, T>
  readonly fallback: T
  readonly clock: Clock
  readonly log: Log
}): JsonFile<T> {
  const { path, schema, fallback, clock, log } = options
  let lastWrite: Promise<void> = Promise.resolve()

  async function read(): Promise<T> {
    let text: string
    try {
      text = await readFile(path, 'utf8')
    } catch (failure) {
      if (!isAbsent(failure)) log.warn('a document could not be read', { path, failure: String(failure) })
      return fallback
    }
    const problem = text.length > MAX_DOCUMENT_BYTES ? 'too large' : null
    const parsed = problem === null ? parse(schema, text) : { success: false as const, problem }
    if (parsed.success) return parsed.value
    const aside = `${path}.broken-${clock.now()}`
    log.warn('a broken document was kept aside', { path, aside, problem: parsed.problem })
    await rename(path, aside).catch((failure: unknown) => log.warn('it could not be renamed', { path, failure: String(failure) }))
    return fallback
  }

  function write(value: T): Promise<void> {
    const written = lastWrite.then(() => replace(path, `${JSON.stringify(value, null, 2)}\n`))
    lastWrite = written.catch(() => undefined)
    return written
  }

  return { path, read, write }
}

function parse<T>(
  schema: v.GenericSchema<unknown, T>,
  text: string,
): { readonly success: true; readonly value: T } | { readonly success: false; readonly problem: string } {
  try {
    const result = v.safeParse(schema, JSON.parse(text))
    return result.success ? { success: true, value: result.output } : { success: false, problem: v.summarize(result.issues) }
  } catch (failure) {
    return { success: false, problem: String(failure) }
  }
}

async function replace(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const temporary = `${path}.${process.pid}.tmp`
  try {
    const file = await open(temporary, 'w', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (failure) {
    await rm(temporary, { force: true })
    throw failure
  }
}

function isAbsent(failure: unknown): boolean {
  return failure instanceof Error && 'code' in failure && failure.code === 'ENOENT'
}
