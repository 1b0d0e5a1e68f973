// GGUF files written by us: what they hold, and that they come back as they were.
import { cp, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readGgufHeader } from '../../../engine/checkpoint/gguf/header'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import { castBytes } from '../../../engine/convert/cast'
import { convert } from '../../../engine/convert/convert'
import { ropeFactors } from '../../../engine/convert/gguf/config-entries'
import { loadDecoderConfig } from '../../../engine/config/read-config'
import { dequantizeBlocks } from '../../../engine/tensor/blocks/dequantize'
import { loadTokenizer } from '../../../engine/tokenizer/load'
import { engineCode } from '../../support/engine-code'
import { goldenLogits, logitError } from '../../support/golden-logits'
import { temporaryFolder } from '../../support/temporary-folder'

const models = join(import.meta.dirname, '../../fixtures/models')

async function modelOf(name: string, scratch: string): Promise<string> {
  const model = join(scratch, 'model')
  await cp(join(models, name), model, { recursive: true, filter: (path) => !path.endsWith('golden.safetensors') })
  return model
}

/** Bytes of every tensor by name. */
async function contentOf(path: string): Promise<ReadonlyMap<string, string>> {
  using checkpoint = await openCheckpoint(path)
  const content = new Map<string, string>()
  for (const { name, dtype, shape } of checkpoint.tensors.values())
    content.set(name, `${dtype} [${shape.join()}] ${Buffer.from(await checkpoint.read(name)).toString('base64')}`)
  return content
}

