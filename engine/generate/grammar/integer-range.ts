// Whole numbers between two bounds as digits: 7 to 215 is [7-9] | [1-9][0-9] | 1[0-9][0-9] | 20[0-9] | 21[0-5].
import { choice, codePoints, repeat, sequence, text, type GrammarNode } from './nodes'

/** Most digits that are written for an open end; a double keeps 15. */
const MOST_DIGITS = 15
const ZERO = 0x30

/** Numbers from `min` to `max` (null: no bound), without leading zeros, minus zero left out. Bounds are safe integers, min at most max. */
export function integerRange(min: number | null, max: number | null): GrammarNode {
  const options: GrammarNode[] = []
  if (min === null || min < 0) {
    const highest = min === null ? 10 ** MOST_DIGITS - 1 : -min
    const lowest = max !== null && max < 0 ? -max : 1
    if (lowest <= highest) options.push(sequence(text('-'), upFrom(lowest, highest)))
  }
  if (max === null || max >= 0) options.push(upFrom(Math.max(min ?? 0, 0), max ?? Math.max(10 ** MOST_DIGITS - 1, min ?? 0)))
  return choice(...options)
}

/** Numbers of 0 and more, by their number of digits. */
function upFrom(min: number, max: number): GrammarNode {
  const options: GrammarNode[] = []
  for (let digits = String(min).length; digits <= String(max).length; digits++) {
    const lowest = digits === 1 ? 0 : 10 ** (digits - 1)
    const [from, to] = [Math.max(min, lowest), Math.min(max, 10 ** digits - 1)]
    options.push(sameLength(String(from), String(to)))
  }
  return choice(...options)
}

const digitsFrom = (from: number, to: number): GrammarNode => codePoints([[ZERO + from, ZERO + to]])

/** Numbers of as many digits as both bounds have. */
function sameLength(from: string, to: string): GrammarNode {
  if (from === '') return text('')
  const [first, last] = [Number(from[0]), Number(to[0])]
  const [fromRest, toRest] = [from.slice(1), to.slice(1)]
  if (first === last) return sequence(text(String(first)), sameLength(fromRest, toRest))
  const options: GrammarNode[] = []
  const any = repeat(digitsFrom(0, 9), fromRest.length, fromRest.length)
  let [whole, wholeTo] = [first, last]
  if (/[1-9]/.test(fromRest)) {
    options.push(sequence(text(String(first)), sameLength(fromRest, '9'.repeat(fromRest.length))))
    whole++
  }
  if (/[0-8]/.test(toRest)) {
    options.push(sequence(text(String(last)), sameLength('0'.repeat(toRest.length), toRest)))
    wholeTo--
  }
  if (whole <= wholeTo) options.push(sequence(digitsFrom(whole, wholeTo), any))
  return choice(...options)
}
