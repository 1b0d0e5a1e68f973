// Configurations in the form published models carry them, with the bookkeeping of their trainers: each is read, and a switch that nobody knows is still refused.
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isJsonObject, readJsonFile, type JsonObject } from '../../../engine/bytes/json'
import { readDecoderConfig } from '../../../engine/config/read-config'
import { engineCode } from '../../support/engine-code'

const path = resolve(import.meta.dirname, '../../fixtures/configs/published.json')
const all = await readJsonFile(path, { maxBytes: 1_000_000 })
const published: readonly (readonly [string, JsonObject])[] = Object.entries(isJsonObject(all) ? all : {}).flatMap(([name, config]) =>
  isJsonObject(config) ? [[name, config] as const] : [],
)
const configOf = (name: string): JsonObject => published.find(([other]) => other === name)?.[1] ?? {}

describe('published configurations', () => {
  it('are all there', () => {
    expect(published.length).toBeGreaterThan(90)
  })

  it.each(published)('%s is read, and refused with a switch that nobody knows', async (_, config) => {
    const { numHiddenLayers, layers } = readDecoderConfig(config)
    expect(layers).toHaveLength(numHiddenLayers)
    const nested = config['text_config']
    const changed = isJsonObject(nested)
      ? { ...config, text_config: { ...nested, inverted_attention: 2 } }
      : { ...config, inverted_attention: 2 }
    expect(await engineCode(() => readDecoderConfig(changed))).toBe('config/unsupported-switch')
  })

  it('take what a nested configuration leaves out from its class', () => {
    const { vocabSize, numAttentionHeads, numKeyValueHeads, headDim, layers, ropes } = readDecoderConfig(configOf('gemma-3-4b'))
    expect({ vocabSize, numAttentionHeads, numKeyValueHeads, headDim }).toEqual({
      vocabSize: 262_208,
      numAttentionHeads: 8,
      numKeyValueHeads: 4,
      headDim: 256,
    })
    expect(layers.flatMap(({ window }, index) => (window === null ? [index] : []))).toEqual([5, 11, 17, 23, 29])
    expect(ropes.map(({ theta }) => theta)).toEqual([1_000_000, 10_000])
  })

  it('make every fourth layer of SmolLM3 one without positions', () => {
    const { layers } = readDecoderConfig(configOf('smollm3'))
    expect(layers.flatMap(({ rope }, index) => (rope === null ? [index] : []))).toEqual([3, 7, 11, 15, 19, 23, 27, 31, 35])
  })

  it('take no window from Qwen2 where it is switched off', () => {
    expect(readDecoderConfig(configOf('qwen2.5-7b')).layers.every(({ window }) => window === null)).toBe(true)
    expect(readDecoderConfig(configOf('mistral-7b-v0.1')).layers.every(({ window }) => window === 4096)).toBe(true)
  })
})
