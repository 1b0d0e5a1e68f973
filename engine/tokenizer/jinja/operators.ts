// Arithmetic of Python's values: `+ - * / // % **` and signs. Follows Python 3.11 and, for text that is HTML already, markupsafe.
import type { Budget } from './budget'
import { PythonError, typeError } from './failures'
import { htmlEscape, markup } from './markup'
import type { BinaryOperator } from './nodes'
import { toFloat } from './numbers'
import { printfFormat } from './printf'
import { str } from './repr'
import { type Value, isObject, isUndefined, list, numberOf, textOf, tuple, typeName } from './values'

/** left `operator` right. Throws TypeError, ZeroDivisionError, OverflowError, UndefinedError. */
export function binary(operator: BinaryOperator, operands: { readonly left: Value; readonly right: Value }, budget: Budget): Value {
  const { left, right } = operands
  // Text is formatted with an undefined value as with an empty one; every other operator refuses it.
  if (operator === '%' && textOf(left) !== null) return printfFormat(left, right, budget)
  const undefinedOne = isUndefined(left) ? left : isUndefined(right) ? right : null
  if (undefinedOne) throw new PythonError('UndefinedError', undefinedOne.message)
  const [a, b] = [numberOf(left), numberOf(right)]
  if (a !== null && b !== null) {
    return typeof a === 'bigint' && typeof b === 'bigint'
      ? integerOperation(operator, { a, b }, budget)
      : floatOperation(operator, toFloat(a), toFloat(b))
  }
  const result = operator === '+' ? added(left, right, budget) : operator === '*' ? repeated(left, right, budget) : null
  if (result === null) throw typeError(`unsupported operand type(s) for ${operator}: '${typeName(left)}' and '${typeName(right)}'`)
  return result
}

function added(left: Value, right: Value, budget: Budget): Value | null {
  const [a, b] = [textOf(left), textOf(right)]
  if (a !== null && b !== null) {
    // The engine joins texts without copying them.
    budget.characters(a.length + b.length)
    if (typeof left === 'string' && typeof right === 'string') return a + b
    return markup((typeof left === 'string' ? htmlEscape(a) : a) + (typeof right === 'string' ? htmlEscape(b) : b))
  }
  if (!isObject(left) || !isObject(right)) return null
  if (left.kind === 'list' && right.kind === 'list') {
    budget.items(left.items.length + right.items.length)
    return list([...left.items, ...right.items])
  }
  if (left.kind === 'tuple' && right.kind === 'tuple') {
    budget.items(left.items.length + right.items.length)
    return tuple([...left.items, ...right.items])
  }
  return null
}

function repeated(left: Value, right: Value, budget: Budget): Value | null {
  const [value, times] = typeof right === 'bigint' || typeof right === 'boolean' ? [left, right] : [right, left]
  if (typeof times !== 'bigint' && typeof times !== 'boolean') return null
  const count = Math.max(0, Number(times))
  if (count >= 2 ** 63) throw new PythonError('OverflowError', "cannot fit 'int' into an index-sized integer")
  const text = textOf(value)
  if (text !== null) {
    budget.text(text === '' ? 0 : text.length * count)
    const many = text === '' ? '' : text.repeat(count)
    return typeof value === 'string' ? many : markup(many)
  }
  if (!isObject(value) || (value.kind !== 'list' && value.kind !== 'tuple')) return null
  if (value.items.length === 0) return value
  budget.items(value.items.length * count)
  const items = Array.from({ length: count }, () => value.items).flat()
  return value.kind === 'list' ? list(items) : tuple(items)
}

/** How many bits a whole number has, to within four. */
function bitLength(value: bigint): number {
  const magnitude = value < 0n ? -value : value
  return magnitude <= 0xffffffffffffn ? 48 : magnitude.toString(16).length * 4
}

function zeroDivision(message: string): PythonError {
  return new PythonError('ZeroDivisionError', message)
}

