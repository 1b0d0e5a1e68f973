// Perplexity over sliding windows, against plain arithmetic on scores that are known.
import { expect, it } from 'vitest'
import { measurePerplexity } from '../../../engine/generate/perplexity'
import { openDecoder } from '../../../engine/generate/open-decoder'
import { positionLogits } from '../../../engine/generate/position-logits'
import { resolve } from 'node:path'

const fixturePath = resolve(import.meta.dirname, '../../fixtures/models/bf16')
const IDS = Array.from({ length: 90 }, (_, index) => 1 + ((index * 31) % 50))

it('of one window is exp of the mean negative log likelihood', async () => {
  const { decoder } = await openDecoder(fixturePath)
  using _decoder = decoder
  const { vocabSize } = decoder.config
  const rows: number[] = []
  for await (const part of positionLogits({ decoder, ids: IDS, positionsPerPass: 90 })) rows.push(...part)
  let sum = 0
  for (let position = 1; position < IDS.length; position++) {
    const scores = rows.slice((position - 1) * vocabSize, position * vocabSize)
    sum += Math.log(scores.reduce((total, score) => total + Math.exp(score), 0)) - (scores[IDS[position] ?? 0] ?? NaN)
  }
  const measured = await measurePerplexity({ decoder, ids: IDS, windowTokens: 90, strideTokens: 45 })
  expect(measured.scoredTokens).toBe(IDS.length - 1)
  expect(measured.perplexity).toBeCloseTo(Math.exp(sum / (IDS.length - 1)), 3)
})

it('predicts every token once, whatever the windows', async () => {
  const { decoder } = await openDecoder(fixturePath)
  using _decoder = decoder
  for (const [windowTokens, strideTokens] of [
    [16, 8],
    [33, 32],
    [70, 13],
  ] as const) {
    const measured = await measurePerplexity({ decoder, ids: IDS, windowTokens, strideTokens })
    expect(measured.scoredTokens).toBe(IDS.length - 1)
  }
})

it('refuses a text of one token', async () => {
  const { decoder } = await openDecoder(fixturePath)
  using _decoder = decoder
  await expect(measurePerplexity({ decoder, ids: [1], windowTokens: 8, strideTokens: 4 })).rejects.toMatchObject({
    code: 'generate/empty-prompt',
  })
})
