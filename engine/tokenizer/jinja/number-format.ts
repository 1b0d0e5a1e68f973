// Numbers under a format: the conversions `d x o b e f g %` of Python's format() and of its `%` operator, without width and alignment.
import { valueError } from './failures'
import { exponentText, fixedDigits, floatRepr, significantDigits } from './numbers'

/** Digits after the point: beyond what a float holds they are noise. */
const MAX_PRECISION = 1100

/** The digits of |value| in a base, with its prefix where `alternate`. */
export function integerDigits(value: bigint, { type, alternate }: { readonly type: string; readonly alternate: boolean }): string {
  const magnitude = value < 0n ? -value : value
  const radix = type === 'x' || type === 'X' ? 16 : type === 'o' ? 8 : type === 'b' ? 2 : 10
  const digits = magnitude.toString(radix)
  const prefixed = alternate && radix !== 10 ? `0${type.toLowerCase()}${digits}` : digits
  return type === 'X' ? prefixed.toUpperCase() : prefixed
}

export interface FloatFormat {
  /** One of e f g E F G n % or empty. */
  readonly type: string
  readonly precision: number | null
  readonly alternate: boolean
}

/** The digits of |value|. Throws ValueError for a huge precision. */
export function floatDigits(value: number, { type, precision, alternate }: FloatFormat): string {
  if ((precision ?? 0) > MAX_PRECISION) throw valueError('precision too big')
  const upper = type === 'E' || type === 'F' || type === 'G'
  const shown = floatDigitsOf(Math.abs(value), { type: type.toLowerCase(), precision, alternate })
  return upper ? shown.toUpperCase() : shown
}

function floatDigitsOf(value: number, { type, precision, alternate }: FloatFormat): string {
  if (!Number.isFinite(value)) return `${Number.isNaN(value) ? 'nan' : 'inf'}${type === '%' ? '%' : ''}`
  const point = (text: string, digits: number) => (digits === 0 && alternate ? `${text}.` : text)
  switch (type) {
    case 'f':
      return point(fixedDigits(value, precision ?? 6), precision ?? 6)
    case '%':
      return `${point(fixedDigits(value * 100, precision ?? 6), precision ?? 6)}%`
    case 'e':
      return exponential(significantDigits(value, (precision ?? 6) + 1), alternate)
    case 'g':
    case 'n':
      return general(value, { precision: precision === null ? 6 : Math.max(1, precision), alternate, wholeFrom: 0 })
    default:
      // Without a type a float keeps a digit after its point.
      return precision === null ? floatRepr(value) : general(value, { precision: Math.max(1, precision), alternate, wholeFrom: 1 })
  }
}

function exponential({ digits, exponent }: { readonly digits: string; readonly exponent: number }, alternate: boolean): string {
  const rest = digits.slice(1)
  return `${digits.charAt(0)}${rest === '' && !alternate ? '' : `.${rest}`}e${exponentText(exponent)}`
}

/** `wholeFrom: 1` writes `1.0` for a whole number, and its exponent a digit earlier. */
function general(
  value: number,
  { precision, alternate, wholeFrom }: { readonly precision: number; readonly alternate: boolean; readonly wholeFrom: 0 | 1 },
): string {
  const { digits, exponent } = significantDigits(value, precision)
  const trimmed = alternate ? digits : digits.replace(/0+$/, '') || '0'
  if (exponent < -4 || exponent >= precision - (wholeFrom === 1 && exponent >= precision - 1 && precision > 0 ? 1 : 0)) {
    return exponential({ digits: trimmed, exponent }, alternate)
  }
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${trimmed}`
  const whole = trimmed.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  const rest = trimmed.slice(exponent + 1)
  return rest === '' && !alternate ? (wholeFrom === 1 ? `${whole}.0` : whole) : `${whole}.${rest}`
}
