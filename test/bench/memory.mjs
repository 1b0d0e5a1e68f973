// `npm run bench -- memory [--formats f32,q8 --models small,large --prompts 64,900 --tokens 8 --json]`: predicted and measured peak memory and decode speed by weight format, on made-up Llamas in BF16.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { LARGE, SMALL, writeMadeUpLlama } from './made-up-llama.mjs'

const cli = resolve(import.meta.dirname, '../../out/main/cli.mjs')
const { values } = parseArgs({
  allowPositionals: true,
  options: {
    formats: { type: 'string', default: 'f32,f32-low-memory,quality,q4,balanced,fast' },
    models: { type: 'string', default: 'small,large' },
    prompts: { type: 'string', default: '64,900' },
    tokens: { type: 'string', default: '8' },
    json: { type: 'boolean', default: false },
  },
})
const CONFIGS = { small: SMALL, large: LARGE }
const MIB = 2 ** 20

const folder = mkdtempSync(join(tmpdir(), 'weightroom-bench-'))
const env = { ...process.env, WEIGHTROOM_DATA: join(folder, 'data') }
const ask = (args) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args, '--json'], { encoding: 'utf8', env })
  if (status !== 0) throw new Error(`${args[0]} failed: ${stderr}`)
  return JSON.parse(stdout)
}
const bench = (model, format, prompt) =>
  ask(['bench', model, '--format', format, '--prompt', String(prompt), '--tokens', values.tokens, '--runs', '1'])

const rows = []
try {
  for (const name of values.models.split(',')) {
    const model = join(folder, name)
    mkdirSync(model)
    writeMadeUpLlama(model, CONFIGS[name])
    for (const format of values.formats.split(',')) {
      const prompts = values.prompts.split(',').map(Number)
      const plan = (prompt) => ask(['plan', model, '--format', format, '--context', String(prompt + Number(values.tokens)), '--speed'])
      // The first process prepares the weights.
      const first = bench(model, format, prompts[0])
      for (const prompt of prompts) {
        const { devices, preparingBytes, speed } = plan(prompt)
        const measured = bench(model, format, prompt)
        rows.push({
          model: name,
          format,
          prompt,
          predictedBytes: devices[0].predicted.totalBytes,
          measuredBytes: measured.peakMemoryBytes,
          preparingBytes,
          firstPeakBytes: first.peakMemoryBytes,
          estimatedTokensPerSecond: speed.tokensPerSecond,
          tokensPerSecond: measured.decodeTokensPerSecond,
          load: loadavg()[0],
        })
        if (!values.json) process.stdout.write(`${describe(rows.at(-1))}\n`)
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
if (values.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`)

function describe(row) {
  const difference = (predicted, measured) => `${(100 * (predicted / measured - 1)).toFixed(1)} %`
  return (
    `${row.model} ${row.format} prompt ${row.prompt}: predicted ${(row.predictedBytes / MIB).toFixed(0)}, measured ${(row.measuredBytes / MIB).toFixed(0)} MiB ` +
    `(${difference(row.predictedBytes, row.measuredBytes)}), first load ${(row.firstPeakBytes / MIB).toFixed(0)} MiB; ` +
    `estimated ${row.estimatedTokensPerSecond.toFixed(1)}, measured ${row.tokensPerSecond.toFixed(1)} tokens/s ` +
    `(${difference(row.estimatedTokensPerSecond, row.tokensPerSecond)}), machine load ${row.load.toFixed(1)}`
  )
}
