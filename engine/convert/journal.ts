// The journal of a conversion: which of its files are complete and proven. One JSON document per line; a line that was cut off by a kill counts for nothing.
import { appendFile, readFile } from 'node:fs/promises'
import { isJsonObject, type JsonObject, type JsonValue } from '../bytes/json'
import type { TensorProof } from './write-file'

/** Rises with every change of what the unfinished files mean. */
const JOURNAL_VERSION = 1

/** What an earlier run left. `finishing`: every file was proven and their final names were being given. */
export interface JournalContent {
  readonly fingerprint: string
  readonly proofs: ReadonlyMap<string, readonly TensorProof[]>
  readonly finishing: boolean
}

function parseLine(line: string): JsonObject | null {
  try {
    const value = JSON.parse(line) as JsonValue // JSON.parse returns nothing but JSON values
    return isJsonObject(value) ? value : null
  } catch {
    return null
  }
}

function asProof(value: JsonValue): TensorProof | null {
  if (!isJsonObject(value)) return null
  const { sha256, crc32, maxAbsError, overflowed, flushedToZero } = value
  if (typeof sha256 !== 'string' || typeof crc32 !== 'number' || typeof maxAbsError !== 'number') return null
  if (typeof overflowed !== 'number' || typeof flushedToZero !== 'number') return null
  return { sha256, crc32, maxAbsError, overflowed, flushedToZero }
}

/** Reads a journal; null when there is none, or none that this version wrote. */
export async function readJournal(path: string): Promise<JournalContent | null> {
  const text = await readFile(path, 'utf8').catch(() => null)
  if (text === null) return null
  const [first, ...rest] = text.split('\n').map(parseLine)
  const fingerprint = first?.['fingerprint']
  if (first?.['version'] !== JOURNAL_VERSION || typeof fingerprint !== 'string') return null
  const proofs = new Map<string, readonly TensorProof[]>()
  for (const line of rest) {
    const file = line?.['file']
    const tensors = line?.['tensors']
    if (typeof file !== 'string' || !Array.isArray(tensors)) continue
    const read = (tensors as readonly JsonValue[]).map(asProof).filter((proof) => proof !== null)
    if (read.length === tensors.length) proofs.set(file, read)
  }
  return { fingerprint, proofs, finishing: rest.some((line) => line?.['finishing'] === true) }
}

/** Text of a new journal. */
export function journalStart(fingerprint: string): string {
  return `${JSON.stringify({ version: JOURNAL_VERSION, fingerprint })}\n`
}

/** Adds a proven file. */
export function recordProofs(path: string, proven: { readonly file: string; readonly tensors: readonly TensorProof[] }): Promise<void> {
  // In front of the line, because the one before may have been cut off.
  return appendFile(path, `\n${JSON.stringify(proven)}\n`)
}

/** Notes that final names are being given from now on. */
export function recordFinishing(path: string): Promise<void> {
  return appendFile(path, `\n${JSON.stringify({ finishing: true })}\n`)
}
