import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import type { Checkpoint } from '../../../engine/checkpoint/types'
import { tensorStatistics } from '../../../engine/inspect/tensor-statistics'
import { engineCode } from '../../support/engine-code'
import { f32Tensor, safetensorsFile, type TensorToWrite } from '../../support/safetensors-writer'
import { temporaryFolder } from '../../support/temporary-folder'

async function statisticsOf(tensor: TensorToWrite) {
  using folder = temporaryFolder()
  using checkpoint = await openCheckpoint(folder.write('model.safetensors', safetensorsFile([tensor])))
  return await tensorStatistics(checkpoint, { name: tensor.name })
}

describe('tensor statistics', () => {
  it('are those of the values', async () => {
    expect(await statisticsOf(f32Tensor('a', [2, 4, 4, 4, 5, 5, 7, 9], [2, 4]))).toEqual({
      name: 'a',
      dtype: 'F32',
      shape: [2, 4],
      elements: 8,
      min: 2,
      max: 9,
      mean: 5,
      std: 2,
      nanCount: 0,
      infinityCount: 0,
      zeroCount: 0,
      firstValues: [2, 4, 4, 4, 5, 5, 7, 9],
    })
  })

  it('count NaN, infinities and zeros and leave them out of mean and deviation', async () => {
    expect(await statisticsOf(f32Tensor('a', [NaN, Infinity, -Infinity, 0, -0, 3, -3, NaN]))).toMatchObject({
      min: -Infinity,
      max: Infinity,
      mean: 0,
      std: Math.sqrt(4.5),
      nanCount: 2,
      infinityCount: 2,
      zeroCount: 2,
    })
  })

  it('have no numbers where there are no values', async () => {
    expect(await statisticsOf(f32Tensor('a', [], [0, 4]))).toMatchObject({
      elements: 0,
      min: null,
      max: null,
      mean: null,
      std: null,
      firstValues: [],
    })
    expect(await statisticsOf(f32Tensor('a', [NaN]))).toMatchObject({ min: null, max: null, mean: null, std: null, nanCount: 1 })
  })

  it('agree with one pass over everything when the tensor comes in several chunks', async () => {
    // 2,621,440 values are 10 MiB: three chunks. A large offset would drown the deviation if it were taken from sums of squares.
    const values = Float32Array.from({ length: 2_621_440 }, (_, index) => 1000 + ((index * 7919) % 1013) / 1013)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
    const found = await statisticsOf({ name: 'a', dtype: 'F32', shape: [values.length], bytes: new Uint8Array(values.buffer) })
    expect(found.mean).toBeCloseTo(mean, 9)
    expect(found.std).toBeCloseTo(Math.sqrt(variance), 9)
    expect(found.firstValues).toHaveLength(16)
    expect(found.elements).toBe(values.length)
  })

  it('never put the mean outside the range', async () => {
    const finite = fc.float({ noNaN: true, noDefaultInfinity: true })
    await fc.assert(
      fc.asyncProperty(fc.array(finite, { minLength: 1, maxLength: 40 }), async (values) => {
        const { min, max, mean, std } = await statisticsOf(f32Tensor('a', values))
        // Numbers, not bits: which zero is the smaller one is nobody's business.
        expect(min === Math.min(...values) && max === Math.max(...values)).toBe(true)
        const slack = 1e-12 * Math.max(Math.abs(min ?? 0), Math.abs(max ?? 0))
        expect(mean ?? NaN).toBeGreaterThanOrEqual((min ?? NaN) - slack)
        expect(mean ?? NaN).toBeLessThanOrEqual((max ?? NaN) + slack)
        expect(std ?? NaN).toBeLessThanOrEqual((max ?? NaN) - (min ?? NaN) + slack)
      }),
      { numRuns: 60 },
    )
  })

  it('read a few megabytes at a time', async () => {
    const asked: number[] = []
    const sizeBytes = 9 * 1024 * 1024
    const info = { name: 'a', dtype: 'U8', shape: [sizeBytes], file: '/none', offsetBytes: 0, sizeBytes } as const
    const checkpoint: Pick<Checkpoint, 'tensors' | 'readRange'> = {
      tensors: new Map([['a', info]]),
      readRange: (range) => {
        asked.push(range.sizeBytes)
        return Promise.resolve(new Uint8Array(range.sizeBytes))
      },
    }
    await tensorStatistics(checkpoint, { name: 'a' })
    expect(asked).toEqual([4194304, 4194304, 1048576])
  })

  it('refuse an unknown tensor, complex numbers and a cancel', async () => {
    using folder = temporaryFolder()
    const complex = { name: 'c', dtype: 'C64', shape: [1], bytes: new Uint8Array(8) } as const
    using checkpoint = await openCheckpoint(folder.write('model.safetensors', safetensorsFile([f32Tensor('a', [1]), complex])))
    expect(await engineCode(() => tensorStatistics(checkpoint, { name: 'none' }))).toBe('checkpoint/unknown-tensor')
    expect(await engineCode(() => tensorStatistics(checkpoint, { name: 'c' }))).toBe('checkpoint/undecodable-dtype')
    expect(await engineCode(() => tensorStatistics(checkpoint, { name: 'a', signal: AbortSignal.abort() }))).toBe('runtime/aborted')
  })
})
