// Paths that come from a window: made complete and plain before anything is done with them.
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { serviceError } from '../service-error'

/** A complete path without `.` and `..`; `~` is the person's own folder. Throws "places/not-absolute". */
export function localPath(path: string): string {
  const expanded = path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path
  // A NUL ends the name for the system, but not for us.
  if (!isAbsolute(expanded) || expanded.includes('\0')) throw serviceError('places/not-absolute', { path })
  return resolve(expanded)
}
