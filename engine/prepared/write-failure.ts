// Why writing prepared weights failed, as the engine's errors.
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { engineError } from '../errors'

/** The code of a failed system call, or what else is known of a failure. */
export function systemReason(cause: unknown): string {
  if (typeof cause === 'string') return cause
  return cause instanceof Error ? ('code' in cause ? String(cause.code) : cause.message) : String(cause)
}

/** Free bytes of the disk that a folder is or will be on; Infinity where the system does not say. */
export async function freeDiskBytes(folder: string): Promise<number> {
  for (let at = folder; ; at = dirname(at)) {
    const found = await statfs(at).catch(() => null)
    if (found) return found.bavail * found.bsize
    if (dirname(at) === at) return Number.POSITIVE_INFINITY
  }
}

/** "prepared/disk-full" where there is no room, else "prepared/write-failed". `reason` is a failure or its code. */
export async function writeFailure(path: string, options: { readonly reason: unknown; readonly neededBytes: number }): Promise<Error> {
  const reason = systemReason(options.reason)
  const cause = options.reason instanceof Error ? options.reason : undefined
  if (reason !== 'ENOSPC' && reason !== 'EDQUOT') return engineError('prepared/write-failed', { path, reason }, cause)
  const folder = dirname(path)
  return engineError('prepared/disk-full', { folder, neededBytes: options.neededBytes, freeBytes: await freeDiskBytes(folder) }, cause)
}