describe('a GGUF file', () => {
  it.each([
    ['f32-one-layer', {}],
    ['bf16', { dtype: 'BF16' }],
    ['f16-tied', { dtype: 'F16' }],
    ['odd-heads', { dtype: 'BF16' }],
    ['biases', { dtype: 'BF16' }],
  ] as const)('of %s gives the same safetensors again', async (name, options) => {
    using scratch = temporaryFolder()
    const model = await modelOf(name, scratch.path)
    const [file, back] = [join(scratch.path, 'model.gguf'), join(scratch.path, 'back')]
    await convert({ source: model, to: 'gguf', out: file })
    const report = await convert({ source: file, to: 'safetensors', out: back, ...options })
    expect(report.family).toMatchObject({ modelType: 'llama', layout: 'gguf', unmapped: [] })
    expect(await contentOf(back)).toEqual(await contentOf(model))
  })

  it('says what the model is, and is alone in its folder', async () => {
    using scratch = temporaryFolder()
    const model = await modelOf('rope-llama3', scratch.path)
    const out = join(scratch.path, 'out')
    await convert({ source: model, to: 'gguf', out })
    expect(await readdir(out)).toEqual(['model.gguf'])
    const { metadata, tensors } = await readGgufHeader(join(out, 'model.gguf'))
    const value = (key: string) => {
      const found = metadata.get(key)
      return found && 'value' in found ? found.value : undefined
    }
    expect(value('general.architecture')).toBe('llama')
    expect(value('llama.attention.head_count_kv')).toBe(1)
    expect(value('llama.context_length')).toBe(256)
    expect(value('tokenizer.ggml.model')).toBe('no_vocab')
    expect(tensors.map(({ name }) => name)).toContain('rope_freqs.weight')
    const factors = ropeFactors(await loadDecoderConfig(model)).get('rope_freqs.weight')
    expect(factors?.[0]).toBe(1)
    expect(factors?.at(-1)).toBe(8)
  })

  it.each([
    ['q8', 'Q8_0', 0.01],
    ['q4', 'Q4_0', 0.15],
  ] as const)('holds matrices as %s blocks and norms as F32', async (quantize, type, share) => {
    using scratch = temporaryFolder()
    const model = await modelOf('bf16', scratch.path)
    const file = join(scratch.path, 'model.gguf')
    const report = await convert({ source: model, to: 'gguf', out: file, quantize })
    const query = report.tensors.find(({ name }) => name === 'blk.0.attn_q.weight')
    expect(query).toMatchObject({ dtype: type })
    expect(query?.maxAbsError).toBeLessThan(share)
    expect(report.tensors.find(({ name }) => name === 'blk.0.attn_norm.weight')).toMatchObject({ dtype: 'F32', maxAbsError: 0 })
    // Rows of 40 values are no whole blocks.
    expect(report.tensors.find(({ name }) => name === 'blk.0.ffn_down.weight')).toMatchObject({ dtype: 'F16' })
    expect(report.dtypeChanges).toContainEqual(expect.objectContaining({ to: type, exact: false, reason: 'asked' }))
  })

  it('carries pieces, scores, kinds and special ids of tokenizer.model', async () => {
    using scratch = temporaryFolder()
    const file = join(scratch.path, 'model.gguf')
    await convert({ source: join(import.meta.dirname, '../../../resources/guide'), to: 'gguf', out: file, quantize: 'q8' })
    const { metadata } = await readGgufHeader(file)
    expect(metadata.get('tokenizer.ggml.model')).toMatchObject({ value: 'llama' })
    expect(metadata.get('tokenizer.ggml.scores')).toMatchObject({ type: 'array', elementType: 'f32' })
    expect(metadata.get('tokenizer.ggml.bos_token_id')).toMatchObject({ type: 'u32' })
    expect(metadata.get('tokenizer.ggml.add_bos_token')).toMatchObject({ type: 'bool' })
  })

  it.each([
    ['phi3', 'family-phi3-long', ['rope_factors_long.weight', 'rope_factors_short.weight']],
    ['llama', 'rope-llama3', ['rope_freqs.weight']],
  ])('of %s carries the factors of its rotation, and they come back', async (_, name, factors) => {
    using scratch = temporaryFolder()
    const model = await modelOf(name, scratch.path)
    const [file, back] = [join(scratch.path, 'model.gguf'), join(scratch.path, 'back')]
    await convert({ source: model, to: 'gguf', out: file, dtype: 'F32' })
    using written = await openCheckpoint(file)
    expect([...written.tensors.keys()].filter((tensor) => tensor.startsWith('rope'))).toEqual(factors)
    const golden = await goldenLogits(join(models, name, 'golden.safetensors'))
    expect(await logitError(file, golden)).toBeLessThan(1e-4)
    await convert({ source: file, to: 'safetensors', out: back })
    expect(await logitError(back, golden)).toBeLessThan(1e-4)
  })

  it('carries a Unigram tokenizer with its own segmentation', async () => {
    using scratch = temporaryFolder()
    const model = await modelOf('bf16', scratch.path)
    const tokenizers = join(import.meta.dirname, '../tokenizer/fixtures')
    await cp(join(tokenizers, 'tiny-unigram.model'), join(model, 'tokenizer.model'))
    const file = join(scratch.path, 'model.gguf')
    await convert({ source: model, to: 'gguf', out: file })
    const { metadata } = await readGgufHeader(file)
    expect(metadata.get('tokenizer.ggml.model')).toMatchObject({ value: 't5' })
    const [own, written] = [await loadTokenizer(model), await loadTokenizer(file)]
    for (const text of ['Hello world', '  two  spaces ', 'ﬁne ①', 'naïve café', ''])
      expect(written.encode(text, { addSpecial: false, parseSpecial: false })).toEqual(
        own.encode(text, { addSpecial: false, parseSpecial: false }),
      )
  })

  it('is refused for families that it has no place for, and quantizing for other formats', async () => {
    using scratch = temporaryFolder()
    const model = await modelOf('bf16', scratch.path)
    const config = scratch.write(
      'bloom.json',
      JSON.stringify({ model_type: 'bloom', vocab_size: 64, hidden_size: 32, n_layer: 2, n_head: 2 }),
    )
    const out = join(scratch.path, 'out')
    expect(await engineCode(() => convert({ source: model, to: 'gguf', out, config }))).toBe('convert/gguf-family')
    expect(await engineCode(() => convert({ source: model, to: 'safetensors', out, quantize: 'q8' }))).toBe('convert/not-available')
  })
})

describe('blocks', () => {
  it.each(['Q8_0', 'Q4_0'] as const)('of %s are what ggml makes: a value on the grid stays', (type) => {
    // The largest magnitude fixes the scale, 1: whole numbers within the codes are exact.
    const values = Float32Array.from({ length: 64 }, (_, index) => (type === 'Q8_0' ? ((index * 37) % 255) - 127 : ((index * 5) % 16) - 8))
    values[0] = type === 'Q8_0' ? 127 : -8
    values[32] = type === 'Q8_0' ? -127 : -8
    const { bytes, loss } = castBytes(new Uint8Array(values.buffer), { from: 'F32', to: type })
    const back = new Float32Array(64)
    dequantizeBlocks(bytes, { type, target: back })
    expect([...back]).toEqual([...values])
    expect(loss.maxAbsError).toBe(0)
  })

  it('of Q4_0 take a value half way between two codes where the sum of singles takes it, as ggml does', () => {
    const extreme = 0.427734375
    const values = new Float32Array(32)
    values[0] = extreme
    values[23] = extreme / -16
    const { bytes } = castBytes(new Uint8Array(values.buffer), { from: 'F32', to: 'Q4_0' })
    const back = new Float32Array(32)
    dequantizeBlocks(bytes, { type: 'Q4_0', target: back })
    expect(back[23]).toBeCloseTo(extreme / -8, 4)
  })
})
