// generate() with log-probabilities, a given beginning, and a form that the reply must have.
import { describe, expect, it } from 'vitest'
import { generate } from '../../../engine/generate/generate'
import type { GenerateOptions } from '../../../engine/generate/generate-options'
import { buildTokenTrie } from '../../../engine/generate/grammar/token-trie'
import { readLogprobs } from '../../../engine/generate/logprobs'
import type { GenerateEvent, SamplingSettings } from '../../../engine/generate/types'
import type { Vocabulary } from '../../../engine/generate/vocabulary'
import { createFakeModel, idsOf } from './fake-model'

const GREEDY: SamplingSettings = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, seed: null, maxNewTokens: 12, stop: [] }
const LETTERS = 'abcdefghijklmnopqrstuvwxyz '
const bytesOf = (id: number): Uint8Array | null => (id < LETTERS.length ? new TextEncoder().encode(LETTERS.charAt(id)) : null)
const vocabulary: Vocabulary = {
  size: 28,
  bytesOf,
  textOf: (id) => LETTERS.charAt(id),
  trie: () => buildTokenTrie(bytesOf, 28),
  idsContaining: (texts) => idsOf(LETTERS).filter((id) => texts.includes(LETTERS.charAt(id))),
  contextIds: [],
}
const says = (reply: string) => ({ ...createFakeModel({ reply: () => reply }).model, vocabulary })

async function collect(options: GenerateOptions) {
  const events: GenerateEvent[] = []
  for await (const event of generate(options)) events.push(event)
  const finished = events.at(-1)
  if (finished?.type !== 'finished') throw new Error('the last event is not finished')
  return {
    finished,
    tokens: events.filter((event) => event.type === 'token'),
    shown: events.map((event) => (event.type === 'delta' ? event.text : '')).join(''),
  }
}

describe('log-probabilities', () => {
  it('come with every token, the end of the turn too, from before the settings act', async () => {
    const settings = { ...GREEDY, temperature: 5, topK: 1 }
    const { tokens, finished } = await collect({ model: says('yes'), promptIds: idsOf('q '), settings, topLogprobs: 3 })
    expect(tokens.map(({ text }) => text)).toEqual(['y', 'e', 's', ''])
    expect(finished.text).toBe('yes')
    for (const { id, logprob, alternatives } of tokens) {
      expect(logprob).toBeCloseTo(-Math.log1p(27 * Math.exp(-20)), 6)
      expect(alternatives).toHaveLength(3)
      expect(alternatives[0]).toEqual({ id, logprob })
    }
  })

  it('sum to 1 and are in descending order', () => {
    const logits = Float32Array.from([1, 5, -2, 5, 0.5, Number.NEGATIVE_INFINITY])
    const { of, likeliest } = readLogprobs(logits, 4)
    expect([...logits.keys()].reduce((sum, id) => sum + Math.exp(of(id)), 0)).toBeCloseTo(1, 6)
    expect(likeliest.map(({ id }) => id)).toEqual([1, 3, 0, 4])
    expect(readLogprobs(logits, 0).likeliest).toEqual([])
  })

  it('are not sent unasked', async () => {
    expect((await collect({ model: says('a'), promptIds: idsOf('q '), settings: GREEDY })).tokens).toEqual([])
  })
})

describe('a given beginning', () => {
  it('is continued, is part of the text, and counts as prompt for the cache only', async () => {
    const { finished, shown } = await collect({ model: says('hello'), promptIds: idsOf('q '), prefillIds: idsOf('hel'), settings: GREEDY })
    expect(finished).toMatchObject({ text: 'hello', finishReason: 'stop', stats: { promptTokens: 5, completionTokens: 2 } })
    expect(shown).toBe('lo')
  })

  it('is not searched for stop strings', async () => {
    const settings = { ...GREEDY, stop: ['he'] }
    expect((await collect({ model: says('hello'), promptIds: idsOf('q '), prefillIds: idsOf('hel'), settings })).finished.text).toBe(
      'hello',
    )
  })
})

describe('a form', () => {
  const only = (text: string) => ({ ...GREEDY, constraint: { kind: 'regex', text } as const })

  it('is kept whatever the model would say, and ends the reply when nothing can follow', async () => {
    const { finished } = await collect({ model: says('hello'), promptIds: idsOf('q '), settings: only('(no|yes)') })
    expect(finished).toMatchObject({ finishReason: 'stop' })
    expect(['no', 'yes']).toContain(finished.text)
  })

  it('lets the model end the reply only where the form does', async () => {
    expect((await collect({ model: says('ab'), promptIds: idsOf('q '), settings: only('[a-z]{4}') })).finished.text).toHaveLength(4)
    expect((await collect({ model: says('ab'), promptIds: idsOf('q '), settings: only('[a-z]*') })).finished.text).toBe('ab')
  })

  it('holds for the beginning too', async () => {
    const options = { model: says('ab'), promptIds: idsOf('q '), prefillIds: idsOf('x') }
    expect((await collect({ ...options, settings: only('xa?b?') })).finished.text).toBe('xb')
    await expect(collect({ ...options, settings: only('[ab]*') })).rejects.toMatchObject({ code: 'generate/prefix-outside-grammar' })
  })

  it('needs the texts of the tokens', async () => {
    const { vocabulary: _, ...model } = says('a')
    await expect(collect({ model, promptIds: idsOf('q '), settings: only('a') })).rejects.toMatchObject({ code: 'generate/no-vocabulary' })
  })
})

describe('DRY', () => {
  it('breaks a repetition, except across a border', async () => {
    const settings = { ...GREEDY, dryMultiplier: 50, drySequenceBreakers: [] }
    expect((await collect({ model: says('abcabcabcabc'), promptIds: idsOf('q '), settings })).finished.text).not.toBe('abcabcabcabc')
    const bordered = { ...settings, drySequenceBreakers: ['c'] }
    expect((await collect({ model: says('acacacac'), promptIds: idsOf('q '), settings: bordered })).finished.text).toBe('acacacac')
  })
})
