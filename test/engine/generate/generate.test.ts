// generate(): finish reasons, prefix reuse, chunks, cancelling and release, on a decoder without weights.
import { describe, expect, it } from 'vitest'
import { generate } from '../../../engine/generate/generate'
import type { GenerateOptions } from '../../../engine/generate/generate-options'
import { createSequence } from '../../../engine/generate/sequence'
import type { GenerateEvent, SamplingSettings } from '../../../engine/generate/types'
import { createFakeModel, idsOf } from './fake-model'

const GREEDY: SamplingSettings = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  seed: null,
  maxNewTokens: null,
  stop: [],
}
type Finished = Extract<GenerateEvent, { type: 'finished' }>

async function collect(options: GenerateOptions): Promise<{ events: GenerateEvent[]; finished: Finished; shown: string }> {
  const events: GenerateEvent[] = []
  for await (const event of generate(options)) events.push(event)
  const finished = events.at(-1)
  if (finished?.type !== 'finished') throw new Error('the last event is not finished')
  return { events, finished, shown: events.map((event) => (event.type === 'delta' ? event.text : '')).join('') }
}
const failure = async (options: GenerateOptions): Promise<unknown> =>
  collect(options).then(
    () => null,
    (error: unknown) => error,
  )

describe('generate', () => {
  it('ends with the end-of-turn id, which is neither in the text nor in the ids', async () => {
    const { model, log } = createFakeModel({ reply: () => 'hello' })
    const { finished, shown } = await collect({ model, promptIds: idsOf('hi '), settings: GREEDY })
    expect(finished).toMatchObject({ finishReason: 'stop', stopString: null, text: 'hello', ids: idsOf('hello') })
    expect(finished.stats).toMatchObject({ promptTokens: 3, cachedTokens: 0, completionTokens: 5 })
    expect(shown).toBe('hello')
    expect(log.openCaches).toBe(0)
  })

  it('stops at maxNewTokens with reason length', async () => {
    const { model } = createFakeModel({ reply: () => 'hello' })
    const { finished } = await collect({ model, promptIds: idsOf('hi '), settings: { ...GREEDY, maxNewTokens: 3 } })
    expect(finished).toMatchObject({ finishReason: 'length', text: 'hel' })
  })

  it('fills the context window to its last token and says so', async () => {
    const { model } = createFakeModel({ reply: () => 'abcdefghijklmnop', contextLength: 8 })
    const { finished } = await collect({ model, promptIds: idsOf('hi '), settings: GREEDY })
    expect(finished).toMatchObject({ finishReason: 'context', text: 'abcde' })
  })

  it('never shows a stop string or its beginning', async () => {
    const { model } = createFakeModel({ reply: () => 'one two stop here'.replaceAll(' ', '') })
    const { events, finished, shown } = await collect({ model, promptIds: idsOf('hi '), settings: { ...GREEDY, stop: ['stop', 'twos'] } })
    expect(finished).toMatchObject({ finishReason: 'stop-string', stopString: 'twos', text: 'one' })
    expect(shown).toBe('one')
    expect(events.every((event) => event.type !== 'delta' || event.text.length > 0)).toBe(true)
  })

  it("ends a reply at the model's own stop strings, a continuation not", async () => {
    const { model } = createFakeModel({ reply: () => 'onestop', stopStrings: ['stop'] })
    expect((await collect({ model, promptIds: idsOf('hi '), settings: GREEDY })).finished).toMatchObject({
      finishReason: 'stop-string',
      text: 'one',
    })
    const continued = await collect({ model, promptIds: idsOf('hi '), settings: GREEDY, continuesPrompt: true })
    expect(continued.finished).toMatchObject({ finishReason: 'stop', text: 'onestop' })
  })

  it('shows what was held back for a stop string that did not come', async () => {
    const { model } = createFakeModel({ reply: () => 'best' })
    const { finished, shown } = await collect({ model, promptIds: idsOf('hi '), settings: { ...GREEDY, stop: ['stop'] } })
    expect(finished).toMatchObject({ finishReason: 'stop', text: 'best' })
    expect(shown).toBe('best')
  })

  it('reuses the common beginning of the sequence and prefills only the rest', async () => {
    const { model, log } = createFakeModel({ reply: (prompt) => (prompt === 'abc' ? 'x' : 'y') })
    using sequence = createSequence(model.decoder, { capacityTokens: 64 })
    await collect({ model, promptIds: idsOf('abc '), settings: GREEDY, sequence })
    log.chunks.length = 0
    const { finished } = await collect({ model, promptIds: idsOf('abd '), settings: GREEDY, sequence })
    expect(finished).toMatchObject({ text: 'y' })
    expect(finished.stats.cachedTokens).toBe(2)
    expect(log.truncations).toEqual([0, 2])
    expect(log.chunks).toEqual([2, 1])
  })

  it('computes the last id again when the whole prompt is cached', async () => {
    const { model } = createFakeModel({ reply: () => 'x' })
    using sequence = createSequence(model.decoder, { capacityTokens: 64 })
    await collect({ model, promptIds: idsOf('abc '), settings: GREEDY, sequence })
    const { finished } = await collect({ model, promptIds: idsOf('abc '), settings: GREEDY, sequence })
    expect(finished.stats.cachedTokens).toBe(3)
    expect(finished.text).toBe('x')
  })

  it('prefills in chunks sized by the measured speed and reports progress', async () => {
    let nowMs = 0
    const { model, log } = createFakeModel({ reply: () => 'x', contextLength: 400, onForward: () => (nowMs += 500) })
    const promptIds = idsOf(`${'a'.repeat(149)} `)
    const { events } = await collect({ model, promptIds, settings: GREEDY, clock: { now: () => nowMs } })
    expect(log.chunks).toEqual([64, 32, 16, 8, 8, 8, 8, 6, 1])
    const progress = events.flatMap((event) => (event.type === 'prefill' ? [event.doneTokens] : []))
    expect(progress).toEqual([0, 64, 96, 112, 120, 128, 136, 144, 150])
  })

  it('finishes as cancelled with the text so far when stopped between tokens', async () => {
    const { model, log } = createFakeModel({ reply: () => 'hello' })
    const controller = new AbortController()
    let finished: Finished | null = null
    for await (const event of generate({ model, promptIds: idsOf('hi '), settings: GREEDY, signal: controller.signal })) {
      if (event.type === 'delta' && event.text === 'l') controller.abort()
      if (event.type === 'finished') finished = event
    }
    expect(finished).toMatchObject({ finishReason: 'cancelled', text: 'hel' })
    expect(log.openCaches).toBe(0)
  })

  it('finishes as cancelled when stopped inside the prefill, and the sequence stays usable', async () => {
    const controller = new AbortController()
    let passes = 0
    const { model } = createFakeModel({
      reply: () => 'x',
      contextLength: 400,
      onForward: () => {
        if (++passes === 2) controller.abort()
      },
    })
    using sequence = createSequence(model.decoder, { capacityTokens: 400 })
    const promptIds = idsOf(`${'a'.repeat(149)} `)
    const { finished } = await collect({ model, promptIds, settings: GREEDY, sequence, signal: controller.signal })
    expect(finished).toMatchObject({ finishReason: 'cancelled', text: '', ids: [] })
    expect(sequence.ids).toHaveLength(64)
    const again = await collect({ model, promptIds, settings: GREEDY, sequence })
    expect(again.finished).toMatchObject({ finishReason: 'stop', text: 'x' })
    expect(again.finished.stats.cachedTokens).toBe(64)
  })

  it('finishes as cancelled without a pass when the signal is already aborted', async () => {
    const { model, log } = createFakeModel({ reply: () => 'x' })
    const { finished } = await collect({ model, promptIds: idsOf('hi '), settings: GREEDY, signal: AbortSignal.abort() })
    expect(finished.finishReason).toBe('cancelled')
    expect(log.chunks).toEqual([])
  })

  it('lets a failure of the decoder through and frees the cache', async () => {
    const { model, log } = createFakeModel({
      reply: () => 'hello',
      onForward: () => {
        throw new Error('out of memory')
      },
    })
    expect(await failure({ model, promptIds: idsOf('hi '), settings: GREEDY })).toMatchObject({ message: 'out of memory' })
    expect(log.openCaches).toBe(0)
  })

  it('frees its cache when the reader leaves early', async () => {
    const { model, log } = createFakeModel({ reply: () => 'hello' })
    for await (const event of generate({ model, promptIds: idsOf('hi '), settings: GREEDY })) if (event.type === 'delta') break
    expect(log.openCaches).toBe(0)
  })

  it('refuses a second generation on a busy sequence', async () => {
    const { model } = createFakeModel({ reply: () => 'hello' })
    using sequence = createSequence(model.decoder, { capacityTokens: 64 })
    const first = generate({ model, promptIds: idsOf('hi '), settings: GREEDY, sequence })
    await first.next()
    expect(await failure({ model, promptIds: idsOf('hi '), settings: GREEDY, sequence })).toMatchObject({ code: 'generate/busy' })
    await first.return()
    expect((await collect({ model, promptIds: idsOf('hi '), settings: GREEDY, sequence })).finished.text).toBe('hello')
  })

  it.each([
    { title: 'an empty prompt', promptIds: [], settings: GREEDY, code: 'generate/empty-prompt' },
    {
      title: 'a prompt that leaves no place for a reply',
      promptIds: idsOf('abcdefgh'),
      settings: GREEDY,
      code: 'runtime/context-overflow',
    },
    { title: 'an id outside the vocabulary', promptIds: [28], settings: GREEDY, code: 'runtime/token-out-of-range' },
    { title: 'a negative temperature', promptIds: [1], settings: { ...GREEDY, temperature: -1 }, code: 'generate/bad-setting' },
    { title: 'zero tokens', promptIds: [1], settings: { ...GREEDY, maxNewTokens: 0 }, code: 'generate/bad-setting' },
  ])('refuses $title', async ({ promptIds, settings, code }) => {
    const { model, log } = createFakeModel({ reply: () => 'hello', contextLength: 8 })
    expect(await failure({ model, promptIds, settings })).toMatchObject({ code })
    expect(log.openCaches).toBe(0)
  })

  it('gives the same reply for the same seed and reports the seed it drew', async () => {
    const { model } = createFakeModel({ reply: () => 'hello' })
    const settings: SamplingSettings = { ...GREEDY, temperature: 5, maxNewTokens: 20 }
    const drawn = await collect({ model, promptIds: idsOf('hi '), settings, randomSeed: () => 1234 })
    const given = await collect({ model, promptIds: idsOf('hi '), settings: { ...settings, seed: 1234 } })
    const other = await collect({ model, promptIds: idsOf('hi '), settings: { ...settings, seed: 1235 } })
    expect(drawn.finished.stats.seed).toBe(1234)
    expect(given.finished.ids).toEqual(drawn.finished.ids)
    expect(other.finished.ids).not.toEqual(drawn.finished.ids)
  })
})
