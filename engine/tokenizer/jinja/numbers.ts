// Python's numbers in text: repr of a float, correctly rounded decimals (half to even, exact), int() and float() of a text.
import { PythonError, valueError } from './failures'
import { pythonStrip } from './python-space'

/** repr(float). */
export function floatRepr(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const magnitude = Math.abs(value)
  if (magnitude === 0) return `${sign}0.0`
  // JavaScript's shortest digits are Python's; only where the exponent begins differs.
  const [mantissa = '', exponentText = '0'] = magnitude.toExponential().split('e')
  const exponent = Number(exponentText)
  const digits = mantissa.replace('.', '')
  if (exponent < -4 || exponent >= 16) return sign + scientific(digits, exponent)
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`
}

function scientific(digits: string, exponent: number): string {
  const rest = digits.slice(1)
  return `${digits.charAt(0)}${rest === '' ? '' : `.${rest}`}e${exponentText(exponent)}`
}

/** An exponent with its sign and at least two digits. */
export function exponentText(exponent: number): string {
  return `${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

/** |value| as numerator / denominator, exactly. */
function fractionOf(value: number): { readonly numerator: bigint; readonly denominator: bigint } {
  let exponent = 0
  let mantissa = Math.abs(value)
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2
    exponent++
  }
  return { numerator: BigInt(mantissa), denominator: 1n << BigInt(exponent) }
}

/** numerator / denominator as a whole number, ties to even. */
function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator
  const twice = 2n * (numerator % denominator)
  if (twice < denominator || (twice === denominator && quotient % 2n === 0n)) return quotient
  return quotient + 1n
}

/** |value| with `digits` digits after the point, half to even of the exact value. */
export function fixedDigits(value: number, digits: number): string {
  const { numerator, denominator } = fractionOf(value)
  const scaled = divideHalfEven(numerator * 10n ** BigInt(digits), denominator)
    .toString()
    .padStart(digits + 1, '0')
  return digits === 0 ? scaled : `${scaled.slice(0, -digits)}.${scaled.slice(-digits)}`
}

/** |value| as `count` significant digits and the exponent of the first one. */
export function significantDigits(value: number, count: number): { readonly digits: string; readonly exponent: number } {
  const magnitude = Math.abs(value)
  if (magnitude === 0) return { digits: '0'.repeat(count), exponent: 0 }
  const { numerator, denominator } = fractionOf(magnitude)
  let exponent = Number(magnitude.toExponential().split('e')[1])
  for (;;) {
    const shift = count - 1 - exponent
    const scaled =
      shift >= 0
        ? divideHalfEven(numerator * 10n ** BigInt(shift), denominator)
        : divideHalfEven(numerator, denominator * 10n ** BigInt(-shift))
    const digits = scaled.toString()
    if (digits.length === count) return { digits, exponent }
    // Rounding carried into a further digit.
    exponent++
  }
}

/** round(float, digits). */
export function roundFloat(value: number, digits: number): number {
  if (!Number.isFinite(value) || digits > 323) return value
  if (digits >= 0) return Math.sign(value) * Number(fixedDigits(value, digits)) || (value < 0 ? -0 : 0)
  const { numerator, denominator } = fractionOf(value)
  const unit = 10n ** BigInt(Math.min(-digits, 400))
  return Math.sign(value) * Number(divideHalfEven(numerator, denominator * unit) * unit) || (value < 0 ? -0 : 0)
}

/** round(int, digits) for negative digits. */
export function roundInteger(value: bigint, digits: number): bigint {
  const unit = 10n ** BigInt(Math.min(-digits, 5000))
  const magnitude = divideHalfEven(value < 0n ? -value : value, unit) * unit
  return value < 0n ? -magnitude : magnitude
}

const DIGIT_VALUES = '0123456789abcdefghijklmnopqrstuvwxyz'
const PREFIXES: Readonly<Record<string, number>> = { '0x': 16, '0o': 8, '0b': 2 }

/** int(text, base). Throws ValueError. */
export function parseInteger(text: string, base = 10): bigint {
  const fail = () => valueError(`invalid literal for int() with base ${base}: '${text}'`)
  if (base !== 0 && (base < 2 || base > 36)) throw valueError('int() base must be >= 2 and <= 36, or 0')
  const match = /^([+-]?)(0[xob])?(_?[0-9a-z](?:_?[0-9a-z])*)$/i.exec(pythonStrip(text, { sides: 'both' }))
  if (!match || match[0].length > 5000) throw fail()
  const prefix = match[2]?.toLowerCase() ?? ''
  let body = match[3] ?? ''
  let radix = PREFIXES[prefix] ?? 0
  if (base !== 0 && prefix !== '' && radix !== base) {
    // With base 16 "0b1" is a number of four digits.
    body = prefix + body
    radix = base
  } else if (base !== 0) radix = base
  if (prefix === '' && body.startsWith('_')) throw fail()
  if (radix === 0) {
    radix = 10
    if (/^0[0_]*[1-9]/.test(body)) throw fail()
  }
  const digits = Array.from(body.toLowerCase().replaceAll('_', ''), (digit) => DIGIT_VALUES.indexOf(digit))
  if (digits.some((digit) => digit >= radix)) throw fail()
  if (radix === 10 && digits.length > 4300) throw valueError('Exceeds the limit (4300 digits) for integer string conversion')
  const magnitude = digits.reduce((total, digit) => total * BigInt(radix) + BigInt(digit), 0n)
  return match[1] === '-' ? -magnitude : magnitude
}

/** float(text). Throws ValueError. */
export function parseFloatText(text: string): number {
  const trimmed = pythonStrip(text, { sides: 'both' })
  const special = /^([+-]?)(?:(inf(?:inity)?)|nan)$/i.exec(trimmed)
  if (special) return special[2] === undefined ? NaN : special[1] === '-' ? -Infinity : Infinity
  if (!/^[+-]?(?:\d(?:_?\d)*\.?(?:\d(?:_?\d)*)?|\.\d(?:_?\d)*)(?:e[+-]?\d(?:_?\d)*)?$/i.test(trimmed)) {
    throw valueError(`could not convert string to float: '${text}'`)
  }
  return Number(trimmed.replaceAll('_', ''))
}

/** float(int). Throws OverflowError. */
export function toFloat(value: bigint | number): number {
  const float = Number(value)
  if (typeof value === 'bigint' && !Number.isFinite(float)) throw new PythonError('OverflowError', 'int too large to convert to float')
  return float
}

/** int(float). Throws ValueError, OverflowError. */
export function integerOf(value: number): bigint {
  if (Number.isNaN(value)) throw valueError('cannot convert float NaN to integer')
  if (!Number.isFinite(value)) throw new PythonError('OverflowError', 'cannot convert float infinity to integer')
  return BigInt(Math.trunc(value))
}
