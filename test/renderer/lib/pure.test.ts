// The renderer's pure functions.
import { afterEach, describe, expect, it } from 'vitest'
import type { EngineState, Message, Sampling } from '../../../preload/contract'
import { closeOpenMessages, placeMessage, siblingAt } from '../../../renderer/lib/chat/branch'
import { composerBlock } from '../../../renderer/lib/chat/composer-block'
import {
  FALLBACK_SAMPLING,
  readNumber,
  readStop,
  sameSampling,
  SLIDER_SETTINGS,
  writeStop,
} from '../../../renderer/lib/chat/sampling-fields'
import { splitSnippet } from '../../../renderer/lib/chat/snippet'
import { contextSteps, nearestStep } from '../../../renderer/lib/context-steps'
import { carriesFiles, firstFilePath, readDropped } from '../../../renderer/lib/dropped-paths'
import { groupByDay } from '../../../renderer/lib/format/day-group'
import { formatBytes, formatContext, formatDuration, formatParameters, formatPercent } from '../../../renderer/lib/format/quantity'
import { spoken } from '../../../renderer/lib/i18n/spoken.svelte'
import { samplingSchema } from '../../../preload/contract'
import * as v from 'valibot'

const message = (id: string, parentId: string | null, more: Partial<Message> = {}): Message => ({
  ...{
    id,
    parentId,
    chatId: 'c',
    role: 'user',
    content: id,
    createdAtMs: 0,
    status: 'complete',
    finishReason: null,
    stats: null,
    error: null,
  },
  ...{ modelName: null, siblingIds: [id] },
  ...more,
})

afterEach(() => spoken.choose('en'))

describe('branch', () => {
  const messages = [message('a', null), message('b', 'a'), message('c', 'b')]

  it('puts a message behind its parent and drops what followed it', () => {
    expect(placeMessage(messages, message('d', 'a')).map(({ id }) => id)).toEqual(['a', 'd'])
    expect(placeMessage(messages, message('d', null)).map(({ id }) => id)).toEqual(['d'])
    expect(placeMessage(messages, message('b', 'a', { content: 'new' })).map(({ content }) => content)).toEqual(['a', 'new', 'c'])
  })

  it('closes only what is still being written', () => {
    expect(closeOpenMessages(messages)).toBe(messages)
    expect(closeOpenMessages([message('a', null, { status: 'streaming' })])[0]?.status).toBe('interrupted')
  })

  it('finds the versions beside a message', () => {
    const middle = message('b', 'a', { siblingIds: ['a', 'b', 'c'] })
    expect([siblingAt(middle, -1), siblingAt(middle, 1)]).toEqual(['a', 'c'])
    expect(siblingAt(message('a', null), 1)).toBeNull()
  })
})

describe('sending is blocked', () => {
  const ready = { status: 'ready' } as EngineState
  it.each([
    [{ connected: false, engine: ready, use: null }, 'composer.offline'],
    [{ connected: true, engine: { status: 'idle' } as EngineState, use: null }, 'composer.noModel'],
    [{ connected: true, engine: ready, use: { usedTokens: 2048, contextLength: 2048 } }, 'composer.contextFull'],
    [{ connected: true, engine: ready, use: { usedTokens: 2047, contextLength: 2048 } }, null],
    [{ connected: true, engine: ready, use: null }, null],
  ])('%j: %s', (state, expected) => {
    expect(composerBlock(state)).toBe(expected)
  })
})

describe('sampling', () => {
  it('offers only what the contract takes', () => {
    for (const setting of SLIDER_SETTINGS) {
      for (const value of [setting.min, setting.max, setting.sliderMin, setting.sliderMax]) {
        expect(v.safeParse(samplingSchema, { ...FALLBACK_SAMPLING, [setting.key]: value }).success).toBe(true)
      }
      expect(v.safeParse(samplingSchema, { ...FALLBACK_SAMPLING, [setting.key]: setting.max + 1 }).success).toBe(false)
    }
  })

  it('reads typed numbers into their range', () => {
    const range = { min: 0, max: 2, integer: false }
    expect(['0.7', '0,7', ' 9 ', '-1', '', 'x'].map((typed) => readNumber(typed, range))).toEqual([0.7, 0.7, 2, 0, null, null])
    expect(readNumber('3.6', { min: 0, max: 10, integer: true })).toBe(4)
  })

  it('compares every field, the order of keys aside', () => {
    const { temperature, ...rest } = FALLBACK_SAMPLING
    expect(sameSampling(FALLBACK_SAMPLING, { ...rest, temperature })).toBe(true)
    expect(sameSampling(FALLBACK_SAMPLING, { ...FALLBACK_SAMPLING, stop: ['a'] } satisfies Sampling)).toBe(false)
    expect(sameSampling(FALLBACK_SAMPLING, { ...FALLBACK_SAMPLING, seed: 0 })).toBe(false)
  })

  it('writes and reads stop strings with line breaks and backslashes', () => {
    for (const stop of ['\n\nUser:', 'a\\n', '\t', '\\', '你好']) expect(readStop(writeStop(stop))).toBe(stop)
    expect(writeStop('\n')).toBe('\\n')
  })
})

