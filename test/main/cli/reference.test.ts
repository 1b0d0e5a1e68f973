// Commands against reference data: what other programs compare.
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import { hasReference, referencePath } from '../../support/reference'
import { weightroom } from './run-command-line'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weightroom-cli-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const int64 = (bytes: Uint8Array): number[] => Array.from(new BigInt64Array(Uint8Array.from(bytes).buffer), Number)
const float32 = (bytes: Uint8Array): Float32Array => new Float32Array(Uint8Array.from(bytes).buffer)

describe.skipIf(!hasReference)('weightroom logits', () => {
  it.each(['c-api', 'node-binding'])('writes the logits and greedy ids of Transformers through the %s', async (runtime) => {
    const model = referencePath('models', 'llama')
    using golden = await openCheckpoint(join(model, 'golden.safetensors'))
    const inputIds = int64(await golden.read('input_ids'))
    const out = join(folder, `${runtime}.safetensors`)
    const outcome = await weightroom([
      'logits',
      model,
      '--ids',
      inputIds.join(','),
      '--greedy',
      '24',
      '--out',
      out,
      '--runtime',
      runtime,
      '--json',
    ])
    expect(outcome).toMatchObject({ exitCode: 0, stderr: '' })
    expect(JSON.parse(outcome.stdout)).toMatchObject({ format: 'f32', vocabSize: 320, runtime })

    using written = await openCheckpoint(out)
    expect([...written.tensors.values()].map(({ name, dtype, shape }) => ({ name, dtype, shape }))).toEqual([
      { name: 'logits', dtype: 'F32', shape: [1, inputIds.length, 320] },
      { name: 'greedy_ids', dtype: 'I64', shape: [1, 24] },
    ])
    expect(int64(await written.read('greedy_ids'))).toEqual(int64(await golden.read('greedy_ids')))
    const expected = float32(await golden.read('logits'))
    const worst = float32(await written.read('logits')).reduce(
      (largest, value, index) => Math.max(largest, Math.abs(value - (expected[index] ?? Number.NaN))),
      0,
    )
    const { logit_std: std } = JSON.parse(await readFile(join(model, 'origin.json'), 'utf8')) as { logit_std: number }
    expect(worst).toBeLessThan(1e-4 * std)
  })

  it('refuses an id outside the vocabulary and leaves nothing behind', async () => {
    const own = await mkdtemp(join(folder, 'refused-'))
    const outcome = await weightroom(['logits', referencePath('models', 'llama'), '--ids', '1,320', '--out', join(own, 'f.safetensors')])
    expect(outcome).toMatchObject({ exitCode: 1, code: 'runtime/token-out-of-range' })
    expect(await readdir(own)).toEqual([])
  })

  it('says so when the file cannot be written', async () => {
    const outcome = await weightroom([
      'logits',
      referencePath('models', 'llama'),
      '--ids',
      '1',
      '--out',
      join(folder, 'no', 'such', 'folder'),
    ])
    expect(outcome).toMatchObject({ exitCode: 1, code: 'cli/not-writable' })
  })

  it('ends with exit 130 and leaves nothing behind when it is stopped', async () => {
    const own = await mkdtemp(join(folder, 'stopped-'))
    const outcome = await weightroom(['logits', referencePath('models', 'llama'), '--ids', '1', '--out', join(own, 'f')], {
      signal: AbortSignal.abort(),
    })
    expect(outcome).toMatchObject({ exitCode: 130, stdout: '' })
    expect(await readdir(own)).toEqual([])
  })
})

describe.skipIf(!hasReference)('weightroom tokenize', () => {
  it.each(['llama-2', 'sentencepiece-unigram', 'gpt-2', 'minimind'])(
    'gives the ids and texts of the reference library for %s',
    async (name) => {
      const file = await readFile(referencePath('tokenizers', name, 'expected.json'), 'utf8')
      const { cases } = JSON.parse(file) as { cases: readonly { text: string; ids: readonly number[]; decoded: string }[] }
      const texts = join(folder, `${name}.json`)
      await writeFile(texts, JSON.stringify(cases.map(({ text }) => text)))
      const outcome = await weightroom(['tokenize', referencePath('tokenizers', name), '--file', texts, '--lines-json', '--json'])
      expect(outcome).toMatchObject({ exitCode: 0, stderr: '' })
      expect(JSON.parse(outcome.stdout)).toEqual(cases.map(({ ids, decoded }) => ({ ids, decoded })))
    },
  )
})

describe.skipIf(!hasReference)('weightroom inspect', () => {
  it('lists files, configuration and tensors as one JSON document', async () => {
    const { exitCode, stdout } = await weightroom(['inspect', referencePath('models', 'llama'), '--json'])
    expect(exitCode).toBe(0)
    const document = JSON.parse(stdout) as {
      format: string
      files: unknown[]
      config: { model_type: string }
      tensors: { name: string; dtype: string; shape: number[]; sizeBytes: number }[]
    }
    expect(document).toMatchObject({ format: 'safetensors', config: { model_type: 'llama' } })
    expect(document.files).toHaveLength(8)
    expect(document.tensors.find(({ name }) => name === 'lm_head.weight')).toMatchObject({
      dtype: 'F32',
      shape: [320, 64],
      sizeBytes: 320 * 64 * 4,
    })
  })

  it('computes the statistics of one tensor', async () => {
    const outcome = await weightroom(['inspect', referencePath('models', 'llama'), '--tensor', 'model.norm.weight', '--json'])
    expect(JSON.parse(outcome.stdout)).toMatchObject({ name: 'model.norm.weight', shape: [64], elements: 64, nanCount: 0 })
    const unknown = await weightroom(['inspect', referencePath('models', 'llama'), '--tensor', 'nope'])
    expect(unknown).toMatchObject({ exitCode: 1, code: 'checkpoint/unknown-tensor' })
  })
})
