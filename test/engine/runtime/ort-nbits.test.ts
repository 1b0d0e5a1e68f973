// MatMulNBits multiplies with exactly the values that our layout says: every block size, rows that do not end with a block, odd numbers of blocks, one row and several.
import { describe, expect, it } from 'vitest'
import { openOrt } from '../../../engine/runtime/ort'
import { nbitsLayout, type NBitsFormat } from '../../../engine/tensor/nbits/layout'
import { dequantizeRows, quantizeRows } from '../../../engine/tensor/nbits/quantize'
import { floatBytes, floatsOf, floatValue, pseudoRandom } from '../../support/tensor-values'
import { tinyOnnx } from '../../support/tiny-onnx'

const outputs = 33
const columnCounts = [32, 48, 64, 96, 100, 160]
const formats: readonly NBitsFormat[] = [16, 32, 64, 128, 256].flatMap((blockSize): readonly NBitsFormat[] => [
  { bits: 4, blockSize, symmetric: false },
  { bits: 4, blockSize, symmetric: true },
  { bits: 8, blockSize, symmetric: true },
])

interface Case {
  readonly columns: number
  readonly format: NBitsFormat
  /** com.microsoft.MatMulNBits: 0 multiplies in F32, 4 rounds each block of the activations to 8 bits. */
  readonly accuracyLevel: 0 | 4
}

/** A matrix with a bias: values around 0.3, so that zero points are not in the middle. */
function quantized({ columns, format }: Case) {
  const shape = { rows: outputs, columns }
  const values = pseudoRandom({ count: outputs * columns, seed: columns }).map((value) => value + 0.3)
  // The quantizer makes symmetric codes of 8 bits only; symmetric ones of 4 bits come from files, any codes will do.
  const matrix = quantizeRows(values, { shape, format: { ...format, symmetric: format.bits === 8 } })
  return { matrix, shape, weights: dequantizeRows(matrix, { shape, format }), bias: pseudoRandom({ count: outputs, seed: 7 }) }
}

function modelOf(test: Case, { matrix, bias }: ReturnType<typeof quantized>): Uint8Array {
  const { columns, format, accuracyLevel } = test
  const { blocksPerRow, codeRowBytes, zeroPointRowBytes } = nbitsLayout({ rows: outputs, columns }, format)
  const zeroPoints = { name: 'z', type: 'U8', shape: [outputs, zeroPointRowBytes], bytes: matrix.zeroPoints } as const
  return tinyOnnx({
    inputs: [{ name: 'x', type: 'F32', shape: ['m', columns] }],
    outputs: [{ name: 'y', type: 'F32', shape: ['m', outputs] }],
    initializers: [
      { name: 'w', type: 'U8', shape: [outputs, blocksPerRow, codeRowBytes / blocksPerRow], bytes: matrix.codes },
      { name: 's', type: 'F32', shape: [outputs, blocksPerRow], bytes: floatBytes(matrix.scales) },
      { name: 'b', type: 'F32', shape: [outputs], bytes: floatBytes(bias) },
      ...(format.symmetric ? [] : [zeroPoints]),
    ],
    nodes: [
      {
        op: 'MatMulNBits',
        domain: 'com.microsoft',
        inputs: ['x', 'w', 's', format.symmetric ? '' : 'z', '', 'b'],
        outputs: ['y'],
        attributes: { K: columns, N: outputs, bits: format.bits, block_size: format.blockSize, accuracy_level: accuracyLevel },
      },
    ],
  })
}

/** The largest error of a product, as a share of what rounding may cost there: F32 sums, or half a step of 8 bits for every activation. */
async function worstShare(test: Case, tokens: number): Promise<number> {
  const { columns, format, accuracyLevel } = test
  const made = quantized(test)
  const ort = await openOrt({ kind: 'c-api' })
  using session = await ort.createSession({ model: modelOf(test, made), intraOpNumThreads: 1, prepacking: true, constantFolding: true })
  const x = pseudoRandom({ count: tokens * columns, seed: 11 })
  using input = floatValue(ort, { shape: [tokens, columns], data: x })
  const { y } = await session.run({ inputs: { x: input }, outputs: { y: null } })
  const found = floatsOf(y).slice()
  y?.[Symbol.dispose]()
  let worst = 0
  for (const [index, value] of found.entries()) {
    const row = x.subarray(Math.floor(index / outputs) * columns).subarray(0, columns)
    const weights = made.weights.subarray((index % outputs) * columns).subarray(0, columns)
    let exact = made.bias[index % outputs] ?? NaN
    let allowed = 1e-5
    for (let start = 0; start < columns; start += format.blockSize) {
      const block = row.subarray(start, start + format.blockSize)
      const step = accuracyLevel === 0 ? 0 : Math.max(...block.map(Math.abs)) / 127
      block.forEach((factor, at) => {
        exact += factor * (weights[start + at] ?? NaN)
        allowed += (step * 0.51 + Math.abs(factor) * 1e-6) * Math.abs(weights[start + at] ?? NaN)
      })
    }
    worst = Math.max(worst, Number.isNaN(value) ? Infinity : Math.abs(value - exact) / allowed)
  }
  return worst
}

describe.each(formats)('$bits bits, blocks of $blockSize, symmetric $symmetric', (format) => {
  it.each(columnCounts)('rows of %i values', async (columns) => {
    for (const accuracyLevel of [0, 4] as const) {
      for (const tokens of [1, 5])
        expect(await worstShare({ columns, format, accuracyLevel }, tokens), `accuracy ${accuracyLevel}, ${tokens} tokens`).toBeLessThan(1)
    }
  })
})
