// Quantized GGUF models: Q4_0 and Q8_0 blocks are multiplied with as they are stored, other blocks as F32 or as q8.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { join, resolve } from 'node:path'
import { openGguf } from '../../../engine/checkpoint/gguf/open-gguf'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import { convert } from '../../../engine/convert/convert'
import { loadModel } from '../../../engine/generate/load-model'
import { openDecoder } from '../../../engine/generate/open-decoder'
import type { WeightFormatName } from '../../../engine/graph/weight-format'
import type { LoadedDecoder } from '../../../engine/runtime/decoder-model'
import { dequantizeRows } from '../../../engine/tensor/nbits/quantize'
import { weightroom } from '../../main/cli/run-command-line'
import { floatsOfBytes, rootMeanSquare } from '../../support/compare-logits'
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder'
import { ggufFile, type TensorToWrite, type ValueToWrite } from '../checkpoint/gguf/gguf-writer'
import { maxDifference, standardDeviation } from './golden-model'

/** A trained llama with grouped heads, so that query and key rows lie in another order in GGUF. */
const guide = resolve(import.meta.dirname, '../../../resources/guide')
const ids = Array.from({ length: 40 }, (_, index) => 5 + ((index * 37) % 900))

let folder: TemporaryFolder
beforeAll(() => {
  folder = temporaryFolder()
  vi.stubEnv('WEIGHTROOM_DATA', join(folder.path, 'data'))
})
afterAll(() => {
  vi.unstubAllEnvs()
  folder[Symbol.dispose]()
})

const prepared = () => ({ folder: join(folder.path, 'prepared') })

async function logitsOf(decoder: LoadedDecoder): Promise<Float32Array> {
  using cache = decoder.createCache({ capacityTokens: ids.length })
  return await decoder.forward({ ids, cache, logits: 'all' })
}

async function logits(path: string, format?: WeightFormatName): Promise<Float32Array> {
  using decoder = (await openDecoder(path, { prepared: prepared(), ...(format && { format }) })).decoder
  return await logitsOf(decoder)
}

/** What `weightroom logits` writes. */
async function commandLineLogits(file: string, format: string): Promise<Float32Array> {
  const out = join(folder.path, `${format}.safetensors`)
  const call = await weightroom(['logits', file, '--ids', ids.join(','), '--out', out, '--format', format])
  expect(call).toMatchObject({ exitCode: 0, code: null })
  using written = await openCheckpoint(out)
  return floatsOfBytes(await written.read('logits'))
}

/** The same model as F32 safetensors, whose tensors have been computed from the blocks: nothing there is quantized or prepared. */
async function asSafetensors(file: string): Promise<string> {
  const out = `${file.slice(0, -'.gguf'.length)}-f32`
  await convert({ source: file, to: 'safetensors', out, dtype: 'F32' })
  return out
}

describe.each(['q8', 'q4'] as const)('a GGUF file of %s blocks', (quantize) => {
  let file: string
  beforeAll(async () => {
    file = join(folder.path, `${quantize}.gguf`)
    await convert({ source: guide, to: 'gguf', out: file, quantize })
  })

  it('gives codes and scales that stand for exactly the values of the blocks', async () => {
    using checkpoint = await openGguf(file, {})
    const stored = [...checkpoint.tensors.values()].flatMap((tensor) =>
      tensor.storage === 'computed' && tensor.quantized ? [{ ...tensor, format: tensor.quantized }] : [],
    )
    expect(stored.length).toBeGreaterThan(30)
    for (const { name, shape, format } of stored.slice(0, 12)) {
      const [rows = 0, columns = 0] = shape
      const part = { firstRow: rows >> 1, rows: rows - (rows >> 1) }
      const matrix = await checkpoint.readQuantized?.({ name, ...part })
      if (matrix === undefined) throw new Error('codes cannot be read')
      const values = floatsOfBytes(await checkpoint.read(name)).subarray(part.firstRow * columns)
      expect(maxDifference(dequantizeRows(matrix, { shape: { rows: part.rows, columns }, format }), values), name).toBe(0)
    }
  })

  it('gives the logits of the F32 values, but for activations that are rounded to 8 bits', async () => {
    const plain = await logits(await asSafetensors(file))
    using model = await loadModel(file, { prepared: prepared() })
    expect(model.decoder.format).toBe('stored')
    const found = await logitsOf(model.decoder)
    expect(rootMeanSquare(found, plain) / standardDeviation(plain)).toBeLessThan(0.02)
    expect(rootMeanSquare(found, plain)).toBeGreaterThan(0)
    // The blocks as F32 take the same numbers through the same operators.
    expect(maxDifference(await commandLineLogits(file, 'f32'), plain)).toBeLessThan(1e-4 * standardDeviation(plain))
    expect(maxDifference(await commandLineLogits(file, 'auto'), found)).toBeLessThan(1e-3 * standardDeviation(plain))
  })
})

