// `npm run bench -- formats [--runs N --formats f32,q8,q4 --prompt N --tokens N --json]`: prefill and decode speed and peak memory by weight format, on a made-up Llama of 100M parameters in BF16.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { SMALL, writeMadeUpLlama } from './made-up-llama.mjs'

const cli = resolve(import.meta.dirname, '../../out/main/cli.mjs')
const { values } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '3' },
    formats: { type: 'string', default: 'f32,q8,q4,balanced,fast' },
    prompt: { type: 'string', default: '128' },
    tokens: { type: 'string', default: '32' },
    json: { type: 'boolean', default: false },
  },
})

const folder = mkdtempSync(join(tmpdir(), 'weightroom-bench-'))
try {
  const parameters = writeMadeUpLlama(folder, SMALL)
  const env = { ...process.env, WEIGHTROOM_DATA: join(folder, 'data') }
  const measure = (format) => {
    const args = ['bench', folder, '--format', format, '--prompt', values.prompt, '--tokens', values.tokens, '--runs', values.runs]
    const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args, '--json'], { encoding: 'utf8', env })
    if (status !== 0) throw new Error(`bench failed: ${stderr}`)
    return JSON.parse(stdout)
  }
  const results = values.formats.split(',').map((format) => {
    // The first process prepares the weights, the second one finds them.
    const { loadMs: firstLoadMs } = measure(format)
    return { ...measure(format), firstLoadMs, load: loadavg()[0] }
  })
  if (values.json) process.stdout.write(`${JSON.stringify({ parameters, results }, null, 2)}\n`)
  else {
    process.stdout.write(`${(parameters / 1e6).toFixed(0)}M parameters, BF16, ${cpus()[0]?.model}, ${results[0].threads} threads\n`)
    for (const result of results) {
      const { format, firstLoadMs, loadMs, prefillTokensPerSecond, decodeTokensPerSecond, peakMemoryBytes, load } = result
      process.stdout.write(
        `${format.padEnd(10)} prefill ${prefillTokensPerSecond.toFixed(0)} tokens/s, decode ${decodeTokensPerSecond.toFixed(1)} tokens/s, ` +
          `load ${firstLoadMs.toFixed(0)} then ${loadMs.toFixed(0)} ms, peak ${(peakMemoryBytes / 2 ** 20).toFixed(0)} MiB, machine load ${load.toFixed(1)}\n`,
      )
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
