import fc from 'fast-check'
import { expect, test } from 'vitest'
import { estimateDecodeSpeed, type KernelSpeeds } from '../../../engine/plan/speed-model'

const speeds: KernelSpeeds = { threads: 2, bytesPerSecond: { f32: 10e9, widened: 2e9, q8: 7e9, q4: 6e9 }, layerSeconds: 1e-4 }
const map = (f32: number, options: { readonly contextLength?: number; readonly keysAndValues?: number } = {}) => {
  const stage = { kind: 'layer', device: 'cpu', weightBytes: 0, tied: false } as const
  const { contextLength = 512, keysAndValues = 0 } = options
  return {
    contextLength,
    readBytes: { f32, widened: 0, q8: 0, q4: 0, keysAndValues },
    stages: [0, 1].map((index) => ({ ...stage, index })),
  }
}

test('a model is slower the more bytes a token reads', () => {
  const bytes = fc.integer({ min: 1, max: 2 ** 40 })
  fc.assert(
    fc.property(bytes, bytes, (fewer, more) => {
      expect(estimateDecodeSpeed(map(fewer + more), speeds)).toBeLessThanOrEqual(estimateDecodeSpeed(map(fewer), speeds))
    }),
  )
})

test('a long context counts as a short conversation fills it', () => {
  const short = estimateDecodeSpeed(map(1e9, { contextLength: 512, keysAndValues: 1e8 }), speeds)
  const long = estimateDecodeSpeed(map(1e9, { contextLength: 5120, keysAndValues: 1e9 }), speeds)
  expect(long).toBeCloseTo(short, 9)
})
