// GPT-Neo's `attention_types`: which layers have a window.
import { expect, test } from 'vitest'
import type { JsonValue } from '../../../engine/bytes/json'
import { readDecoderConfig } from '../../../engine/config/read-config'

const neo = { model_type: 'gpt_neo', vocab_size: 64, hidden_size: 32, num_layers: 4, num_heads: 4, window_size: 8 }
const windows = (attentionTypes: JsonValue): readonly (number | null)[] =>
  readDecoderConfig({ ...neo, attention_types: attentionTypes }).layers.map(({ window }) => window)

test('repeats its lists, and alternates without any', () => {
  expect(windows([[['global', 'local'], 2]])).toEqual([null, 8, null, 8])
  expect(
    windows([
      [['local'], 3],
      [['global'], 1],
    ]),
  ).toEqual([8, 8, 8, null])
  expect(windows(null)).toEqual([null, 8, null, 8])
})

test.each([[[[['global'], 1]]], [[[['global', 'other'], 2]]], ['local'], [[[['local'], 1e9]]], [[['local', 4]]]])('refuses %j', (types) => {
  expect(() => windows(types)).toThrow(/attention_types/)
})
