// `weightroom convert`: its plan, its report, its refusals.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ConversionPlan, ConversionReport } from '../../../engine/convert/types'
import { weightroom } from './run-command-line'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weightroom-convert-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('weightroom convert', () => {
  it('shows its plan and writes nothing', async () => {
    const out = join(folder, 'planned')
    const { exitCode, stdout } = await weightroom(['convert', 'guide', '--to', 'npz', '--out', out, '--dry-run', '--json'])
    expect(exitCode).toBe(0)
    const plan = JSON.parse(stdout) as ConversionPlan
    expect(plan.outputs).toHaveLength(1)
    expect(plan.dtypeChanges).toMatchObject([{ from: 'BF16', to: 'F32', exact: true, reason: 'format' }])
    expect(await readdir(folder)).toEqual([])
  })

  it('writes shards of the size asked for, and a report of every tensor', async () => {
    const out = join(folder, 'sharded')
    const { exitCode, stdout, stderr } = await weightroom([
      'convert',
      'guide',
      '--to',
      'torch',
      '--out',
      out,
      '--max-shard-size',
      '5MB',
      '--json',
    ])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const report = JSON.parse(stdout) as ConversionReport & { readonly elapsedMs: number }
    expect(report.files).toHaveLength(3)
    expect(report.totals.identicalTensors).toBe(report.tensors.length)
    expect(report.tensors.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256))).toBe(true)
    const index = JSON.parse(await readFile(join(out, 'pytorch_model.bin.index.json'), 'utf8')) as { metadata: { total_size: number } }
    expect(index.metadata.total_size).toBe(report.totals.tensorBytes)
    expect(await readdir(out)).toContain('tokenizer.model')
  })

  it('says in words what was verified', async () => {
    const { exitCode, stdout } = await weightroom(['convert', 'guide', '--to', 'pth', '--out', join(folder, 'a.pth'), '--dtype', 'float16'])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/BF16 -> F16, rounded/)
    expect(stdout).toMatch(/verified {4}\d+ tensors, 0 identical to the source; largest error/)
  })

  it.each([['xyz', []]] as const)('refuses --to %s %j and names what works', async (to, more) => {
    const outcome = await weightroom(['convert', 'guide', '--to', to, '--out', join(folder, 'never'), ...more])
    expect(outcome).toMatchObject({ exitCode: 1, code: 'convert/not-available' })
    expect(outcome.stderr).toContain('--to safetensors')
    expect(await readdir(folder)).not.toContain('never')
  })

  it.each([
    [['--dtype', 'int4']],
    [['--set', 'no value']],
    [['--quantize', 'q2']],
    [['--include', 'all']],
    [['--max-shard-size', 'large']],
    [['--max-shard-size', '0GB']],
    [['--max-shard-size', '5XB']],
  ])('calls %j wrong usage', async (more) => {
    const outcome = await weightroom(['convert', 'guide', '--to', 'torch', '--out', join(folder, 'never'), ...more])
    expect(outcome.exitCode).toBe(2)
  })

  it('maps a custom state dict, shows guesses and takes answers', async () => {
    const source = join(import.meta.dirname, '../../fixtures/custom/minimind/pretrain_16.pth')
    const more = ['--family', 'auto', '--set', 'rope_theta=5e5', '--set', 'bos_token_id=3', '--dry-run']
    const { exitCode, stdout } = await weightroom(['convert', source, '--to', 'safetensors', '--out', join(folder, 'mapped'), ...more])
    expect(exitCode).toBe(0)
    expect(stdout).toContain('family      llama: 12 tensors with huggingface names')
    expect(stdout).toMatch(/config {6}num_attention_heads = 8 \(guess, change with --set: MiniMind has these shapes\.\)/)
    expect(stdout).toContain('config      rope_theta = 500000 (answer: It was answered so.)')
    expect(stdout).toContain('config      bos_token_id = 3 (answer')
  })

  it('quantizes for llama.cpp', async () => {
    const out = join(folder, 'guide.gguf')
    const { exitCode, stdout } = await weightroom(['convert', 'guide', '--to', 'gguf', '--quantize', 'q4', '--out', out])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/BF16 -> Q4_0, rounded/)
  })

  it('gives the optimizer of a training checkpoint when asked to', async () => {
    const source = join(import.meta.dirname, '../../fixtures/custom/nanogpt/ckpt.pt')
    const out = join(folder, 'with-optimizer')
    const { stdout } = await weightroom(['convert', source, '--to', 'npz', '--include', 'optimizer', '--out', out, '--dry-run', '--json'])
    const plan = JSON.parse(stdout) as ConversionPlan
    expect(plan.tensors.map(({ name }) => name)).toContain('optimizer.state.0.exp_avg')
  })

  it('leaves nothing behind when it is stopped', async () => {
    const outcome = await weightroom(['convert', 'guide', '--to', 'torch', '--out', join(folder, 'stopped')], {
      signal: AbortSignal.abort(),
    })
    expect(outcome.exitCode).toBe(130)
    expect((await readdir(folder)).filter((name) => name.includes('stopped'))).toEqual([])
  })
})
