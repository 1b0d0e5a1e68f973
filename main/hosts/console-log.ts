// The hosts' log: one line per entry on standard error, so that standard output stays the host's own.
import type { Log } from '../host'
import { printable } from './printable'

const LEVELS = ['error', 'warn', 'info'] as const
type Level = (typeof LEVELS)[number]

/** A log of entries of `level` and worse; errors and warnings when it names no level. */
function createLog(write: (line: string) => void, level: string | undefined): Log {
  const last = LEVELS.findIndex((known) => known === level)
  const shown = LEVELS.slice(0, last < 0 ? LEVELS.indexOf('warn') + 1 : last + 1)
  const entry =
    (own: Level) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      if (!shown.includes(own)) return
      const data = Object.entries(fields).map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
      write(`weightroom ${own}: ${printable(`${message}${data.join('')}`)}\n`)
    }
  return { error: entry('error'), warn: entry('warn'), info: entry('info') }
}

/** The log of this process; WEIGHTROOM_LOG (error, warn, info) sets how much it says. */
export const consoleLog: Log = createLog((line) => process.stderr.write(line), process.env['WEIGHTROOM_LOG'])
