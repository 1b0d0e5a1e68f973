// A small JSON document on disk: checked when read, kept aside when broken, replaced atomically when written.
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import * as v from 'valibot'
import type { Clock, Log } from './host'

/** A settings document beyond this is not ours. */
const MAX_DOCUMENT_CHARS = 8 * 1024 * 1024

/** A document at one path. */
export interface JsonFile<T> {
  readonly path: string
  readonly value: () => T
  /**
   * Writes what `change` makes of the value to a temporary file, syncs it, renames it over the old one, and then is the value. Changes are made one after the
   * other. Throws the file system's error, or what `change` throws; the value is then as before.
   */
  readonly update: (change: (value: T) => T) => Promise<T>
}

/** Reads the document at `path`; `fallback` holds when it is absent or broken. A broken file is renamed to `<path>.broken-<ms>`. */
export async function openJsonFile<T>(options: {
  readonly path: string
  readonly schema: v.GenericSchema<unknown, T>
  readonly fallback: T
  readonly clock: Clock
  readonly log: Log
}): Promise<JsonFile<T>> {
  const { path } = options
  let value: T = await readDocument(options)
  let lastChange: Promise<unknown> = Promise.resolve()

  async function apply(change: (value: T) => T): Promise<T> {
    const next = change(value)
    await replace(path, `${JSON.stringify(next, null, 2)}\n`)
    value = next
    return next
  }

  return {
    path,
    value: () => value,
    update: async (change) => {
      const changed = lastChange.then(() => apply(change))
      lastChange = changed.catch(() => undefined)
      return await changed
    },
  }
}

async function readDocument<T>({ path, schema, fallback, clock, log }: Parameters<typeof openJsonFile<T>>[0]): Promise<T> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (failure) {
    if (!isAbsent(failure)) log.warn('a document could not be read', { path, failure: String(failure) })
    return fallback
  }
  const parsed = text.length > MAX_DOCUMENT_CHARS ? { success: false as const, problem: 'too large' } : parse(schema, text)
  if (parsed.success) return parsed.value
  const aside = `${path}.broken-${clock.now()}`
  log.warn('a broken document was kept aside', { path, aside, problem: parsed.problem })
  await rename(path, aside).catch((failure: unknown) => log.warn('it could not be renamed', { path, failure: String(failure) }))
  return fallback
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
