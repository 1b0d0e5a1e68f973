// Dates in chat templates: the directives of Python's datetime.strftime with glibc in the C locale, local time.

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const

/** Formats a date; unknown directives stay as they are. `%-d` leaves out leading zeros, `%_d` makes them blanks, `%^a` writes capitals. */
export function strftime(date: Date, format: string): string {
  return format.replace(/%([-_0^]*)([A-Za-z%])/g, (directive, flags: string, letter: string) => {
    const found = directiveOf(date, letter)
    return found === null ? directive : flagged(found, flags)
  })
}

/** A number has a width and what fills it; a text has none. */
type Found = string | { readonly number: number; readonly width: number; readonly fill?: ' ' }

function flagged(found: Found, flags: string): string {
  if (typeof found === 'string') return flags.includes('^') ? found.toUpperCase() : found
  const flag = flags.replaceAll('^', '').at(-1)
  if (flag === '-') return String(found.number)
  const fill = flag === '_' ? ' ' : flag === '0' ? '0' : (found.fill ?? '0')
  return String(found.number).padStart(found.width, fill)
}

function directiveOf(date: Date, letter: string): Found | null {
  return numberOf(date, letter) ?? nameOf(date, letter) ?? composedOf(date, letter)
}

function numberOf(date: Date, letter: string): Found | null {
  const two = (number: number, fill?: ' '): Found => ({ number, width: 2, ...(fill && { fill }) })
  const [year, day, hours] = [date.getFullYear(), date.getDay(), date.getHours()]
  switch (letter) {
    case 'Y':
      return { number: year, width: 1 }
    case 'C':
      return two(Math.floor(year / 100))
    case 'y':
      return two(year % 100)
    case 'm':
      return two(date.getMonth() + 1)
    case 'd':
      return two(date.getDate())
    case 'e':
      return two(date.getDate(), ' ')
    case 'j':
      return { number: dayOfYear(date), width: 3 }
    case 'H':
      return two(hours)
    case 'k':
      return two(hours, ' ')
    case 'I':
      return two(hours % 12 || 12)
    case 'l':
      return two(hours % 12 || 12, ' ')
    case 'M':
      return two(date.getMinutes())
    case 'S':
      return two(date.getSeconds())
    case 'w':
      return { number: day, width: 1 }
    case 'u':
      return { number: day || 7, width: 1 }
    case 'U':
      return two(Math.floor((dayOfYear(date) + 6 - day) / 7))
    case 'W':
      return two(Math.floor((dayOfYear(date) + 6 - ((day + 6) % 7)) / 7))
    case 'V':
      return two(isoWeek(date).week)
    case 'G':
      return { number: isoWeek(date).year, width: 1 }
    case 'g':
      return two(isoWeek(date).year % 100)
    case 's':
      return String(Math.floor(date.getTime() / 1000))
    default:
      return null
  }
}

function nameOf(date: Date, letter: string): string | null {
  const day = DAYS[date.getDay()] ?? ''
  const month = MONTHS[date.getMonth()] ?? ''
  switch (letter) {
    case 'B':
      return month
    case 'b':
    case 'h':
      return month.slice(0, 3)
    case 'A':
      return day
    case 'a':
      return day.slice(0, 3)
    case 'p':
      return date.getHours() < 12 ? 'AM' : 'PM'
    case 'P':
      return date.getHours() < 12 ? 'am' : 'pm'
    case 'f':
      return `${String(date.getMilliseconds()).padStart(3, '0')}000`
    case 'n':
      return '\n'
    case 't':
      return '\t'
    case '%':
      return '%'
    // Transformers asks a clock without a time zone.
    case 'Z':
    case 'z':
      return ''
    default:
      return null
  }
}

const COMPOSED: Readonly<Record<string, string>> = {
  F: '%Y-%m-%d',
  D: '%m/%d/%y',
  x: '%m/%d/%y',
  T: '%H:%M:%S',
  X: '%H:%M:%S',
  R: '%H:%M',
  r: '%I:%M:%S %p',
  c: '%a %b %e %H:%M:%S %Y',
}

function composedOf(date: Date, letter: string): string | null {
  const format = Object.hasOwn(COMPOSED, letter) ? COMPOSED[letter] : undefined
  return format === undefined ? null : strftime(date, format)
}

function dayOfYear(date: Date): number {
  const start = Date.UTC(date.getFullYear(), 0, 1)
  return Math.round((Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - start) / 86_400_000) + 1
}

/** ISO 8601: a week belongs to the year of its Thursday. */
function isoWeek(date: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(date.getFullYear(), date.getMonth(), date.getDate() + 4 - (date.getDay() || 7), 12)
  return { year: thursday.getFullYear(), week: Math.ceil(dayOfYear(thursday) / 7) }
}
