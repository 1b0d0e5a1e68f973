// llama2.c exports, made by test/fixtures/make_llama2c.py: tensors of each version, the model they become, and headers that must be refused.
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../../../engine/checkpoint/open'
import { convert } from '../../../../engine/convert/convert'
import { planConversion } from '../../../../engine/convert/plan'
import { engineCode } from '../../../support/engine-code'
import { expectedDigests, tensorDigests } from '../../../support/expected-tensors'
import { goldenLogits, logitError } from '../../../support/golden-logits'
import { temporaryFolder } from '../../../support/temporary-folder'

const fixtures = join(import.meta.dirname, '../../../fixtures/llama2c')
const fixture = (name: string): string => join(fixtures, name)

/** A file of the fixtures with other counts: 32-bit numbers by their offset. */
function changed(name: string, counts: Readonly<Record<number, number>>): Uint8Array {
  const bytes = Uint8Array.from(readFileSync(fixture(name)))
  for (const [offset, value] of Object.entries(counts)) new DataView(bytes.buffer).setInt32(Number(offset), value, true)
  return bytes
}

async function openingCode(bytes: Uint8Array): Promise<string> {
  using folder = temporaryFolder()
  const path = folder.write('model.bin', bytes)
  return await engineCode(async () => {
    using _ = await openCheckpoint(path)
  })
}

describe('a llama2.c export', () => {
  it.each(['v0', 'v0-untied', 'v1', 'v2'])('%s has the tensors of its state dict', async (name) => {
    using checkpoint = await openCheckpoint(fixture(`${name}.bin`))
    expect(checkpoint.format).toBe('llama2c')
    expect(await tensorDigests(checkpoint)).toEqual(await expectedDigests(fixture(`${name}.expected.safetensors`)))
  })

  it.each([
    ['v0', 10_000],
    ['v0-untied', 500_000],
    ['v1', undefined],
    ['v2', undefined],
  ] as const)('%s says its counts, and version 0 its rotary base', async (name, theta) => {
    using checkpoint = await openCheckpoint(fixture(`${name}.bin`))
    const counts = { dim: 16, hidden_dim: 24, n_layers: 2, n_heads: 4, n_kv_heads: 2, vocab_size: 40, max_seq_len: 32 }
    expect(checkpoint.settings).toMatchObject(counts)
    expect(checkpoint.settings?.['rope_theta']).toBe(theta)
  })

  it.each(['v0', 'v0-untied', 'v1', 'v2'])('%s becomes a Llama with the logits of the decoder that was exported', async (name) => {
    using scratch = temporaryFolder()
    const out = join(scratch.path, 'out')
    const report = await convert({ source: fixture(`${name}.bin`), to: 'safetensors', out, family: 'auto' })
    expect(report.family).toMatchObject({ modelType: 'llama', layout: 'meta', unmapped: [] })
    const heads = report.family?.config.find((field) => field.name === 'num_attention_heads')
    expect(heads).toMatchObject({ value: 4, origin: 'file' })
    expect(await logitError(out, await goldenLogits(fixture(`${name}.golden.safetensors`)))).toBeLessThan(1e-4)
  })

  it('is found in a folder, beside the tokenizer of llama2.c', async () => {
    using scratch = temporaryFolder()
    mkdirSync(join(scratch.path, 'model'))
    copyFileSync(fixture('v1.bin'), join(scratch.path, 'model', 'stories.bin'))
    scratch.write('model/tokenizer.bin', Uint8Array.from([4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 97]))
    const plan = await planConversion({ source: join(scratch.path, 'model'), to: 'safetensors', out: join(scratch.path, 'out') })
    expect(plan.source.format).toBe('llama2c')
    expect(plan.candidates[0]).toBe('llama')
  })

  it('is no pickle where its width looks like the start of one', async () => {
    // Width 640 is 0x0280: PROTO 2 and a zero.
    const counts = { 0: 640, 4: 8, 8: 1, 12: 4, 16: 1, 20: 2, 24: 2 }
    const [dim, hidden, head] = [640, 8, 160]
    const floats = 2 * dim + dim + 2 * dim * dim + 2 * head * dim + dim + 3 * dim * hidden + dim + 2 * 2 * (head / 2)
    const bytes = new Uint8Array(28 + 4 * floats)
    for (const [offset, value] of Object.entries(counts)) new DataView(bytes.buffer).setInt32(Number(offset), value, true)
    expect(await openingCode(bytes)).toBe('no error')
  })
})

describe('refuses', () => {
  it('a version 0 whose size is not exactly what its counts make', async () => {
    const bytes = readFileSync(fixture('v0.bin'))
    expect(await openingCode(bytes.subarray(0, -4))).toBe('checkpoint/unknown-format')
    expect(await openingCode(Buffer.concat([bytes, Buffer.alloc(1)]))).toBe('checkpoint/unknown-format')
  })

  it.each([
    ['a width that is negative', { 0: -16 }],
    ['no layers', { 8: 0 }],
    ['more layers than any decoder', { 8: 1025 }],
    ['heads that do not divide the width', { 12: 3 }],
    ['heads of an odd size', { 12: 16 }],
    ['key-value heads that do not divide the heads', { 16: 3 }],
    ['sizes whose product overflows', { 0: 2 ** 31 - 2, 4: 2 ** 31 - 1, 20: 2 ** 31 - 1 }],
    ['the smallest number as a vocabulary', { 20: -(2 ** 31) }],
    ['a context without end', { 24: 2 ** 31 - 1 }],
  ])('%s', async (_, counts) => {
    expect(await openingCode(changed('v0.bin', counts))).toBe('checkpoint/unknown-format')
    const shifted = Object.fromEntries(Object.entries(counts).map(([offset, value]) => [Number(offset) + 8, value]))
    expect(await openingCode(changed('v1.bin', shifted))).toBe('checkpoint/llama2c-header')
  })

  it('a version that has another layout, and a negative vocabulary with a magic', async () => {
    expect(await openingCode(changed('v1.bin', { 4: 3 }))).toBe('checkpoint/llama2c-header')
    expect(await openingCode(changed('v1.bin', { 28: -40 }))).toBe('checkpoint/llama2c-header')
  })

  it('groups that do not divide the width', async () => {
    for (const group of [0, -16, 7, 32]) expect(await openingCode(changed('v2.bin', { 37: group }))).toBe('checkpoint/llama2c-header')
  })

  it('a file with a magic that is cut off or too long', async () => {
    const bytes = readFileSync(fixture('v2.bin'))
    expect(await openingCode(bytes.subarray(0, 100))).toBe('checkpoint/llama2c-header')
    expect(await openingCode(bytes.subarray(0, -1))).toBe('checkpoint/llama2c-size')
    expect(await openingCode(Buffer.concat([bytes, Buffer.alloc(3)]))).toBe('checkpoint/llama2c-size')
  })
})
