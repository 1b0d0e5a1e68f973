// Dates in chat templates: the directives of Python's datetime.strftime in the C locale, local time.

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

/** Formats a date; unknown directives stay as they are. `%-d` and its kind leave out leading zeros, as glibc does. */
export function strftime(date: Date, format: string): string {
  return format.replace(/%(-?)([A-Za-z%])/g, (directive, dash: string, letter: string) => {
    const value = directiveValue(date, letter)
    if (value === null) return directive
    return dash === '' ? value : value.replace(/^0+(?=\d)/, '')
  })
}

function directiveValue(date: Date, letter: string): string | null {
  const two = (value: number) => String(value).padStart(2, '0')
  const day = DAYS[date.getDay()] ?? ''
  const month = MONTHS[date.getMonth()] ?? ''
  switch (letter) {
    case 'Y':
      return String(date.getFullYear())
    case 'y':
      return two(date.getFullYear() % 100)
    case 'm':
      return two(date.getMonth() + 1)
    case 'B':
      return month
    case 'b':
    case 'h':
      return month.slice(0, 3)
    case 'd':
      return two(date.getDate())
    case 'e':
      return String(date.getDate()).padStart(2, ' ')
    case 'j':
      return String(dayOfYear(date)).padStart(3, '0')
    case 'A':
      return day
    case 'a':
      return day.slice(0, 3)
    case 'H':
      return two(date.getHours())
    case 'I':
      return two(date.getHours() % 12 || 12)
    case 'p':
      return date.getHours() < 12 ? 'AM' : 'PM'
    case 'M':
      return two(date.getMinutes())
    case 'S':
      return two(date.getSeconds())
    case 'F':
      return strftime(date, '%Y-%m-%d')
    case 'T':
      return strftime(date, '%H:%M:%S')
    case '%':
      return '%'
    default:
      return null
  }
}

function dayOfYear(date: Date): number {
  const start = Date.UTC(date.getFullYear(), 0, 1)
  return Math.round((Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - start) / 86_400_000) + 1
}
