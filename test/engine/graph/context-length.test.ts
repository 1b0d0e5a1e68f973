// The context length that a config's rotary scaling gives.
import { expect, test } from 'vitest'
import type { RopeScaling } from '../../../engine/config/decoder-config'
import { contextLengthTokens } from '../../../engine/graph/rope/context-length'

const yarn = { kind: 'yarn', betaFast: 32, betaSlow: 1, attentionFactor: null, mscale: null, mscaleAllDim: null, truncate: true } as const

test.each<{ readonly scaling: RopeScaling; readonly expected: number }>([
  { scaling: { kind: 'default' }, expected: 4096 },
  { scaling: { kind: 'linear', factor: 4 }, expected: 16_384 },
  { scaling: { kind: 'linear', factor: 0.5 }, expected: 4096 },
  { scaling: { kind: 'dynamic', factor: 2.5, originalMaxPositionEmbeddings: 4096, alpha: null }, expected: 10_240 },
  { scaling: { kind: 'llama3', factor: 32, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositionEmbeddings: 2048 }, expected: 4096 },
  { scaling: { ...yarn, factor: 4, originalMaxPositionEmbeddings: 4096 }, expected: 16_384 },
  { scaling: { ...yarn, factor: 4, originalMaxPositionEmbeddings: 1024 }, expected: 4096 },
])('$scaling.kind reaches $expected of 4096 trained positions', ({ scaling, expected }) => {
  expect(contextLengthTokens({ maxPositionEmbeddings: 4096, ropes: [{ theta: 10_000, dim: 64, interleaved: false, scaling }] })).toBe(
    expected,
  )
})
