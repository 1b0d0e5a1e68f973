// A log that keeps its entries for assertions and prints nothing.
import type { Log } from '../../../main/host'

/** A log and what was written to it. */
export interface RecordingLog extends Log {
  readonly entries: { readonly level: keyof Log; readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[]
}

/** Makes an empty log. */
export function recordingLog(): RecordingLog {
  const entries: RecordingLog['entries'] = []
  const at =
    (level: keyof Log) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      entries.push({ level, message, fields })
    }
  return { entries, info: at('info'), warn: at('warn'), error: at('error') }
}