function integerOperation(operator: BinaryOperator, { a, b }: { readonly a: bigint; readonly b: bigint }, budget: Budget): Value {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      budget.bits(bitLength(a) + bitLength(b))
      return a * b
    case '/':
      if (b === 0n) throw zeroDivision('division by zero')
      return trueDivision(a, b)
    case '//':
      if (b === 0n) throw zeroDivision('integer division or modulo by zero')
      return floorDivision(a, b)
    case '%':
      if (b === 0n) throw zeroDivision('integer modulo by zero')
      return a - b * floorDivision(a, b)
    case '**':
      return integerPower(a, b, budget)
  }
}

const EXACT = 1n << 53n

/** a / b rounded once, whatever their size. Throws OverflowError. */
function trueDivision(a: bigint, b: bigint): number {
  const [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b]
  if (x <= EXACT && y <= EXACT) return Number(a) / Number(b)
  // More bits than a float has, and whether anything is left, decide how the last of them is rounded.
  const shift = BigInt(y.toString(2).length - x.toString(2).length + 66)
  const [top, bottom] = shift >= 0n ? [x << shift, y] : [x, y << -shift]
  const quotient = top / bottom
  const float = Number(top % bottom === 0n ? quotient : quotient | 1n) * 2 ** -Number(shift)
  if (!Number.isFinite(float)) throw new PythonError('OverflowError', 'integer division result too large for a float')
  return a < 0n !== b < 0n ? -float : float
}

function floorDivision(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient
}

function integerPower(a: bigint, b: bigint, budget: Budget): Value {
  if (b < 0n) return floatOperation('**', toFloat(a), toFloat(b))
  if (a === 0n || a === 1n || b === 0n) return a ** b
  if (a === -1n) return b % 2n === 0n ? 1n : -1n
  const magnitude = a < 0n ? -a : a
  budget.bits(Number(b) * (magnitude.toString(2).length - 1))
  return a ** b
}

function floatOperation(operator: BinaryOperator, a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      if (b === 0) throw zeroDivision('float division by zero')
      return a / b
    case '//':
      if (b === 0) throw zeroDivision('float floor division by zero')
      return floatFloorDivision(a, b)
    case '%':
      if (b === 0) throw zeroDivision('float modulo')
      return floatModulo(a, b)
    case '**':
      return floatPower(a, b)
  }
}

function floatModulo(a: number, b: number): number {
  const rest = a % b
  if (rest === 0) return b < 0 ? -0 : 0
  return rest < 0 !== b < 0 ? rest + b : rest
}

function floatFloorDivision(a: number, b: number): number {
  const quotient = (a - floatModulo(a, b)) / b
  if (quotient === 0) return a / b < 0 || Object.is(a / b, -0) ? -0 : 0
  const floor = Math.floor(quotient)
  return quotient - floor > 0.5 ? floor + 1 : floor
}

function floatPower(a: number, b: number): number {
  if (a === 0 && b < 0) throw zeroDivision('0.0 cannot be raised to a negative power')
  if (a < 0 && Number.isFinite(a) && Number.isFinite(b) && !Number.isInteger(b)) throw typeError('complex numbers are not supported')
  // JavaScript gives NaN here, IEEE 754 and Python 1.
  if (a === 1 || b === 0 || (a === -1 && !Number.isFinite(b) && !Number.isNaN(b))) return 1
  const power = a ** b
  if (!Number.isFinite(power) && Number.isFinite(a) && Number.isFinite(b))
    throw new PythonError('OverflowError', 'Numerical result out of range')
  return power
}

/** -value or +value. Throws TypeError, UndefinedError. */
export function signed(operator: '-' | '+', value: Value): Value {
  const number = numberOf(value)
  if (number !== null) return operator === '-' ? -number : number
  if (isUndefined(value)) throw new PythonError('UndefinedError', value.message)
  throw typeError(`bad operand type for unary ${operator}: '${typeName(value)}'`)
}

/** `~`: the texts of both. */
export function concatenated(parts: readonly Value[], budget: Budget): string {
  let text = ''
  for (const part of parts) {
    const piece = str(part, budget)
    budget.characters(text.length + piece.length)
    text += piece
  }
  return text
}
