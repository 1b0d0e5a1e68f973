// Arguments of Python's functions: which parameter gets which value.
import { typeError } from './failures'
import { type Arguments, type Value, numberOf, textOf, typeName } from './values'

/** Values by parameter, in their order; absent ones are undefined. A parameter ending in `?` has a default, one ending in `/` is never named. */
export function bind(name: string, { positional, named }: Arguments, parameters: readonly string[]): (Value | undefined)[] {
  if (positional.length > parameters.length) {
    throw typeError(`${name}() takes at most ${parameters.length} arguments (${positional.length} given)`)
  }
  const bound: (Value | undefined)[] = parameters.map((_, index) => positional[index])
  for (const [key, value] of named) {
    const index = parameters.findIndex((parameter) => parameter === key || parameter === `${key}?`)
    if (index === -1) throw typeError(`${name}() got an unexpected keyword argument '${key}'`)
    if (index < positional.length) throw typeError(`${name}() got multiple values for argument '${key}'`)
    bound[index] = value
  }
  parameters.forEach((parameter, index) => {
    if (bound[index] === undefined && !parameter.includes('?'))
      throw typeError(`${name}() missing the argument '${parameter.replace('/', '')}'`)
  })
  return bound
}

/** An index or a count: bool and int. Throws TypeError. */
export function asIndex(value: Value): number {
  const number = numberOf(value)
  if (typeof number !== 'bigint') throw typeError(`'${typeName(value)}' object cannot be interpreted as an integer`)
  return Number(number)
}

/** A text. Throws TypeError. */
export function asText(value: Value): string {
  const text = textOf(value)
  if (text === null) throw typeError(`expected str, got ${typeName(value)}`)
  return text
}
