// Where the reference data of the real libraries lies, when it is present beside the repository.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

const folder = resolve(import.meta.dirname, '../../../shared/reference')

/** True where the reference data is present; tests that need it are skipped, and said to be, where it is not. */
export const hasReference = existsSync(folder)

/** Absolute path of a file or folder of the reference data. */
export function referencePath(...parts: readonly string[]): string {
  return resolve(folder, ...parts)
}
