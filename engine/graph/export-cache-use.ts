// Whether a graph's cache may live in place: GroupQueryAttention updates past and present in one buffer (ONNX Runtime 1.30, ContribOperators.md), other operators need them apart.
import type { OnnxOutline } from '../checkpoint/onnx/outline'

/** Places of keys and values among the operator's inputs and outputs. */
const PLACES = [
  { input: 3, output: 1 },
  { input: 4, output: 2 },
] as const

/**
 * True when every past value goes into one GroupQueryAttention only, whose own output is the present value and goes nowhere else: then nothing
 * in the graph can see that the buffer is longer than what is valid in it.
 */
export function keepsCacheInPlace(outline: OnnxOutline, cache: readonly { readonly name: string; readonly present: string }[]): boolean {
  const uses = new Map<string, number>()
  const pairs = new Set<string>()
  for (const { domain, operator, inputs, outputs } of outline.nodes) {
    for (const input of inputs) uses.set(input, (uses.get(input) ?? 0) + 1)
    if (domain !== 'com.microsoft' || operator !== 'GroupQueryAttention') continue
    for (const { input, output } of PLACES) pairs.add(`${inputs[input] ?? ''}\0${outputs[output] ?? ''}`)
  }
  // A branch inside a node sees the outer graph's values without listing them as inputs.
  const hasBranches = [...outline.operators].some((operator) => ['::If', '::Loop', '::Scan'].includes(operator))
  return !hasBranches && cache.every(({ name, present }) => uses.get(name) === 1 && !uses.has(present) && pairs.has(`${name}\0${present}`))
}
