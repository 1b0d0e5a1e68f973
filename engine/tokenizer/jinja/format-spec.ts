// format(value, spec): Python's format specification mini-language (3.11) for str, int, float, bool; other values take no specification.
import type { Budget } from './budget'
import { typeError, valueError } from './failures'
import { textLength } from './iteration'
import { floatDigits, integerDigits } from './number-format'
import { toFloat } from './numbers'
import { hexEscape, str } from './repr'
import { type Value, textOf, typeName } from './values'

const SPEC = /^(?:([^])?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\d+)?([_,])?(?:\.(\d+))?([^])?$/u

interface Spec {
  readonly fill: string
  readonly align: string | null
  readonly sign: string | null
  /** `z`: what rounds to nothing has no sign. */
  readonly noNegativeZero: boolean
  readonly alternate: boolean
  readonly width: number
  readonly grouping: string
  readonly precision: number | null
  readonly type: string
}

/** ascii(): what repr gives, with everything beyond ASCII escaped. */
export function asciiOf(text: string): string {
  return text.replace(/[^\0-\x7f]/gu, hexEscape)
}

/** format(value, spec). Throws ValueError, TypeError. */
export function formatValue(value: Value, specText: string, budget: Budget): string {
  if (specText === '') return str(value, budget)
  const isText = textOf(value) !== null
  if (!isText && typeof value !== 'boolean' && typeof value !== 'bigint' && typeof value !== 'number') {
    throw typeError(`unsupported format string passed to ${typeName(value)}.__format__`)
  }
  const spec = parseSpec(specText)
  budget.text(spec.width + (spec.precision ?? 0))
  if (isText) return formatText(textOf(value) ?? '', spec)
  if (typeof value === 'number') return formatFloat(value, spec)
  const integer = typeof value === 'bigint' ? value : BigInt(value === true)
  if (typeof value === 'boolean' && spec.type === '') return formatBoolean(value, spec)
  return 'eEfFgG%'.includes(spec.type) && spec.type !== '' ? formatFloat(toFloat(integer), spec) : formatInteger(integer, spec)
}

function parseSpec(text: string): Spec {
  const match = SPEC.exec(text)
  if (!match) throw valueError(`Invalid format specifier '${text}'`)
  const [, fill, align, sign, noNegativeZero, alternate, zero, width, grouping, precision, type] = match
  // A leading 0 of the width fills with zeros behind the sign.
  const zeros = zero !== undefined && align === undefined
  return {
    fill: fill ?? (zero === undefined ? ' ' : '0'),
    align: align ?? (zeros ? '=' : null),
    sign: sign ?? null,
    noNegativeZero: noNegativeZero !== undefined,
    alternate: alternate !== undefined,
    width: Number(width ?? 0),
    grouping: grouping ?? '',
    precision: precision === undefined ? null : Number(precision),
    type: type ?? '',
  }
}

function padded(body: string, spec: Spec & { readonly prefix: string; readonly usual: '<' | '>' }): string {
  const missing = Math.max(0, spec.width - textLength(body) - spec.prefix.length)
  const align = spec.align ?? spec.usual
  if (align === '<') return spec.prefix + body + spec.fill.repeat(missing)
  if (align === '=') return spec.prefix + spec.fill.repeat(missing) + body
  if (align === '>') return spec.fill.repeat(missing) + spec.prefix + body
  const left = Math.floor(missing / 2)
  return spec.fill.repeat(left) + spec.prefix + body + spec.fill.repeat(missing - left)
}

function formatText(text: string, spec: Spec): string {
  if (spec.type !== '' && spec.type !== 's') throw valueError(`Unknown format code '${spec.type}' for object of type 'str'`)
  if (spec.sign !== null || spec.alternate || spec.noNegativeZero || spec.grouping !== '')
    throw valueError('Sign, # or grouping not allowed in string format specifier')
  // From 3.10 on a leading zero fills text too, from the left.
  const align = spec.align === '=' ? '<' : spec.align
  const cut = spec.precision === null ? text : Array.from(text).slice(0, spec.precision).join('')
  return padded(cut, { ...spec, align, prefix: '', usual: '<' })
}

function formatBoolean(value: boolean, spec: Spec): string {
  return formatInteger(BigInt(value), spec)
}

function signOf(negative: boolean, { sign }: Spec): string {
  return negative ? '-' : sign === '-' ? '' : (sign ?? '')
}

function formatInteger(value: bigint, spec: Spec): string {
  const { type } = spec
  if (spec.noNegativeZero) throw valueError('Negative zero coercion (z) not allowed in format specifier with integer')
  if (spec.precision !== null) throw valueError('Precision not allowed in integer format specifier')
  if (type === 'c') return padded(String.fromCodePoint(Number(value)), { ...spec, prefix: '', usual: '<' })
  if (!['', 'd', 'n', 'b', 'o', 'x', 'X'].includes(type)) throw valueError(`Unknown format code '${type}' for object of type 'int'`)
  if (spec.grouping === ',' && 'boxX'.includes(type) && type !== '') throw valueError(`Cannot specify ',' with '${type}'.`)
  const digits = integerDigits(value, { type, alternate: false })
  const radixPrefix = spec.alternate && 'boxX'.includes(type) && type !== '' ? `0${type}` : ''
  const size = 'boxX'.includes(type) && type !== '' ? 4 : 3
  const prefix = signOf(value < 0n, spec) + radixPrefix
  return padded(grouped(digits, { ...spec, size, prefix }), { ...spec, prefix, usual: '>' })
}

function formatFloat(value: number, spec: Spec): string {
  if (!['', 'e', 'E', 'f', 'F', 'g', 'G', 'n', '%'].includes(spec.type)) {
    throw valueError(`Unknown format code '${spec.type}' for object of type 'float'`)
  }
  const digits = floatDigits(value, spec)
  const isZero = spec.noNegativeZero && !/[1-9a-z]/i.test(digits.split(/e/i)[0] ?? '')
  const prefix = signOf((value < 0 || Object.is(value, -0)) && !isZero, spec)
  return padded(grouped(digits, { ...spec, size: 3, prefix }), { ...spec, prefix, usual: '>' })
}

/** Digits before the point in groups; zeros that fill the width are grouped too. */
function grouped(digits: string, spec: Spec & { readonly size: number; readonly prefix: string }): string {
  if (spec.grouping === '') return digits
  const [, whole = '', rest = ''] = (spec.size === 4 ? /^([\da-fA-F]*)([^]*)$/ : /^(\d*)([^]*)$/).exec(digits) ?? []
  const join = (text: string) => text.replace(new RegExp(`\\B(?=(?:[\\da-fA-F]{${spec.size}})+$)`, 'g'), spec.grouping)
  let shown = join(whole)
  if (spec.align === '=' && spec.fill === '0') {
    let filled = whole
    while (join(`0${filled}`).length + rest.length + spec.prefix.length <= spec.width) filled = `0${filled}`
    shown = join(filled)
    // A separator never stands first, so that one more zero may go beyond the width.
    if (shown.length + rest.length + spec.prefix.length < spec.width) shown = join(`0${filled}`)
  }
  return shown + rest
}