/** Bytes of blocks with any codes and a small scale at each of `scalesAt`. */
function blocks(options: {
  readonly count: number
  readonly blockBytes: number
  readonly scalesAt: readonly number[]
  readonly half: number
}): Uint8Array {
  const { count, blockBytes, scalesAt, half } = options
  const bytes = Uint8Array.from({ length: count * blockBytes }, (_, index) => (Math.imul(index + 1, 2654435761) >>> 13) & 255)
  for (let block = 0; block < count; block++)
    for (const at of scalesAt) new DataView(bytes.buffer).setUint16(block * blockBytes + at, half, true)
  return bytes
}

const BLOCKS = {
  Q4_0: { typeNumber: 2, values: 32, blockBytes: 18, scalesAt: [0], half: 0x1e00 },
  Q8_0: { typeNumber: 8, values: 32, blockBytes: 34, scalesAt: [0], half: 0x1000 },
  Q5_0: { typeNumber: 6, values: 32, blockBytes: 22, scalesAt: [0], half: 0x1e00 },
  Q4_K: { typeNumber: 12, values: 256, blockBytes: 144, scalesAt: [0, 2], half: 0x0800 },
  Q6_K: { typeNumber: 14, values: 256, blockBytes: 210, scalesAt: [208], half: 0x0400 },
} as const

function matrix(name: string, type: keyof typeof BLOCKS, [rows, columns]: readonly [number, number]): TensorToWrite {
  const { typeNumber, values, ...block } = BLOCKS[type]
  return { name, typeNumber, dimensions: [columns, rows], bytes: blocks({ count: (rows * columns) / values, ...block }) }
}

interface Vocabulary {
  readonly size: number
  /** Of the table; a table on its own stands for the head too. */
  readonly table: keyof typeof BLOCKS
  readonly head: keyof typeof BLOCKS | null
}

function mixedModel({ size, table, head }: Vocabulary): Uint8Array {
  const u32 = (value: number): ValueToWrite => ({ type: 'u32', value })
  const norm = (name: string): TensorToWrite => ({
    name,
    typeNumber: 0,
    dimensions: [256],
    bytes: new Uint8Array(new Float32Array(256).fill(1).buffer),
  })
  return ggufFile({
    metadata: [
      ['general.architecture', { type: 'string', value: 'llama' }],
      ['llama.context_length', u32(128)],
      ['llama.embedding_length', u32(256)],
      ['llama.block_count', u32(1)],
      ['llama.feed_forward_length', u32(256)],
      ['llama.attention.head_count', u32(4)],
      ['llama.attention.head_count_kv', u32(2)],
      ['llama.attention.layer_norm_rms_epsilon', { type: 'f32', value: 1e-5 }],
      ['llama.rope.dimension_count', u32(64)],
      ['llama.vocab_size', u32(size)],
      ['tokenizer.ggml.model', { type: 'string', value: 'no_vocab' }],
    ],
    tensors: [
      matrix('token_embd.weight', table, [size, 256]),
      ...(head === null ? [] : [matrix('output.weight', head, [size, 256])]),
      matrix('blk.0.attn_q.weight', 'Q4_K', [256, 256]),
      matrix('blk.0.attn_k.weight', 'Q5_0', [128, 256]),
      matrix('blk.0.attn_v.weight', 'Q6_K', [128, 256]),
      matrix('blk.0.attn_output.weight', 'Q4_K', [256, 256]),
      matrix('blk.0.ffn_gate.weight', 'Q6_K', [256, 256]),
      matrix('blk.0.ffn_up.weight', 'Q5_0', [256, 256]),
      matrix('blk.0.ffn_down.weight', 'Q4_K', [256, 256]),
      norm('blk.0.attn_norm.weight'),
      norm('blk.0.ffn_norm.weight'),
      norm('output_norm.weight'),
    ],
  })
}

it('takes blocks that MatMulNBits does not know as F32 or as q8', async () => {
  const file = folder.write('mixed.gguf', mixedModel({ size: 1000, table: 'Q4_K', head: 'Q6_K' }))
  const plain = await logits(await asSafetensors(file))
  expect(standardDeviation(plain)).toBeGreaterThan(0)
  expect(maxDifference(await logits(file, 'f32'), plain)).toBeLessThan(1e-4 * standardDeviation(plain))
  expect(rootMeanSquare(await logits(file), plain) / standardDeviation(plain)).toBeLessThan(0.05)
})

/** Looked up in codes, since as F32 it would be large: 5,120,000 values. */
describe.each([
  { table: 'Q8_0', format: 'stored', most: 0.05 },
  { table: 'Q4_0', format: 'stored', most: 0.05 },
  // Four bits with zero points in all matrices; a table read wrongly would give logits of another model, further apart than one spread.
  { table: 'Q6_K', format: 'fast', most: 0.5 },
] as const)('a large table of $table blocks in $format', ({ table, format, most }) => {
  it('gives the logits of its values', async () => {
    const file = folder.write(`${table}-${format}.gguf`, mixedModel({ size: 20_000, table, head: null }))
    const plain = await logits(await asSafetensors(file))
    expect(rootMeanSquare(await logits(file, format), plain) / standardDeviation(plain)).toBeLessThan(most)
  })
})
