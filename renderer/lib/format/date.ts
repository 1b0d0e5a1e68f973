// Dates as people read them, in the spoken language.
import { spoken } from '../i18n/spoken.svelte'

/** Day and time of a moment (milliseconds since 1970), in the system's time zone. */
export function formatMoment(timeMs: number): string {
  return new Intl.DateTimeFormat(spoken.language, { dateStyle: 'medium', timeStyle: 'short' }).format(timeMs)
}
