// Removes a folder that a process which just ended, or one of its children, may still write into for a moment.
import { rmSync } from 'node:fs'

const ATTEMPTS = 40
const PAUSE_MS = 50

/** Removes a folder with everything in it; new files that appear meanwhile are looked for again. Throws when it does not become quiet within two seconds. */
export function removeFolder(folder: string): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      // Its own `maxRetries` lists the folder only once and then waits for it in vain.
      rmSync(folder, { recursive: true, force: true })
      return
    } catch (failure) {
      if (attempt === ATTEMPTS) throw failure
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS)
    }
  }
}
