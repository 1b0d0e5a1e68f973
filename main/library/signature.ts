// A fingerprint of a model directory by names, sizes and times: while it is the same, what was read of the model still holds.
import { createHash } from 'node:crypto'
import { opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** A model directory has tens of files; one with more is fingerprinted by its first ones. */
const MAX_FILES = 500

/** Changes when a file of the directory is added, removed or written. Links count as what they lead to. */
export async function directorySignature(folder: string): Promise<string> {
  const parts: string[] = []
  const own = await stat(folder).catch(() => null)
  // A model may be one file.
  if (own?.isFile() === true) return `${own.size} ${own.mtimeMs}`
  try {
    for await (const entry of await opendir(folder)) {
      if (parts.length >= MAX_FILES) break
      const found = await stat(join(folder, entry.name)).catch(() => null)
      parts.push(`${entry.name}\0${found?.size ?? -1}\0${found?.mtimeMs ?? -1}`)
    }
  } catch (failure) {
    parts.push(String(failure))
  }
  return createHash('sha256').update(parts.sort().join('\n')).digest('hex')
}
