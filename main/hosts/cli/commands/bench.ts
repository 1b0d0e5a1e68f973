// `weightroom bench`: load time, time to first token, prefill and decode speed and peak memory of a model on this machine.
import type { Command } from 'commander'
import type { OrtRuntime } from '../../../../engine/runtime/ort-types'
import type { LoadedModel } from '../../../../engine/generate/load-model'
import type { GenerationStats } from '../../../../engine/generate/types'
import { cliError } from '../cli-error'
import { formatOption, integerFrom, runtimeOption, threadsOption } from '../options'
import { formatBytes, writeJson, type Terminal } from '../terminal'

interface BenchOptions {
  readonly prompt: number
  readonly tokens: number
  readonly runs: number
  readonly threads?: number
  readonly runtime?: OrtRuntime['kind']
  readonly json?: true
}

/** Adds `bench` to the program. */
export function registerBench(program: Command, terminal: Terminal): void {
  program
    .command('bench <model>')
    .description('measure load time, speed and peak memory')
    .option('--prompt <tokens>', 'tokens of the prompt', integerFrom(1, 1_000_000), 512)
    .option('--tokens <n>', 'tokens to generate', integerFrom(2, 1_000_000), 64)
    .option('--runs <n>', 'repetitions; medians are reported', integerFrom(1, 1000), 5)
    .addOption(formatOption())
    .addOption(threadsOption())
    .addOption(runtimeOption())
    .option('--json', 'answer with one JSON document')
    .action((model: string, options: BenchOptions) => bench(model, options, terminal))
}

async function bench(name: string, options: BenchOptions, terminal: Terminal): Promise<void> {
  const [{ loadModel }, { modelPath }] = await Promise.all([import('../../../../engine/generate/load-model'), import('../model-path')])
  const { prompt, tokens, threads, runtime } = options
  const { signal } = terminal
  using model = await loadModel(await modelPath(name, signal), {
    contextLength: prompt + tokens,
    signal,
    ...(threads !== undefined && { threads }),
    ...(runtime && { runtime }),
  })
  const runs: GenerationStats[] = []
  // The first run pays for pages that are read from disk; it is not counted.
  for (let index = 0; index <= options.runs; index++) {
    const stats = await benchRun(model, { prompt, tokens, signal })
    if (index > 0) runs.push(stats)
  }
  const result = {
    model: model.name,
    runtime: model.decoder.runtimeKind,
    executionProvider: model.executionProvider,
    threads: model.threads,
    promptTokens: prompt,
    completionTokens: tokens,
    runs: runs.length,
    loadMs: model.loadMs,
    ttftMs: median(runs.map((stats) => stats.ttftMs)),
    prefillTokensPerSecond: median(runs.map((stats) => stats.prefillTokensPerSecond)),
    decodeTokensPerSecond: median(runs.map((stats) => stats.tokensPerSecond)),
    // Kilobytes on every platform, as libuv reports them.
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  }
  if (options.json) writeJson(terminal, result)
  else terminal.stdout.write(describeResult(result))
}

/** One prompt of `prompt` tokens and exactly `tokens` greedy ones, through the same path as a chat. */
async function benchRun(
  model: LoadedModel,
  options: { readonly prompt: number; readonly tokens: number; readonly signal: AbortSignal },
): Promise<GenerationStats> {
  const { generate } = await import('../../../../engine/generate/generate')
  const { prompt, tokens, signal } = options
  const { vocabSize } = model.config
  // Any ids cost the same; a stride that is no divisor of usual vocabulary sizes avoids repeats.
  const promptIds = Array.from({ length: prompt }, (_, index) => (index * 7919) % vocabSize)
  const settings = { ...model.defaultSampling, temperature: 0, maxNewTokens: tokens, seed: 0, stop: [] }
  const events = generate({ model: { ...model, stopIds: new Set() }, promptIds, settings, signal })
  for await (const event of events) {
    if (event.type !== 'finished') continue
    if (event.finishReason === 'cancelled') break
    return event.stats
  }
  throw cliError('cli/cancelled', {})
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

function describeResult(result: {
  readonly model: string
  readonly runtime: string
  readonly threads: number
  readonly promptTokens: number
  readonly completionTokens: number
  readonly runs: number
  readonly loadMs: number
  readonly ttftMs: number
  readonly prefillTokensPerSecond: number
  readonly decodeTokensPerSecond: number
  readonly peakMemoryBytes: number
}): string {
  const lines = [
    `${result.model}: ${result.threads} threads, ${result.runtime}, medians of ${result.runs} runs`,
    `load               ${result.loadMs.toFixed(0)} ms`,
    `first token        ${result.ttftMs.toFixed(0)} ms after a prompt of ${result.promptTokens} tokens`,
    `prefill            ${result.prefillTokensPerSecond.toFixed(1)} tokens/s`,
    `decode             ${result.decodeTokensPerSecond.toFixed(1)} tokens/s over ${result.completionTokens} tokens`,
    `peak memory        ${formatBytes(result.peakMemoryBytes)}`,
  ]
  return `${lines.join('\n')}\n`
}
