// `npm run bench [-- model --model M --runs N --json]`: load time, time to first token, prefill and decode speed, peak memory, from the built command line in fresh processes.
import { spawn, spawnSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

const root = resolve(import.meta.dirname, '../..')
const cli = resolve(root, 'out/main/cli.mjs')
const { values } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', default: 'guide' },
    runs: { type: 'string', default: '5' },
    prompt: { type: 'string', default: '512' },
    tokens: { type: 'string', default: '64' },
    question: { type: 'string', default: 'What is safetensors?' },
    json: { type: 'boolean', default: false },
  },
})
const runs = Number(values.runs)
if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs must be a whole number above 0')

const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
}

/** One fresh process of `bench`. */
function benchOnce() {
  const args = ['bench', values.model, '--json', '--runs', '3', '--prompt', values.prompt, '--tokens', values.tokens]
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`bench failed: ${stderr}`)
  return JSON.parse(stdout)
}

/** Milliseconds from the call of `run` to the first byte of its answer, and to its end. */
function answerOnce() {
  return new Promise((done, failed) => {
    const startMs = performance.now()
    const child = spawn(process.execPath, [cli, 'run', values.model, values.question, '--max-tokens', '32'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let firstMs = null
    let stderr = ''
    child.stdout.on('data', () => (firstMs ??= performance.now() - startMs))
    child.stderr.on('data', (text) => (stderr += text))
    child.on('error', failed)
    child.on('close', (code) => {
      if (code === 0 && firstMs !== null) done({ firstMs, totalMs: performance.now() - startMs })
      else failed(new Error(`run failed (${code}): ${stderr}`))
    })
  })
}

const benches = []
const answers = []
for (let index = 0; index < runs; index++) {
  benches.push(benchOnce())
  answers.push(await answerOnce())
}
const of = (key) => median(benches.map((bench) => bench[key]))
const result = {
  model: values.model,
  machine: {
    cpu: cpus()[0]?.model ?? 'unknown',
    processors: cpus().length,
    memoryBytes: totalmem(),
    node: process.version,
    platform: process.platform,
  },
  runtime: benches[0].runtime,
  threads: benches[0].threads,
  promptTokens: benches[0].promptTokens,
  completionTokens: benches[0].completionTokens,
  runs,
  loadMs: of('loadMs'),
  ttftMs: of('ttftMs'),
  prefillTokensPerSecond: of('prefillTokensPerSecond'),
  decodeTokensPerSecond: of('decodeTokensPerSecond'),
  peakMemoryBytes: of('peakMemoryBytes'),
  callToFirstTokenMs: median(answers.map((answer) => answer.firstMs)),
}
if (values.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
else {
  const rows = [
    ['load', `${result.loadMs.toFixed(0)} ms`],
    ['call to first answer token', `${result.callToFirstTokenMs.toFixed(0)} ms`],
    [`first token after ${result.promptTokens} tokens`, `${result.ttftMs.toFixed(0)} ms`],
    ['prefill', `${result.prefillTokensPerSecond.toFixed(0)} tokens/s`],
    ['decode', `${result.decodeTokensPerSecond.toFixed(0)} tokens/s`],
    ['peak memory', `${(result.peakMemoryBytes / 2 ** 20).toFixed(0)} MiB`],
  ]
  process.stdout.write(
    `${result.model} on ${result.machine.cpu}, ${result.threads} threads, ${result.runtime}, medians of ${runs} processes\n`,
  )
  for (const [name, value] of rows) process.stdout.write(`${name.padEnd(32)}${value}\n`)
}
