// The WebAssembly kernel against its oracle in TypeScript: every bit equal.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeFloat32 } from '../../../../engine/tensor/decode'
import { KERNEL_DTYPES, kernelBytes, type KernelDtype } from '../../../../engine/tensor/nbits/kernel'
import { fittingBlockSize, nbitsLayout, type NBitsFormat } from '../../../../engine/tensor/nbits/layout'
import { dequantizeRows, quantizeRows, type QuantizedRows } from '../../../../engine/tensor/nbits/quantize'

const isKernel = (value: unknown): value is (...numbers: readonly number[]) => number => typeof value === 'function'

function runKernel(bytes: Uint8Array, call: { dtype: KernelDtype; rows: number; columns: number; format: NBitsFormat }): QuantizedRows {
  const { dtype, rows, columns, format } = call
  const memory = new WebAssembly.Memory({ initial: 16 })
  const { quantize } = new WebAssembly.Instance(new WebAssembly.Module(kernelBytes()), { env: { memory } }).exports
  if (!isKernel(quantize)) throw new Error('the kernel has no quantize')
  const heap = new Uint8Array(memory.buffer)
  const layout = nbitsLayout({ rows, columns }, format)
  heap.set(bytes, 65536)
  const codesAt = 0x60000
  const scalesAt = 0xa0000
  const zerosAt = 0xd0000
  const brokenBlocks = quantize(65536, KERNEL_DTYPES[dtype], rows, columns, format.bits, format.blockSize, codesAt, scalesAt, zerosAt)
  return {
    codes: heap.slice(codesAt, codesAt + layout.codeBytes),
    scales: new Float32Array(memory.buffer.slice(scalesAt, scalesAt + layout.scaleBytes)),
    zeroPoints: heap.slice(zerosAt, zerosAt + layout.zeroPointBytes),
    brokenBlocks,
  }
}

const formats: readonly NBitsFormat[] = [
  { bits: 8, blockSize: 16, symmetric: true },
  { bits: 8, blockSize: 32, symmetric: true },
  { bits: 4, blockSize: 16, symmetric: false },
  { bits: 4, blockSize: 32, symmetric: false },
  { bits: 4, blockSize: 64, symmetric: false },
  { bits: 4, blockSize: 128, symmetric: false },
]

function upperHalves(values: Float32Array, dtype: 'F16' | 'BF16'): Uint16Array {
  return Uint16Array.from(new Uint32Array(values.buffer), (word) => {
    if (dtype === 'BF16' || (word & 0x7fffffff) === 0) return word >>> 16
    return ((word >>> 16) & 0x8000) | (((word >>> 13) - 0x1c000) & 0x7fff)
  })
}

const stored = (dtype: KernelDtype) =>
  fc
    .record({ rows: fc.integer({ min: 1, max: 3 }), columns: fc.integer({ min: 1, max: 150 }), format: fc.constantFrom(...formats) })
    .chain(({ rows, columns, format }) => {
      const size = rows * columns * (dtype === 'F32' ? 4 : 2)
      return fc.record({
        rows: fc.constant(rows),
        columns: fc.constant(columns),
        format: fc.constant(format),
        bytes: fc.uint8Array({ minLength: size, maxLength: size }),
      })
    })

describe('the quantizing kernel', () => {
  for (const dtype of ['F32', 'F16', 'BF16'] as const) {
    it(`equals the oracle for any ${dtype} bytes`, () => {
      fc.assert(
        fc.property(stored(dtype), ({ rows, columns, format, bytes }) => {
          const values = decodeFloat32(bytes, dtype)
          const expected = quantizeRows(values, { shape: { rows, columns }, format })
          const found = runKernel(bytes, { dtype, rows, columns, format })
          expect(found.brokenBlocks).toBe(expected.brokenBlocks)
          if (expected.brokenBlocks === 0) expect(found).toEqual(expected)
        }),
        { numRuns: 200, seed: 4 },
      )
    })

    it(`equals the oracle for weights as they occur, ${dtype}`, () => {
      const rows = 7
      const columns = 200
      const values = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * 12.9898) * Math.cos(i * 0.37) * 0.05)
      // Values that F16 holds as normal numbers, so that its bits are those of F32 moved.
      for (const [i, value] of values.entries()) if (Math.abs(value) < 2 ** -14) values[i] = 0
      const bytes = dtype === 'F32' ? new Uint8Array(values.buffer) : new Uint8Array(upperHalves(values, dtype).buffer)
      for (const format of formats) {
        const expected = quantizeRows(decodeFloat32(bytes, dtype), { shape: { rows, columns }, format })
        expect(expected.brokenBlocks).toBe(0)
        expect(runKernel(bytes, { dtype, rows, columns, format })).toEqual(expected)
      }
    })
  }

  it('keeps zeros exact, and rows of zeros without a scale', () => {
    for (const format of formats) {
      const values = new Float32Array(256)
      values[5] = 3
      values[9] = -1
      const shape = { rows: 1, columns: 256 }
      const matrix = quantizeRows(values, { shape, format })
      const back = dequantizeRows(matrix, { shape, format })
      expect([...back].filter((value) => value !== 0)).toHaveLength(2)
      expect(matrix.scales.at(-1)).toBe(0)
    }
  })

  it('counts blocks with values that are no numbers', () => {
    const values = new Float32Array(128).fill(1)
    values[3] = Number.NaN
    values[70] = Infinity
    const format = { bits: 4, blockSize: 32, symmetric: false } as const
    expect(quantizeRows(values, { shape: { rows: 1, columns: 128 }, format }).brokenBlocks).toBe(2)
  })

  it('errs as little as published for Gaussian weights', () => {
    let state = 7
    const uniform = (): number => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) + 1) / 4294967297
    const values = Float32Array.from({ length: 65536 }, () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()))
    const shape = { rows: 64, columns: 1024 }
    const error = (format: NBitsFormat): number => {
      const back = dequantizeRows(quantizeRows(values, { shape, format }), { shape, format })
      let squares = 0
      let total = 0
      for (const [i, value] of values.entries()) {
        squares += (value - (back[i] ?? 0)) ** 2
        total += value ** 2
      }
      return Math.sqrt(squares / total)
    }
    expect(error({ bits: 8, blockSize: 32, symmetric: true })).toBeLessThan(0.008)
    expect(error({ bits: 4, blockSize: 32, symmetric: false })).toBeLessThan(0.085)
    expect(error({ bits: 4, blockSize: 64, symmetric: false })).toBeLessThan(0.098)
    expect(error({ bits: 4, blockSize: 128, symmetric: false })).toBeLessThan(0.113)
  })
})

describe('block sizes', () => {
  it('divide the row where one can, and never exceed what was asked for', () => {
    expect(fittingBlockSize(4096, 128)).toBe(128)
    expect(fittingBlockSize(64, 128)).toBe(64)
    expect(fittingBlockSize(96, 64)).toBe(32)
    expect(fittingBlockSize(48, 64)).toBe(16)
    expect(fittingBlockSize(100, 64)).toBe(32)
  })
})
