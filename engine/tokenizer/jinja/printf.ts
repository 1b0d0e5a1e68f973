// The `%` operator of str. Follows Python 3.11 (printf-style String Formatting).
import type { Budget } from './budget'
import { htmlEscape, markup } from './markup'
import { PythonError, typeError, valueError } from './failures'
import { hashKey } from './compare'
import { textLength } from './iteration'
import { floatDigits, integerDigits } from './number-format'
import { integerOf, toFloat } from './numbers'
import { asciiOf } from './format-spec'
import { repr, str } from './repr'
import { type Value, isObject, numberOf, textOf, typeName } from './values'

const DIRECTIVE = /%(?:\(([^)]*)\))?([-+ #0]*)(\*|\d+)?(?:\.(\*|\d*))?[hlL]?([^])?/gu

interface Directive {
  readonly flags: string
  readonly width: number
  readonly precision: number | null
  readonly type: string
}

/** format % values. Throws TypeError, ValueError, KeyError. */
export function printfFormat(format: Value, values: Value, budget: Budget): Value {
  const text = textOf(format) ?? ''
  const isTuple = isObject(values) && values.kind === 'tuple'
  // A list counts as a mapping to Python's check for values left over.
  const isMapping = isObject(values) && ['dict', 'list', 'range', 'undefined'].includes(values.kind)
  const given = isTuple ? values.items : [values]
  let next = 0
  const names: string[] = []
  const take = (): Value => {
    if (next >= given.length) throw typeError('not enough arguments for format string')
    return given[next++] ?? null
  }
  const escapes = typeof format !== 'string'
  const whole = (star: string | undefined): number | null => {
    if (star !== '*') return star === undefined ? null : Number(star)
    const value = take()
    if (typeof value !== 'bigint') throw typeError('* wants int')
    return Number(value)
  }
  let length = 0
  const result = text.replace(DIRECTIVE, (_, key: string | undefined, flags: string, ...rest: (string | undefined)[]) => {
    const [widthText, precisionText, type] = rest
    if (type === undefined) throw valueError('incomplete format')
    if (type === '%' && key === undefined) return '%'
    let value: Value | undefined
    if (key !== undefined) {
      if (!isMapping) throw typeError('format requires a mapping')
      const entry = values.kind === 'dict' ? values.entries.get(hashKey(key, budget)) : undefined
      if (!entry) throw new PythonError('KeyError', `'${key}'`)
      value = entry.value
      names.push(key)
    }
    let width = whole(widthText) ?? 0
    const left = width < 0 ? '-' : ''
    width = Math.abs(width)
    const precision = whole(precisionText === '' ? '0' : precisionText)
    if (type === '%') return '%'
    if (value === undefined) value = names.length > 0 && isMapping ? values : take()
    budget.characters((length += Math.max(width, precision ?? 0)))
    budget.text(Math.max(width, precision ?? 0))
    const shown = directive(value, { flags: flags + left, width, precision, type }, { budget, escapes })
    length += shown.length
    return shown
  })
  if (next < given.length && !isMapping) {
    throw typeError('not all arguments converted during string formatting')
  }
  return escapes ? markup(result) : result
}

function directive(value: Value, options: Directive, { budget, escapes }: { readonly budget: Budget; readonly escapes: boolean }): string {
  const { flags, width, precision, type } = options
  const pad = (body: string, sign = ''): string => {
    const missing = Math.max(0, width - textLength(body) - sign.length)
    if (flags.includes('-')) return sign + body + ' '.repeat(missing)
    if (flags.includes('0') && NUMERIC.has(type) && !/^(?:inf|nan)/i.test(body)) {
      const prefix = /^0[xob]/i.exec(body)?.[0] ?? ''
      return sign + prefix + '0'.repeat(missing) + body.slice(prefix.length)
    }
    return ' '.repeat(missing) + sign + body
  }
  const signFor = (negative: boolean) => (negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '')
  if (type === 's' || type === 'r' || type === 'a') {
    const plain = type === 's' ? str(value, budget) : type === 'r' ? repr(value, budget) : asciiOf(repr(value, budget))
    const full = escapes && !(type === 's' && isObject(value) && value.kind === 'markup') ? htmlEscape(plain) : plain
    return pad(precision === null ? full : Array.from(full).slice(0, precision).join(''))
  }
  if (type === 'c') return pad(characterOf(value))
  if (!NUMERIC.has(type)) throw valueError(`unsupported format character '${type}'`)
  const number = numberOf(value)
  if (number === null) {
    throw typeError(INTEGER.has(type) ? `%${type} format: a real number is required, not ${typeName(value)}` : 'must be real number')
  }
  if (INTEGER.has(type)) {
    if (typeof number === 'number' && type !== 'd' && type !== 'i' && type !== 'u')
      throw typeError(`%${type} format: an integer is required, not float`)
    const integer = typeof number === 'bigint' ? number : integerOf(number)
    const digits = integerDigits(integer, { type: type === 'i' || type === 'u' ? 'd' : type, alternate: flags.includes('#') })
    return pad(precision === null ? digits : digits.padStart(precision, '0'), signFor(integer < 0n))
  }
  const float = toFloat(number)
  return pad(
    floatDigits(float, { type, precision: precision ?? 6, alternate: flags.includes('#') }),
    signFor(float < 0 || Object.is(float, -0)),
  )
}

const INTEGER: ReadonlySet<string> = new Set('diuxXo')
const NUMERIC: ReadonlySet<string> = new Set('diuxXoeEfFgG')

function characterOf(value: Value): string {
  if (typeof value === 'bigint' || typeof value === 'boolean') {
    const code = Number(value)
    if (code < 0 || code > 0x10ffff) throw new PythonError('OverflowError', '%c arg not in range(0x110000)')
    return String.fromCodePoint(code)
  }
  const text = textOf(value)
  if (text === null || textLength(text) !== 1) throw typeError('%c requires int or char')
  return text
}
