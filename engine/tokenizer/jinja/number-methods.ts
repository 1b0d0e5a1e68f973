// Attributes of int, float and bool. Follows Python 3.11.
import { bind } from './arguments'
import { type FunctionValue, type Value, isObject, numberOf, tuple } from './values'

const method = (name: string, call: () => Value): FunctionValue => ({
  kind: 'function',
  name,
  call: (args) => {
    bind(name, args, [])
    return call()
  },
})

/** An attribute of a number; undefined where it has none of that name. */
export function numberAttribute(object: Value, name: string): Value | undefined {
  const number = numberOf(object)
  if (number === null || isObject(object)) return undefined
  switch (name) {
    case 'real':
      return number
    case 'imag':
      return typeof number === 'bigint' ? 0n : 0
    case 'conjugate':
      return method(name, () => number)
    default:
      return typeof number === 'bigint' ? integerAttribute(number, name) : floatAttribute(number, name)
  }
}

function integerAttribute(number: bigint, name: string): Value | undefined {
  switch (name) {
    case 'numerator':
      return number
    case 'denominator':
      return 1n
    case 'bit_length':
      return method(name, () => (number === 0n ? 0n : BigInt((number < 0n ? -number : number).toString(2).length)))
    case 'bit_count':
      return method(name, () => BigInt((number < 0n ? -number : number).toString(2).replaceAll('0', '').length))
    case 'as_integer_ratio':
      return method(name, () => tuple([number, 1n]))
    default:
      return undefined
  }
}

function floatAttribute(number: number, name: string): Value | undefined {
  return name === 'is_integer' ? method(name, () => Number.isInteger(number)) : undefined
}
