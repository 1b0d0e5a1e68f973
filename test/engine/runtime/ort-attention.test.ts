// GroupQueryAttention with past and present in one buffer gives what a plain attention gives, step by step, on both bindings.
import { describe, expect, it } from 'vitest'

import { openOrt } from '../../../engine/runtime/ort'
import type { OrtRuntime } from '../../../engine/runtime/ort-types'
import { floatsOf, floatValue, intValue, pseudoRandom } from '../../support/tensor-values'
import { tinyOnnx } from '../../support/tiny-onnx'

const numHeads = 4
const numKeyValueHeads = 2
const headDim = 16
const capacityTokens = 24

const cacheShape = [1, numKeyValueHeads, capacityTokens, headDim]
const port = (name: string, type: 'F32' | 'I32', shape: readonly (number | string)[]) => ({ name, type, shape })

const model = tinyOnnx({
  inputs: [
    port('q', 'F32', [1, 's', numHeads * headDim]),
    port('k', 'F32', [1, 's', numKeyValueHeads * headDim]),
    port('v', 'F32', [1, 's', numKeyValueHeads * headDim]),
    port('pastKey', 'F32', cacheShape),
    port('pastValue', 'F32', cacheShape),
    port('seqlens', 'I32', [1]),
    port('total', 'I32', [1]),
  ],
  outputs: [port('y', 'F32', [1, 's', numHeads * headDim]), port('key', 'F32', cacheShape), port('value', 'F32', cacheShape)],
  nodes: [
    {
      op: 'GroupQueryAttention',
      domain: 'com.microsoft',
      inputs: ['q', 'k', 'v', 'pastKey', 'pastValue', 'seqlens', 'total'],
      outputs: ['y', 'key', 'value'],
      attributes: { num_heads: numHeads, kv_num_heads: numKeyValueHeads },
    },
  ],
})

interface Chunk {
  readonly q: Float32Array
  readonly k: Float32Array
  readonly v: Float32Array
  readonly tokens: number
}

/** Softmax(q·k/√d)·v per head over all tokens so far; rows of the last chunk. Source: arXiv 1706.03762 eq. 1, keys shared as in arXiv 2305.13245. */
function naiveAttention(chunks: readonly Chunk[]): Float32Array {
  const keys = chunks.flatMap(({ k, tokens }) => rows(k, tokens))
  const values = chunks.flatMap(({ v, tokens }) => rows(v, tokens))
  const last = chunks.at(-1)
  if (last === undefined) return new Float32Array()
  const first = keys.length - last.tokens
  const outputs = rows(last.q, last.tokens).flatMap((query, row) =>
    Array.from({ length: numHeads }, (_, head) => {
      const shared = Math.floor((head * numKeyValueHeads) / numHeads) * headDim
      const visible = first + row + 1
      const scores = keys.slice(0, visible).map((key) => dot(query.subarray(head * headDim), key.subarray(shared)) / Math.sqrt(headDim))
      const top = Math.max(...scores)
      const weights = scores.map((score) => Math.exp(score - top))
      const sum = weights.reduce((a, b) => a + b)
      return Array.from({ length: headDim }, (_, d) => weights.reduce((a, w, t) => a + (w / sum) * (values[t]?.[shared + d] ?? NaN), 0))
    }),
  )
  return Float32Array.from(outputs.flat())
}

function rows(data: Float32Array, count: number): readonly Float32Array[] {
  const width = data.length / count
  return Array.from({ length: count }, (_, row) => data.subarray(row * width, (row + 1) * width))
}

function dot(a: Float32Array, b: Float32Array): number {
  return Array.from({ length: headDim }, (_, d) => (a[d] ?? NaN) * (b[d] ?? NaN)).reduce((sum, x) => sum + x, 0)
}

function randomChunk(options: { readonly tokens: number; readonly seed: number }): Chunk {
  const { tokens, seed } = options
  const numbers = (heads: number, part: number) => pseudoRandom({ count: tokens * heads * headDim, seed: seed * 3 + part })
  return { q: numbers(numHeads, 0), k: numbers(numKeyValueHeads, 1), v: numbers(numKeyValueHeads, 2), tokens }
}

async function attendInSteps(ort: OrtRuntime, chunks: readonly Chunk[]): Promise<readonly Float32Array[]> {
  using session = await ort.createSession({ model, intraOpNumThreads: 2, prepacking: true, constantFolding: true })
  using key = ort.allocate({ dtype: 'F32', shape: cacheShape })
  using value = ort.allocate({ dtype: 'F32', shape: cacheShape })
  const results: Float32Array[] = []
  let total = 0
  for (const { q, k, v, tokens } of chunks) {
    total += tokens
    using queries = floatValue(ort, { shape: [1, tokens, numHeads * headDim], data: q })
    using keys = floatValue(ort, { shape: [1, tokens, numKeyValueHeads * headDim], data: k })
    using values = floatValue(ort, { shape: [1, tokens, numKeyValueHeads * headDim], data: v })
    using seqlens = intValue(ort, { shape: [1], data: [total - 1] })
    using totalTokens = intValue(ort, { shape: [1], data: [total] })
    const inputs = { q: queries, k: keys, v: values, pastKey: key, pastValue: value, seqlens, total: totalTokens }
    const { y } = await session.run({ inputs, outputs: { y: null, key, value } })
    results.push(floatsOf(y).slice())
    y?.[Symbol.dispose]()
  }
  return results
}

describe.each(['c-api', 'node-binding'] as const)('%s', (kind) => {
  it('equals a plain attention over prefill, single steps and a later chunk', async () => {
    const ort = await openOrt({ kind })
    const chunks = [5, 1, 1, 3, 1, 1].map((tokens, seed) => randomChunk({ tokens, seed: seed + 1 }))
    const results = await attendInSteps(ort, chunks)
    results.forEach((result, step) => {
      const expected = naiveAttention(chunks.slice(0, step + 1))
      const error = Math.max(...result.map((x, i) => Math.abs(x - (expected[i] ?? NaN))))
      expect(result.length).toBe(expected.length)
      expect(error, `step ${step}`).toBeLessThan(1e-5)
    })
  })
})
