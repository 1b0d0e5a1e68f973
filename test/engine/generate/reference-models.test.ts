// generate() and the position scores on real checkpoints against Transformers: greedy ids, logits, prefix reuse and chunks, through both bindings.
import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import { generate } from '../../../engine/generate/generate'
import type { GenerationModel } from '../../../engine/generate/generate-options'
import { openDecoder, type OpenedDecoder } from '../../../engine/generate/open-decoder'
import { greedyIds, positionLogits } from '../../../engine/generate/position-logits'
import { createSequence } from '../../../engine/generate/sequence'
import type { GenerateEvent, SamplingSettings } from '../../../engine/generate/types'
import { hasReference, referencePath } from '../../support/reference'

const GREEDY: SamplingSettings = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, seed: null, maxNewTokens: 24, stop: [] }

interface Golden {
  readonly inputIds: readonly number[]
  readonly logits: Float32Array
  readonly greedyIds: readonly number[]
  readonly logitStd: number
}

async function readGolden(name: string): Promise<Golden> {
  using checkpoint = await openCheckpoint(referencePath('models', name, 'golden.safetensors'))
  const bytes = async (tensor: string): Promise<ArrayBuffer> => Uint8Array.from(await checkpoint.read(tensor)).buffer
  const ids = async (tensor: string): Promise<number[]> => Array.from(new BigInt64Array(await bytes(tensor)), Number)
  const origin = JSON.parse(readFileSync(referencePath('models', name, 'origin.json'), 'utf8')) as { logit_std: number }
  return {
    inputIds: await ids('input_ids'),
    logits: new Float32Array(await bytes('logits')),
    greedyIds: await ids('greedy_ids'),
    logitStd: origin.logit_std,
  }
}

/** A model without tokenizer: its text is its ids. */
function idModel({ decoder }: OpenedDecoder): GenerationModel {
  return {
    decoder,
    createStreamDecoder: () => ({ push: (id) => `${id} `, flush: () => '' }),
    stopIds: new Set(),
    stopStrings: [],
    contextLength: 256,
  }
}

/** Families whose caches differ most: plain, rotated in two ways with windows, biased over distance, learned positions, experts. */
const DEEPER: ReadonlySet<string> = new Set(['llama', 'llama3-rope', 'gemma2', 'bloom', 'gpt2', 'mixtral'])

/** The golden ids never hold an end token; a reply is comparable up to its first one. */
function beforeEnd(ids: readonly number[], eosTokenIds: readonly number[]): readonly number[] {
  const end = ids.findIndex((id) => eosTokenIds.includes(id))
  return end < 0 ? ids : ids.slice(0, end)
}

async function replyIds(events: AsyncIterable<GenerateEvent>): Promise<{ ids: readonly number[]; cachedTokens: number }> {
  for await (const event of events) if (event.type === 'finished') return { ids: event.ids, cachedTokens: event.stats.cachedTokens }
  throw new Error('no finished event')
}

const names = hasReference
  ? readdirSync(referencePath('models'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
  : ['none']

describe.skipIf(!hasReference)('the reference models', () => {
  it('are all there', () => expect(names).toHaveLength(23))
})

describe.skipIf(!hasReference).each(names)('generation on the reference model %s', (name) => {
  // Both bindings run the same graphs; one family is enough to see that.
  it.each(name === 'llama' ? (['c-api', 'node-binding'] as const) : (['c-api'] as const))(
    'matches Transformers through the %s',
    async (runtime) => {
      const golden = await readGolden(name)
      const opened = await openDecoder(referencePath('models', name), { runtime })
      using decoder = opened.decoder
      const whole = await collectLogits(decoder, golden.inputIds, 64)
      const inParts = await collectLogits(decoder, golden.inputIds, 7)
      const tolerance = 1e-4 * golden.logitStd
      expect(largestDifference(whole, golden.logits)).toBeLessThan(tolerance)
      expect(largestDifference(inParts, golden.logits)).toBeLessThan(tolerance)
      expect(await greedyIds({ decoder, promptIds: golden.inputIds, count: 24 })).toEqual(golden.greedyIds)
      const reply = await replyIds(generate({ model: idModel(opened), promptIds: golden.inputIds, settings: GREEDY }))
      const free = beforeEnd(reply.ids, decoder.config.eosTokenIds)
      expect(free).toEqual(golden.greedyIds.slice(0, free.length))
    },
  )

  it.runIf(DEEPER.has(name))('gives the same reply after a different prompt with the same beginning', async () => {
    const golden = await readGolden(name)
    const opened = await openDecoder(referencePath('models', name))
    using decoder = opened.decoder
    using sequence = createSequence(decoder, { capacityTokens: 256 })
    const model = idModel(opened)
    const other = [...golden.inputIds.slice(0, 12), 7, 9, 11]
    await replyIds(generate({ model, promptIds: other, settings: GREEDY, sequence }))
    const reply = await replyIds(generate({ model, promptIds: golden.inputIds, settings: GREEDY, sequence }))
    expect(reply.cachedTokens).toBe(12)
    expect(reply.ids).toEqual(golden.greedyIds)
  })

  it.runIf(DEEPER.has(name))('gives the same reply when the prompt is prefilled in small chunks', async () => {
    const golden = await readGolden(name)
    const opened = await openDecoder(referencePath('models', name))
    using decoder = opened.decoder
    // Repeated so that the prompt needs several chunks; a clock that runs fast makes them small.
    const promptIds = [...golden.inputIds, ...golden.inputIds, ...golden.inputIds, ...golden.inputIds]
    let nowMs = 0
    const slow = { now: () => (nowMs += 2000) }
    const chunked = await replyIds(generate({ model: idModel(opened), promptIds, settings: GREEDY, clock: slow }))
    expect(chunked.ids).toEqual(await greedyIds({ decoder, promptIds, count: 24 }))
  })
})

async function collectLogits(decoder: OpenedDecoder['decoder'], ids: readonly number[], positionsPerPass: number): Promise<Float32Array> {
  const rows = new Float32Array(ids.length * decoder.config.vocabSize)
  let filled = 0
  for await (const part of positionLogits({ decoder, ids, positionsPerPass })) {
    rows.set(part, filled)
    filled += part.length
  }
  return rows
}

function largestDifference(found: Float32Array, expected: Float32Array): number {
  expect(found.length).toBe(expected.length)
  return found.reduce((largest, value, index) => Math.max(largest, Math.abs(value - (expected[index] ?? Number.NaN))), 0)
}
