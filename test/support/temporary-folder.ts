// A folder that lives as long as one test.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A temporary folder; `write` puts a file into it and returns its path. Dispose removes everything. */
export interface TemporaryFolder extends Disposable {
  readonly path: string
  readonly write: (name: string, content: Uint8Array | string) => string
}

/** Makes a temporary folder. */
export function temporaryFolder(): TemporaryFolder {
  // The system's folder may itself be a symlink, and readers report real paths.
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'weightroom-test-')))
  return {
    path,
    write: (name, content) => {
      const file = join(path, name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, content)
      return file
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  }
}
