// Reads text files that a person names on the command line, with a limit and a sentence for every way it can fail.
import { readFile, stat } from 'node:fs/promises'
import { cliError } from './cli-error'

/** Prompts, chats and lists of texts; a file beyond this is surely the wrong one (weights, say). */
const MAX_TEXT_BYTES = 256 * 1024 * 1024

/** The file's text as UTF-8, every character of it. Throws "cli/not-readable", "cli/file-too-large". */
export async function readText(path: string): Promise<string> {
  try {
    const { size: sizeBytes } = await stat(path)
    if (sizeBytes > MAX_TEXT_BYTES) throw cliError('cli/file-too-large', { path, sizeBytes, limitBytes: MAX_TEXT_BYTES })
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && 'syscall' in cause && 'code' in cause) {
      throw cliError('cli/not-readable', { path, reason: String(cause.code) }, cause)
    }
    throw cause
  }
}

/** The file's JSON value; a byte-order mark is left out. Throws "cli/not-json" and what readText throws. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readText(path)
  try {
    return JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text)
  } catch (cause) {
    throw cliError('cli/not-json', { path, reason: cause instanceof Error ? cause.message : String(cause) }, cause)
  }
}