describe('search snippets', () => {
  it('marks every hit', () => {
    expect(splitSnippet('a \u2068shard\u2069 of \u2068shards\u2069.')).toEqual([
      { text: 'a ', match: false },
      { text: 'shard', match: true },
      { text: ' of ', match: false },
      { text: 'shards', match: true },
      { text: '.', match: false },
    ])
  })

  it('survives marks that do not pair', () => {
    expect(splitSnippet('a\u2069b \u2068c')).toEqual([
      { text: 'ab ', match: false },
      { text: 'c', match: true },
    ])
  })
})

describe('days', () => {
  it('groups by local day, then by month', () => {
    const now = new Date(2026, 2, 10, 9).getTime()
    const at = (...parts: [number, number, number, number]): { updatedAtMs: number } => ({ updatedAtMs: new Date(...parts).getTime() })
    const items = [at(2026, 2, 10, 0), at(2026, 2, 9, 23), at(2026, 2, 9, 0), at(2026, 2, 3, 0), at(2026, 2, 2, 23), at(2025, 11, 31, 1)]
    expect(groupByDay(items, now).map(({ heading, items: each }) => [heading, each.length])).toEqual([
      ['Today', 1],
      ['Yesterday', 2],
      ['Previous 7 days', 1],
      ['March 2026', 1],
      ['December 2025', 1],
    ])
  })
})

describe('quantities', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 KB'],
    [21_600_000, '21.6 MB'],
    [999_600_000, '1 GB'],
    [6.4e9, '6.4 GB'],
  ])('%d bytes are %s', (bytes, expected) => {
    expect(formatBytes(bytes)).toBe(expected)
  })

  it('writes parameters, contexts and times as model cards do', () => {
    expect([1.1e9, 362e6, 1e6, 800].map(formatParameters)).toEqual(['1.1B', '362M', '1M', '800'])
    expect([2048, 131_072, 2000, 512].map(formatContext)).toEqual(['2K', '128K', '2,000', '512'])
    expect([184.4, 999.6, 2140].map(formatDuration)).toEqual(['184 ms', '1 s', '2.14 s'])
  })

  it('follows the language in digits', () => {
    spoken.choose('zh-TW')
    expect(formatPercent(0.43)).toBe('43%')
  })
})

describe('dropped things', () => {
  const file = new File([''], 'my-model')
  const data = (uriList: string, files: File[]) => ({
    types: [],
    files,
    getData: (type: string) => (type === 'text/uri-list' ? uriList : ''),
  })

  it('prefers the path that the host knows', () => {
    expect(readDropped(data('file:///other', [file]), () => '/models/my-model')).toEqual({ kind: 'path', path: '/models/my-model' })
  })

  it('reads local file addresses, and no others', () => {
    expect(firstFilePath('# comment\r\nfile:///home/me/a%20model\r\nfile:///b')).toBe('/home/me/a model')
    expect(firstFilePath('file:///C:/models/a')).toBe('C:/models/a')
    expect(firstFilePath('file://server/share')).toBe('')
    expect(firstFilePath('https://huggingface.co/a')).toBe('')
    expect(firstFilePath('file:///a%ZZ')).toBe('/a%ZZ')
  })

  it('asks where only a name is known', () => {
    expect(readDropped(data('', [file]), () => '')).toEqual({ kind: 'name', name: 'my-model' })
    expect(readDropped(data('', []), () => '')).toEqual({ kind: 'nothing' })
  })

  it('leaves dragged text alone', () => {
    expect(carriesFiles(['text/plain', 'text/html'])).toBe(false)
    expect(carriesFiles(['Files'])).toBe(true)
  })
})

describe('context slider', () => {
  it('ends with the length of the model and never passes it', () => {
    for (const longest of [100, 2048, 131_072]) {
      const steps = contextSteps(longest)
      expect(steps.at(-1)).toBe(longest)
      expect([...steps].sort((a, b) => a - b)).toEqual(steps)
      expect(new Set(steps).size).toBe(steps.length)
    }
    expect(nearestStep([256, 512, 1024], 700)).toBe(1)
  })
})
