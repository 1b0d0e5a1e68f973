// The journal of an unfinished prepared file: one line for every entry whose bytes are in place, so that a killed process's work is not lost.
import { appendFile, readFile } from 'node:fs/promises'
import { parseJson } from '../bytes/json'
import { EngineError } from '../errors'
import type { WrittenChunk } from './write-entries'
import { writeFailure } from './write-failure'

/** Notes an entry as written. Throws "prepared/write-failed", "prepared/disk-full". */
export async function noteEntry(path: string, done: { readonly name: string; readonly chunks: readonly WrittenChunk[] }): Promise<void> {
  const line = JSON.stringify([done.name, done.chunks.map(({ rows, crcs }) => [rows, ...crcs])])
  try {
    await appendFile(path, `${line}\n`)
  } catch (cause) {
    throw await writeFailure(path, { reason: cause, neededBytes: line.length })
  }
}

/** What an earlier process wrote, by entry name; the first line must be the digest of the same entries. A last line cut off counts for nothing. */
export async function readJournal(path: string, digest: string): Promise<ReadonlyMap<string, readonly WrittenChunk[]>> {
  const [first, ...lines] = (await readFile(path, 'utf8').catch(() => '')).split('\n')
  const written = new Map<string, readonly WrittenChunk[]>()
  if (first !== digest) return written
  for (const line of lines.slice(0, -1)) {
    const entry = readLine(line, path)
    if (entry !== null) written.set(entry.name, entry.chunks)
  }
  return written
}

function readLine(line: string, path: string): { readonly name: string; readonly chunks: readonly WrittenChunk[] } | null {
  try {
    const value = parseJson(Buffer.from(line), path)
    if (!isList(value)) return null
    const [name, chunks] = value
    if (typeof name !== 'string' || !isList(chunks)) return null
    return { name, chunks: chunks.flatMap(readChunk) }
  } catch (cause) {
    if (cause instanceof EngineError) return null
    throw cause
  }
}

/** A chunk that is none makes the entry's rows too few, which verifying notices. */
function readChunk(value: unknown): readonly WrittenChunk[] {
  if (!isList(value)) return []
  const [rows, codes, scales, zeroPoints] = value
  if (typeof rows !== 'number' || typeof codes !== 'number' || typeof scales !== 'number' || typeof zeroPoints !== 'number') return []
  return [{ rows, crcs: [codes, scales, zeroPoints] }]
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}
