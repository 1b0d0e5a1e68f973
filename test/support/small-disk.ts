// A file system of a few megabytes, to be filled: a tmpfs mount, where the tests may mount one.
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A mounted file system of its own. Dispose unmounts and removes it. */
export interface SmallDisk extends Disposable {
  readonly folder: string
  /** Writes until not one more byte fits. */
  readonly fill: () => void
  readonly makeRoom: () => void
}

function mount(folder: string, sizeBytes: number): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'weightroom-test', folder]).status === 0
}

/** Mounts a disk; null where that is not allowed (it takes Linux and root). */
export function openSmallDisk(sizeBytes: number): SmallDisk | null {
  if (process.platform !== 'linux') return null
  const folder = mkdtempSync(join(tmpdir(), 'weightroom-small-disk-'))
  if (!mount(folder, sizeBytes)) {
    rmSync(folder, { recursive: true })
    return null
  }
  const filler = join(folder, 'filler')
  return {
    folder,
    fill: () => {
      for (let chunkBytes = 64 * 1024; chunkBytes >= 1; chunkBytes /= 4) while (append(filler, chunkBytes));
    },
    makeRoom: () => rmSync(filler, { force: true }),
    [Symbol.dispose]: () => {
      // Lazily, because a browser or a database may take a moment to let go of its files.
      spawnSync('umount', ['-l', folder])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** False when the disk is full. */
function append(path: string, sizeBytes: number): boolean {
  try {
    appendFileSync(path, new Uint8Array(sizeBytes))
    return true
  } catch (failure) {
    if (failure instanceof Error && 'code' in failure && failure.code === 'ENOSPC') return false
    throw failure
  }
}
