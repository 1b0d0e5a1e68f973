// Exported ONNX decoders against the golden logits and greedy ids of the model that they were exported from, on both bindings.
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openCheckpoint } from '../../../../engine/checkpoint/open'
import { openDecoder } from '../../../../engine/generate/open-decoder'
import { greedyIds, maxDifference, readGolden, standardDeviation } from '../golden-model'

const exports = resolve(import.meta.dirname, '../../../fixtures/onnx')
const golden = readGolden(resolve(import.meta.dirname, '../../../fixtures/models/multi-query'))

/** Relative to the spread of the logits, in float32 (docs/decisions: numeric tolerances). */
const TOLERANCE = 1e-4
/** Half precision in weights, cache and logits. */
const HALF_TOLERANCE = 2e-2

describe.each(['c-api', 'node-binding'] as const)('through the %s', (runtime) => {
  test.each([
    ['optimum layout', 'optimum'],
    ['merged decoder', 'merged'],
    ['decoder without a cache', 'no-past'],
    ['onnxruntime-genai layout', 'genai'],
    ['file in the folder onnx', 'optimum/onnx/model.onnx'],
  ])('%s has the logits and greedy ids of Transformers', async (_, folder) => {
    const { inputIds, logits, greedyIds: expected } = await golden
    const { decoder, contextLength, config } = await openDecoder(resolve(exports, folder), { runtime })
    using model = decoder
    expect(model.runtimeKind).toBe(runtime)
    expect([config.modelType, config.vocabSize, config.eosTokenIds, contextLength]).toEqual(['llama', 64, [2], 64])
    using cache = model.createCache({ capacityTokens: inputIds.length + expected.length })
    const found = await model.forward({ ids: inputIds, cache, logits: 'all' })
    expect(maxDifference(found, logits) / standardDeviation(logits)).toBeLessThan(TOLERANCE)
    cache.truncate(0)
    expect(await greedyIds(model, { cache, promptIds: inputIds, count: expected.length })).toEqual(expected)
  })

  test.each(['optimum', 'merged', 'no-past', 'genai'])('%s: parts, a cut and a replay give the same scores as one pass', async (folder) => {
    const { inputIds, logits } = await golden
    using model = (await openDecoder(resolve(exports, folder), { runtime, prefillChunkTokens: 3 })).decoder
    using cache = model.createCache({ capacityTokens: inputIds.length })
    await model.forward({ ids: inputIds.slice(0, 7), cache, logits: 'none' })
    await model.forward({ ids: [9, 9, 9, 9, 9, 9, 9], cache, logits: 'last' })
    expect(cache.lengthTokens).toBe(14)
    cache.truncate(5)
    const first = await model.forward({ ids: inputIds.slice(5, 7), cache, logits: 'all' })
    const rest = await model.forward({ ids: inputIds.slice(7), cache, logits: 'all' })
    const found = Float32Array.of(...first, ...rest)
    expect(maxDifference(found, logits.subarray(5 * 64)) / standardDeviation(logits)).toBeLessThan(TOLERANCE)
  })

  test.each([
    ['f16', 'logits_fp16', HALF_TOLERANCE],
    ['q4', 'logits_q4', TOLERANCE],
  ] as const)('variant %s gives what onnxruntime gives for the whole sequence', async (variant, name, tolerance) => {
    const { inputIds } = await golden
    using file = await openCheckpoint(resolve(exports, 'quantized.safetensors'))
    const logits = new Float32Array((await file.read(name)).slice().buffer)
    using model = (await openDecoder(resolve(exports, 'optimum'), { runtime, variant, prefillChunkTokens: 6 })).decoder
    using cache = model.createCache({ capacityTokens: inputIds.length })
    const found = await model.forward({ ids: inputIds, cache, logits: 'all' })
    expect(maxDifference(found, logits) / standardDeviation(logits)).toBeLessThan(tolerance)
  })

  // Dynamic quantization takes its scale from all positions of a run, so that the parts of a prompt must be the same.
  test.each([
    ['q8', TOLERANCE],
    ['uint8', TOLERANCE],
    ['q4f16', HALF_TOLERANCE],
    ['bnb4', TOLERANCE],
  ] as const)('variant %s has the logits and greedy ids of onnxruntime in Python', async (variant, tolerance) => {
    const { inputIds } = await golden
    using file = await openCheckpoint(resolve(exports, 'quantized.safetensors'))
    const logits = new Float32Array((await file.read(`logits_${variant}`)).slice().buffer)
    const expected = Array.from(new BigInt64Array((await file.read(`greedy_${variant}`)).slice().buffer), Number)
    using model = (await openDecoder(resolve(exports, 'variants'), { runtime, variant })).decoder
    using cache = model.createCache({ capacityTokens: inputIds.length + expected.length })
    const found = await model.forward({ ids: inputIds, cache, logits: 'all' })
    expect(maxDifference(found, logits) / standardDeviation(logits)).toBeLessThan(tolerance)
    cache.truncate(0)
    expect(await greedyIds(model, { cache, promptIds: inputIds, count: expected.length })).toEqual(expected)
  })
})
