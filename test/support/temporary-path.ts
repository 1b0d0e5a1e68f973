// Short temporary paths: a browser puts a socket below them, and the path of a socket has at most 107 characters.
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A path in the system's temporary folder at which nothing lies yet. */
export function shortTemporaryPath(): string {
  return join(tmpdir(), `weightroom-${randomUUID().slice(0, 8)}`)
}
