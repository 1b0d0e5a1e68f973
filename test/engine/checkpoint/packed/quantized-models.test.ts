// Pre-quantized checkpoints against Transformers with the dequantized weights: bit-equal values, equal codes, logits and greedy ids. Fixtures: test/fixtures/make_quantized.py.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Checkpoint, ComputedTensor } from '../../../../engine/checkpoint/types'
import { openModelCheckpoint } from '../../../../engine/config/open-model-checkpoint'
import { openDecoder } from '../../../../engine/generate/open-decoder'
import { inspectCheckpoint } from '../../../../engine/inspect/inspect-checkpoint'
import { describeModelDirectory } from '../../../../engine/inspect/describe-model'
import type { LoadedDecoder } from '../../../../engine/runtime/decoder-model'
import { dequantizeRows } from '../../../../engine/tensor/nbits/quantize'
import { floatsOfBytes, rootMeanSquare } from '../../../support/compare-logits'
import { temporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder'
import { greedyIds, maxDifference, readGolden, standardDeviation } from '../../runtime/golden-model'

const fixtures = resolve(import.meta.dirname, '../../../fixtures/quantized')
const names = readdirSync(fixtures)

/** Relative to the spread of the logits, in float32. */
const TOLERANCE = 1e-4
/** MatMulNBits rounds activations to 8 bits; of codes that are computed as stored, nothing else differs. */
const ROUNDED_ACTIVATIONS = 0.03
/** Schemes whose values are no multiples of a step: they are computed in q8 where no exact format is asked for. */
const VALUES_ONLY = new Set([
  'compressed-float8',
  'float8-blocks',
  'bitsandbytes-nf4',
  'mlx-3bit',
  'mlx-4bit',
  'mlx-5bit',
  'mlx-6bit',
  'mlx-8bit',
])

let folder: TemporaryFolder
beforeAll(() => {
  folder = temporaryFolder()
})
afterAll(() => folder[Symbol.dispose]())

const load = async (name: string, format?: 'f32'): Promise<LoadedDecoder> =>
  (await openDecoder(join(fixtures, name), { prepared: { folder: join(folder.path, 'prepared') }, ...(format && { format }) })).decoder

function hashesOf(name: string): Readonly<Record<string, string>> {
  const origin: unknown = JSON.parse(readFileSync(join(fixtures, name, 'origin.json'), 'utf8'))
  if (typeof origin !== 'object' || origin === null || !('sha256' in origin)) throw new Error('origin.json has no hashes')
  return Object.fromEntries(Object.entries(origin.sha256 ?? {}).map(([key, value]) => [key, String(value)]))
}

/** Values that the codes of a matrix stand for, in the order of the tensor. */
async function valuesOfCodes(checkpoint: Checkpoint, tensor: ComputedTensor): Promise<Float32Array | null> {
  const { name, shape, quantized: format, inputOrder } = tensor
  if (format === undefined) return null
  const columns = shape.at(-1) ?? 1
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1)
  const matrix = await checkpoint.readQuantized?.({ name, firstRow: 0, rows })
  if (matrix === undefined) return null
  const values = dequantizeRows(matrix, { shape: { rows, columns }, format })
  if (inputOrder === undefined) return values
  const ordered = new Float32Array(values.length)
  for (let row = 0; row < rows; row++)
    inputOrder.forEach((column, place) => (ordered[row * columns + column] = values[row * columns + place] ?? NaN))
  return ordered
}

describe.each(names)('%s', (name) => {
  it('has bit for bit the values that the format defines, and its codes stand for the same', async () => {
    using checkpoint = await openModelCheckpoint({ directory: join(fixtures, name), path: join(fixtures, name) })
    const hashes = Object.entries(hashesOf(name))
    expect(hashes.length).toBeGreaterThan(1)
    for (const [tensorName, hash] of hashes) {
      const tensor = checkpoint.tensors.get(tensorName)
      if (tensor?.storage !== 'computed') throw new Error(`${tensorName} is not computed`)
      const bytes = await checkpoint.read(tensorName)
      expect(createHash('sha256').update(bytes).digest('hex'), tensorName).toBe(hash)
      // Any part of it is the same part of the whole.
      const part = { offsetBytes: 13, sizeBytes: 1000 }
      expect(await checkpoint.readRange({ name: tensorName, ...part })).toEqual(bytes.slice(13, 1013))
      const codes = await valuesOfCodes(checkpoint, tensor)
      expect(codes === null, tensorName).toBe(VALUES_ONLY.has(name))
      if (codes !== null) expect(maxDifference(codes, floatsOfBytes(bytes)), tensorName).toBe(0)
    }
  })

  it('has the logits and greedy ids of Transformers, exactly in F32 and closely with its own codes', async () => {
    const golden = await readGolden(join(fixtures, name))
    const spread = standardDeviation(golden.logits)
    using exact = await load(name, 'f32')
    using cache = exact.createCache({ capacityTokens: golden.inputIds.length + golden.greedyIds.length })
    const logits = await exact.forward({ ids: golden.inputIds, cache, logits: 'all' })
    expect(maxDifference(logits, golden.logits) / spread).toBeLessThan(TOLERANCE)
    cache.truncate(0)
    expect(await greedyIds(exact, { cache, promptIds: golden.inputIds, count: golden.greedyIds.length })).toEqual(golden.greedyIds)
    using stored = await load(name)
    expect(stored.format).toBe('stored')
    using storedCache = stored.createCache({ capacityTokens: golden.inputIds.length })
    const found = await stored.forward({ ids: golden.inputIds, cache: storedCache, logits: 'all' })
    expect(rootMeanSquare(found, golden.logits) / spread).toBeLessThan(ROUNDED_ACTIVATIONS)
  })

  it('is described and inspected as what it is', async () => {
    const summary = await describeModelDirectory(join(fixtures, name))
    // No tokenizer lies there: nothing else is missing.
    expect(summary.error?.code).toBe('tokenizer/missing')
    expect(summary.dtype).toMatch(/^(GPTQ|AWQ|INT|FP|BNB|MXFP|MLX)/)
    expect(summary.parameterCount).toBeGreaterThan(30_000)
    const inspection = await inspectCheckpoint(join(fixtures, name))
    expect(inspection.quantization?.description).toMatch(/GPTQ|AWQ|compressed|FP8|bitsandbytes|MXFP4|MLX/)
    expect(inspection.notes.map(({ code }) => code)).toContain('checkpoint/quantized')
  })
})
