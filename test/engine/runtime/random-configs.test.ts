// What holds for every decoder, whatever its configuration: logits do not depend on how a sequence is fed. Small random configurations of dense rows, random weights.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseJson } from '../../../engine/bytes/json'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import { readDecoderConfig } from '../../../engine/config/read-config'
import { loadDecoder } from '../../../engine/runtime/load-decoder'
import type { DecoderModel } from '../../../engine/runtime/model-types'
import { temporaryFolder } from '../../support/temporary-folder'
import { maxDifference, standardDeviation } from './golden-model'
import { randomCheckpoint } from './random-weights'

/** Relative to the spread of the logits, in float32. */
const TOLERANCE = 1e-4
const RUNS = 24

const windows = { sliding_window: fc.integer({ min: 2, max: 9 }) }
const flags = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, fc.boolean()]))

/** Dense rows of every kind of block, with the fields of theirs that are drawn. */
const rows: Readonly<Record<string, Readonly<Record<string, fc.Arbitrary<unknown>>>>> = {
  llama: flags('attention_bias', 'mlp_bias'),
  mistral: windows,
  qwen2: { ...windows, ...flags('use_sliding_window'), max_window_layers: fc.integer({ min: 0, max: 2 }) },
  qwen3: flags('attention_bias'),
  gemma2: { ...windows, query_pre_attn_scalar: fc.constantFrom(7, 24) },
  gemma3_text: { ...windows, sliding_window_pattern: fc.integer({ min: 1, max: 3 }) },
  phi: flags('qk_layernorm'),
  phi3: windows,
  stablelm: flags('use_parallel_residual', 'qk_layernorm', 'use_qkv_bias'),
  starcoder2: { ...windows, ...flags('use_bias') },
  olmo2: {},
  cohere2: { ...windows, sliding_window_pattern: fc.integer({ min: 1, max: 3 }) },
  granite: { residual_multiplier: fc.constantFrom(0.3, 1), attention_multiplier: fc.constantFrom(0.2, 1) },
  smollm3: { no_rope_layer_interval: fc.integer({ min: 1, max: 3 }) },
  glm4: {},
  gpt_neox: flags('use_parallel_residual'),
  hunyuan_v1_dense: {},
  bitnet: {},
  lfm2: { layer_types: fc.constant(['conv', 'full_attention', 'conv']), conv_L_cache: fc.integer({ min: 2, max: 4 }) },
}
/** Rows that are drawn with scaled rotation, and those that rotate a part of each head. */
const scaledRows: ReadonlySet<string> = new Set(['llama', 'mistral', 'qwen2', 'qwen3', 'granite', 'olmo2', 'bitnet'])

const partialRows: ReadonlySet<string> = new Set(['phi', 'phi3', 'stablelm', 'glm4', 'gpt_neox'])

const scaling = fc.constantFrom(
  { rope_type: 'default', rope_theta: 100 },
  { rope_type: 'linear', factor: 2, rope_theta: 10_000 },
  { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 8, rope_theta: 10_000 },
  { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 16, rope_theta: 10_000 },
  'longrope',
)

const drawn = fc.constantFrom(...Object.keys(rows)).chain((modelType) =>
  fc
    .record({
      common: fc.record({
        vocab_size: fc.integer({ min: 20, max: 40 }),
        intermediate_size: fc.integer({ min: 9, max: 40 }),
        num_hidden_layers: fc.integer({ min: 1, max: 3 }),
        tie_word_embeddings: fc.boolean(),
        hidden_act: fc.constantFrom('silu', 'gelu', 'gelu_pytorch_tanh', 'relu2', 'quick_gelu'),
      }),
      heads: fc.tuple(fc.constantFrom(1, 2, 3), fc.constantFrom(1, 2), fc.constantFrom(8, 10, 12, 16, 20)),
      own: fc.record(rows[modelType] ?? {}),
      rope: scaling,
    })
    .map(({ common, heads: [keys, share, headDim], own, rope }) => ({
      ...common,
      ...own,
      model_type: modelType,
      hidden_size: keys * share * headDim,
      num_attention_heads: keys * share,
      num_key_value_heads: modelType === 'gpt_neox' ? undefined : keys,
      head_dim: headDim,
      // Rotation takes pairs.
      ...(partialRows.has(modelType) ? { partial_rotary_factor: headDim % 4 === 0 ? 0.5 : 1 } : {}),
      ...(modelType === 'lfm2' ? { hidden_act: undefined, num_hidden_layers: 3 } : {}),
      max_position_embeddings: 64,
      ...(scaledRows.has(modelType) ? { rope_parameters: rope === 'longrope' ? longRope(headDim / 2) : rope } : {}),
    })),
)

/** Shorter than the sequences, so that they cross the length where the rotation changes. */
function longRope(pairs: number): object {
  const factors = (step: number): readonly number[] => Array.from({ length: pairs }, (_, pair) => 1 + step * pair)
  return {
    rope_type: 'longrope',
    rope_theta: 10_000,
    original_max_position_embeddings: 12,
    short_factor: factors(0.1),
    long_factor: factors(0.7),
  }
}

/** Logits of every position when `ids` come in parts of the given lengths, or what is left, one token at a time at the end. */
async function fed(model: DecoderModel, ids: readonly number[], parts: readonly number[]): Promise<readonly Float32Array[]> {
  using cache = model.createCache({ capacityTokens: ids.length })
  const out: Float32Array[] = []
  const lengths = parts.values()
  for (let start = 0; start < ids.length;) {
    const part = ids.slice(start, start + (lengths.next().value ?? 1))
    const logits = await model.forward({ ids: part, cache, logits: 'all' })
    part.forEach((_, row) => out.push(logits.slice(row * model.config.vocabSize, (row + 1) * model.config.vocabSize)))
    start += part.length
  }
  return out
}

it('logits of one pass are those of parts and of single tokens, for random small configurations', async () => {
  await fc.assert(
    fc.asyncProperty(drawn, fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 3 }), fc.nat(), async (json, parts, seed) => {
      const config = readDecoderConfig(parseJson(new TextEncoder().encode(JSON.stringify(json)), 'config.json'))
      using folder = temporaryFolder()
      folder.write('model.safetensors', randomCheckpoint(config, seed))
      using checkpoint = await openCheckpoint(folder.path)
      using model = await loadDecoder({ directory: folder.path, checkpoint, config, threads: 1 })
      expect(model.notes).toEqual([])
      const ids = Array.from({ length: 18 }, (_, index) => (seed + 7 * index * index) % config.vocabSize)
      const inParts = await fed(model, ids, parts)
      const whole = await fed(model, ids, [ids.length])
      // Where the rotation changes with the length, earlier logits were those of a shorter sequence.
      const from = model.rotationSwitchTokens === null ? 0 : ids.length - 1
      for (const [index, logits] of whole.entries()) {
        if (index < from) continue
        expect(maxDifference(inParts[index] ?? new Float32Array(), logits) / standardDeviation(logits)).toBeLessThan(TOLERANCE)
      }
    }),
    { numRuns: RUNS },
  )
})
